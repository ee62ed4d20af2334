"""What a model of word vectors logs, scores and answers (S64)."""

import pytest
import torch

from tests.data import bare_trainer
from tests.test_cbow import build
from zoo.nn.word_vectors import terms
from zoo.pretrained.load import attach
from zoo.training.callbacks import SampleScores
from zoo.words import evaluation

ASKED = {
    "family": [["cat", "dog", "horse", "bird"], ["dog", "cat", "bird", "horse"]],
    "places": [["house", "river", "garden", "field"], ["river", "house", "field", "garden"]],
}


@pytest.fixture
def watched(animals):
    """A model, and a trainer that collects its scores."""
    torch.manual_seed(0)
    model = attach(build(animals.info["vocabulary_size"]), animals.input, animals.info)
    scores = SampleScores()
    return model, bare_trainer(max_epochs=1, callbacks=[scores]), scores


@pytest.fixture
def questions(monkeypatch):
    monkeypatch.setattr(evaluation, "sections", lambda: ASKED)
    monkeypatch.setattr(evaluation, "SEMANTIC", 1)
    for name in ("analogy", "section"):
        monkeypatch.setitem(evaluation.ENOUGH, name, 2)


def logged(trainer):
    return {name for name in trainer.callback_metrics if name.startswith("val/")}


def test_each_epoch_logs_the_share_of_answered_questions_by_section(watched, animals, questions):
    """S64."""
    model, trainer, _ = watched
    trainer.fit(model, datamodule=animals)
    parts = {f"val/analogy/{part}" for part in ("semantic", "syntactic", "family", "places")}
    assert logged(trainer) == {"val/loss", "val/neighbours", "val/analogy", *parts}
    found = evaluation.scores(model.neighbours(), model.input.counts, "val")
    assert float(trainer.callback_metrics["val/analogy"]) == found["val/analogy"].mean()
    assert [len(found[f"val/analogy/{name}"]) for name in ASKED] == [1, 1]


def test_without_known_questions_an_epoch_logs_neighbours_alone(watched, animals):
    model, trainer, _ = watched
    trainer.fit(model, datamodule=animals)
    assert logged(trainer) == {"val/loss", "val/neighbours"}


def test_the_test_counts_each_question_once(watched, animals, questions):
    """S64: however many batches there are."""
    model, trainer, scores = watched
    animals.setup("test")
    trainer.test(model, datamodule=animals, verbose=False)
    found = scores.values()
    assert len(found["test/loss"]) > 64
    wanted = evaluation.scores(model.neighbours(), model.input.counts, "test")
    for name, hits in wanted.items():
        assert found[name].tolist() == hits.tolist()
    assert len(found["test/analogy"]) == 4


def test_a_sum_is_read_by_its_signs():
    """S64."""
    assert terms("king - man + woman") == (["king", "woman"], ["man"])
    assert terms("paris") == (["paris"], [])
    assert terms("well-known - known") == (["well-known"], ["known"])


WRONG = {
    "king man": "'king man' is no sum of words", "king -": "'king -' is no sum of words",
    "king - king": "the words cancel each other out",
}  # fmt: skip


@pytest.mark.parametrize("asked", WRONG)
def test_a_wrong_question_is_one_line(command, asked):
    """S64."""
    assert WRONG[asked] in command.refused("predict", "cbow.wikipedia_2015", asked)
