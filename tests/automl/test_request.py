"""What a search is asked for: words, lists of candidates, folds, and a folder of one search."""

import numpy as np
import pytest

from tests.data import arrays_of, opened, refused
from zoo.automl.candidates import find_list, read_list
from zoo.automl.final import next_commands
from zoo.automl.learners import make_learner
from zoo.automl.request import folds_of, hold, read_words
from zoo.catalog import registry
from zoo.catalog.compose import compose


@pytest.mark.parametrize(("words", "said"), [
    ([], "give data=: image_folder, labelled_text"),
    (["data=digits", "model=gan"], "'model=gan' is not for zoo auto, see conf/auto/: it takes"),
    (["data=digits", "data.fold=0/5"], "'data.fold=0/5' is not for zoo auto, which it makes by"),
    (["data=digits", "seed=0,1"], "seed=0,1: zoo auto takes one value for a key"),
    (["data=digits", "minutes=0"], "minutes is 0: it should be a number above 0"),
    (["data=digits", "minutes=ten"], "minutes is 'ten': it should be a number above 0"),
    (["data=digits", "minuts=3"], "no key named 'minuts': did you mean 'minutes'?"),
    (["datta.source=x"], "no key named 'datta': did you mean 'data'?"),
    (["data=digits", "init=x"], "'init=x' is not for zoo auto, see conf/auto/: it takes"),
    (["data=digits", "auto=image_foldr"], "no auto named 'image_foldr': did you mean 'image_fold"),
    (["data=digts"], "no data named 'digts': did you mean 'digits'?"),
])  # fmt: skip
def test_a_wrong_word_is_refused_in_one_line(words, said):
    refused(said, read_words, words)


@pytest.mark.parametrize("name", registry.names("auto"))
def test_each_candidate_of_a_list_can_be_composed(name):
    """A pipeline's name is one of the baseline's; overrides of a network are its recipe's."""
    request = read_words([f"data={name}", "data.source=x"])
    listed = read_list(name)
    data = arrays_of(None)
    data.input = opened("plucked_strings", limit=20).input
    samples = ["a"] * 9 if name == "labelled_text" else np.zeros((9, 8, 8, 1), np.uint8)
    known = listed.pipelines.candidates(samples, data)
    for one in listed.listed:
        if one.overrides is None:
            assert one.name in known
        else:
            learner = make_learner(one, request, listed.pipelines)
            compose(learner.words)


def test_a_set_of_the_catalog_is_learned_as_ones_own():
    own = compose(["data=image_folder", "data.source=x"])
    request = read_words(["data=mnist", "data.batch_size=7"])
    config = compose([*request.own_overrides, *request.words])
    assert config["own_training"] == own["own_training"]
    assert config["data"]["batch_size"] == 7
    assert f"data.batch_size={own['data']['batch_size']}" in request.own_overrides
    assert read_words(["data=image_folder", "data.source=x"]).own_overrides == []


def test_a_list_of_ones_own_is_found_by_name_and_by_data(tmp_path):
    folder = tmp_path / "conf" / "auto"
    folder.mkdir(parents=True)
    text = (registry.conf_folder() / "auto" / "image_folder.yaml").read_text()
    (folder / "digits.yaml").write_text(
        text.partition("\ncandidates:")[0] + "\ncandidates: {a: [seed=3]}"
    )
    (folder / "bad.yaml").write_text(text + "  a/b: pipeline\n")
    data = opened("digits", limit=20)
    assert find_list(None, "digits", data) == "image_folder"
    with registry.with_config_dirs([str(tmp_path / "conf")]):
        assert find_list(None, "digits", data) == "digits"
        assert [one.overrides for one in read_list("digits").listed] == [("seed=3",)]
        refused("candidates.a/b is 'pipeline': it should be a name for a folder", read_list, "bad")
        (folder / "empty.yaml").write_text("pipelines: {}\ncandidates: {a: pipeline}")
        refused("pipelines is {}: it should be a section with keys", read_list, "empty")
        refused("no auto named 'digis': did you mean 'digits'?", find_list, "digis", "", data)


def test_what_has_no_classes_is_refused():
    data = opened("turned_digits", limit=20)
    refused("turned_digits has no classes", find_list, None, "turned_digits", data)


@pytest.mark.parametrize(("labels", "folds"), [
    ([0] * 3 + [1] * 2, 5), ([0, 0, 1, 2], 2), ([0, 1, 2], 0), ([0] * 999, 5), ([0] * 1000, 1),
])  # fmt: skip
def test_small_sets_have_folds_and_large_ones_one_split(labels, folds):
    labels = np.array(labels)
    data = arrays_of(None)
    data.arrays = {"train": (None, labels), "val": (None, labels[:0])}.__getitem__
    data.info = {"samples": {"train": len(labels)}, "num_classes": labels.max() + 1}
    data.is_subset = False
    assert len(folds_of(data)) == folds
    data.is_subset = True  # validation samples are not in use
    assert folds_of(data) == (
        ["0/10"] if len(labels) == 1000 else [f"{i}/{folds}" for i in range(folds)]
    )


def test_a_folder_is_for_one_search(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for minutes, said in ((2, ""), (3, ""), (2.5, "has another config: minutes: 3.0 -> 2.5")):
        request = read_words(["data=digits", f"minutes={minutes}", "name=a"])
        holding = hold(request, request.contents("image_folder"))
        if said:
            refused(said, holding.__enter__)
            continue
        with holding:
            refused("is being written by another process", hold(request, {}).__enter__)


def test_more_minutes_are_advised_under_the_same_name(tmp_path):
    words = ["data=digits", "minutes=2", "auto=image_folder", "name=a"]
    summary = {"command": read_words(words).command, "minutes": 2.0}
    late = next_commands(tmp_path, {**summary, "candidates": [{"status": "out of time"}]})
    assert late[-1] == "zoo auto data=digits minutes=6 auto=image_folder name=a"
    done = next_commands(tmp_path / "a", {**summary, "candidates": [{"status": "finished"}]})
    assert done == ["zoo predict a INPUT", "zoo test a"]
