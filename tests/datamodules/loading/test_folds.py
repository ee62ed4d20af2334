"""Folds of training and validation samples: who is held out, and what is made of the others."""

import numpy as np
import pytest

import zoo
from datamodules.loading.folds import held_out, join, take
from datamodules.utilities.windows import Windows
from tests.data import opened, refused
from tests.datamodules.loading.test_labelled import folder, write  # noqa: F401
from zoo.catalog.compose import compose
from zoo.training.baseline import baseline_results


def test_folds_hold_each_sample_out_once_with_the_classes_in_proportion():
    labels = np.repeat([0, 1, 2, 3], [50, 23, 2, 1])
    folds = [held_out(labels, f"{i}/5", seed=0) for i in range(5)]
    assert np.sort(np.concatenate(folds)).tolist() == list(range(75))  # never the class of one
    counts = np.array([np.bincount(labels[fold], minlength=3) for fold in folds])
    assert counts[:, 0].tolist() == [10] * 5
    assert set(counts[:, 1]) == {4, 5}
    assert sorted(counts[:, 2]) == [0, 0, 0, 1, 1]
    assert counts.sum(1).tolist() == [15] * 5
    assert np.array_equal(folds[2], held_out(labels, "2/5", seed=0))


@pytest.mark.parametrize("fold", ["5/5", "0/1", "-1/5", "1", "every", "1/5/2"])
def test_what_is_no_fold_is_refused_before_data_are_read(fold):
    said = (
        f"data.fold is '{fold}': it should be i/n with i from 0 to n - 1 and n at least 2, or all"
    )
    refused(said, compose, [f"data.fold='{fold}'"])


def test_more_folds_than_samples_are_refused():
    said = "data.fold is 3/7: of the training and validation samples only 5 are of a class"
    refused(said, held_out, np.array([0, 0, 0, 1, 1, 2]), "3/7", 0)


def test_samples_of_unequal_length_are_taken_and_joined():
    one = {"words": np.array([1, 2, 3]), "ends": np.array([1, 1, 3]), "labels": np.array([0, 1, 2])}
    both = join(take(one, np.array([2, 0]), "words"), one)
    assert both["words"].tolist() == [2, 3, 1, 1, 2, 3]
    assert both["ends"].tolist() == [2, 3, 4, 4, 6]
    assert both["labels"].tolist() == [2, 0, 0, 1, 2]


def rows_of(samples):
    """Each sample as something to compare; of recordings, their windows."""
    if isinstance(samples, Windows):
        samples = [samples[[i]].inputs for i in range(len(samples))]
    return [one if isinstance(one, str) else np.asarray(one).tobytes() for one in samples]


@pytest.mark.parametrize("data", ["image_folder", "labelled_text", "audio_folder", "video_folder"])
def test_a_fold_is_served_as_any_split(data, folder):  # noqa: F811
    """The pool is the samples that a run without a fold learns from, then those it validates on."""
    options = {"source": str(folder(data)), "batch_size": 4}
    whole = opened(data, **options, train_samples=12)
    pool = [row for split in ("train", "val") for row in rows_of(whole.arrays(split)[0])]
    part = opened(data, **options, train_samples=12, fold="1/3")
    assert part.info["samples"] == {**whole.info["samples"], "train": len(pool) - 5, "val": 5}
    assert part.info["digest"] == whole.info["digest"]
    for split in ("train", "val"):
        assert rows_of(part.arrays(split)[0]) == [pool[place] for place in part.pool[split]]
        loader = part.train_dataloader() if split == "train" else part.val_dataloader()
        assert sum(len(y) for _, y in loader) == {"train": 8, "val": 5}[split]
    assert not {*part.pool["train"]} & {*part.pool["val"]}
    full = opened(data, **options, train_samples=12, fold="all")
    assert rows_of(full.arrays("train")[0]) == pool
    assert rows_of(full.arrays("val")[0]) == rows_of(whole.arrays("val")[0])


def test_vocabulary_and_weights_are_those_of_the_fold(tmp_path):
    for i in range(30):
        write(tmp_path / ("a" if i < 20 else "b") / f"{i}.txt", i)
    data = opened("labelled_text", source=str(tmp_path), fold="0/2")
    texts, labels = data.arrays("train")
    assert {*data.input.vocabulary} == {word for text in texts for word in text.split()}
    counts = np.bincount(labels)
    assert data.info["loss_weights"] == pytest.approx(len(labels) / 2 / counts)


def test_a_fold_has_a_baseline_of_its_own():
    section = {"_target_": "zoo.baselines.pixels.StandardisedLogistic", "C": 0.01, "max_iter": 200}
    scores = [
        baseline_results(section, opened("digits", train_samples=60, fold=f"{i}/2"))
        for i in range(2)
    ]
    assert scores[0] != scores[1]


@pytest.mark.slow
def test_all_are_learned_from_without_validation_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = {"trainer.max_epochs": 1, "baseline": None, "data.train_samples": 64}
    options = {**small, "data.fold": "all", "name": "a"}
    refused(
        "data.fold=all learns from the validation samples, too", zoo.train, "image_mlp", **options
    )
    more = {"trainer.limit_val_batches": 0, "early_stopping": None}
    run = zoo.train("image_mlp", **options, **more)
    assert run.results["samples"]["train"] == 64 + run.results["samples"]["val"]
