"""Members: raw files become what training saw, and are judged as the samples of a split are."""

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from datamodules.sources.splits import divide
from datamodules.utilities.windows import Windows
from tests.automl.making import KINDS, opened_data, write_network, write_pipeline
from zoo.automl.members import ABSENT, NetworkMember, PipelineMember, as_probabilities
from zoo.automl.novelty import fit_novelty
from zoo.automl.pipelines import load_pipeline
from zoo.baselines.text import Counts

READ = [(name, {}) for name in KINDS] + [("audio_folder", {"windows": "one"}),
                                         ("video_folder", {"rate": 5.0})]  # fmt: skip


def raws_of(data, split, scratch):
    """The files or texts of a split, in its order."""
    source = data.read_source(data.locate(), scratch)
    return divide(source, data.hparams["validation"], data.hparams["test"], 0).splits[split].raws


@pytest.mark.parametrize(("name", "more"), READ)
def test_raw_files_become_what_training_saw_bit_for_bit(name, more, tiny, tmp_path):
    data = opened_data(name, tiny, **more)
    seen, _ = data.arrays("test")
    read = data.input.arrays(raws_of(data, "test", tmp_path / "scratch"))
    assert isinstance(read, Windows) == getattr(data.input, "has_windows", False)
    if isinstance(read, Windows):
        assert read.counts.tolist() == seen.counts.tolist()
        assert max(read.counts) > 1
        assert read.inputs.dtype == torch.uint8
        read, seen = read.inputs, seen.inputs
    np.testing.assert_array_equal(read, seen)


@pytest.mark.parametrize("name", KINDS)
def test_members_judge_raw_files_as_the_samples_of_a_split(name, tiny, tmp_path):
    """In the order of the split, each once; of windows the mean, as the model has it."""
    data = opened_data(name, tiny)
    raws, labels = raws_of(data, "test", tmp_path / "scratch"), data.arrays("test")[1]
    model = write_network(name, data, tmp_path / "net")
    pipeline = load_pipeline(write_pipeline(name, data, tmp_path / "svm"))
    for member in (NetworkMember("net", model), pipeline):
        scores, its_labels = member.scores(data, "test")
        assert (its_labels == labels).all()
        np.testing.assert_allclose(member.judge(raws).scores, scores, atol=1e-5)
        assert scores.dtype == np.float64
    answers = [list(one["probabilities"].values()) for one in model.predict(raws)]
    found = NetworkMember("net", model).probabilities(raws)
    np.testing.assert_allclose(found, answers, atol=1e-6)
    scores, its_labels = pipeline.scores(data, "train")
    assert (its_labels == data.arrays("train")[1]).all()
    assert (scores.argmax(1) == its_labels).mean() > 0.7


def test_what_is_unlike_the_training_data_is_told_by_a_pipelines_features(tiny, tmp_path):
    data = opened_data("image_folder", tiny)
    member = load_pipeline(write_pipeline("image_folder", data, tmp_path / "svm", watch=True))
    samples = data.arrays("train")[0]
    side = data.input.image_size
    stripes = np.zeros((side, side, 3), np.uint8)
    stripes[::2] = 255
    assert member.judge([stripes]).novelty[0] > 1
    assert (member.judge(list(samples)).novelty <= 1).mean() > 0.9
    words = fit_words(["good day", "bad day"] * 4)
    assert fit_novelty(words, ["day"], np.zeros(1)) is None  # counts of words are sparse


def fit_words(texts):
    return make_pipeline(Counts(), LinearSVC()).fit(texts, np.arange(len(texts)) % 2)


def test_a_class_that_was_not_learned_has_next_to_no_probability(tiny):
    info = {"classes": ["a", "b", "c"], "input": opened_data("labelled_text", tiny).input.config()}
    card = {"title": "words", "labels": [0, 2], "temperature": 2.0, "info": info}
    member = PipelineMember("m", fit_words(["good", "bad"] * 4), card, None)
    scores = member.judge(["good", "bad"]).scores
    assert scores[:, 1].tolist() == [ABSENT] * 2
    assert scores[:, 0].tolist() == [0, 0]
    assert as_probabilities(scores).argmax(1).tolist() == [0, 2]
