"""Learning outside the network, batch by batch (S28, S31)."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier

from tests.data import opened, refused
from zoo.baselines import incremental as module
from zoo.baselines.incremental import Incremental
from zoo.catalog.compose import as_overrides
from zoo.config import schema
from zoo.training.baseline import baseline_results

SGD = {"_target_": "sklearn.linear_model.SGDClassifier", "loss": "log_loss", "random_state": 0}
MLP = MLPClassifier((32,), random_state=0)
SECTION = {
    "_target_": "zoo.baselines.incremental.Incremental", "estimator": SGD, "augment": False,
    "passes": 1, "batch_size": None, "happy_at": None,
}  # fmt: skip
PASSIVE_AGGRESSIVE = {
    "_target_": "sklearn.linear_model.SGDClassifier", "loss": "hinge", "penalty": None,
    "learning_rate": "pa1", "eta0": 1.0,
}  # fmt: skip


digits = partial(opened, "digits", limit=100, batch_size=16)
degrees = partial(opened, "turned_digits", batch_size=16)  # in miniature


def made(estimator, **arguments):
    usual = {"augment": False, "passes": 1, "batch_size": None, "happy_at": None}
    return Incremental(estimator=estimator, **{**usual, **arguments})


@pytest.fixture(scope="module")
def data():
    return digits()


class Watched(Perceptron):
    """Keeps what it is told, in order."""

    def __init__(self):
        super().__init__()
        self.told = []

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.told.append(("learn", X.copy(), y, classes))
        return super().partial_fit(X, y, classes, sample_weight)

    def predict(self, X):
        self.told.append(("predict", X.copy(), None, None))
        return super().predict(X)


def test_in_one_pass_it_is_a_plain_loop_of_partial_fit(data):
    """S31, written out as on slide 12."""
    plain = Perceptron()
    for X, y in data.flow(epochs=1):
        plain.partial_fit(X.reshape(len(X), -1), y, classes=np.arange(10))
    found = made(Perceptron()).fit(data)
    np.testing.assert_allclose(found.estimator_.coef_, plain.coef_)
    assert found.estimator_.t_ == plain.t_ == 101  # the incomplete batch is learned from, too
    pixels, labels = data.arrays("test")
    X = data.batch(data.tensors("test"), None)[0].permute(0, 2, 3, 1).numpy()
    score = plain.score(X.reshape(len(X), -1), labels)
    assert found.score(data) == {"test/accuracy": pytest.approx(score)}
    np.testing.assert_array_equal(found.predict(X), plain.predict(X.reshape(len(pixels), -1)))


def test_all_classes_are_declared_though_the_first_batch_has_two():
    """S31: without them the third class of the stream is an error."""
    data = digits(batch_size=2)
    assert made(SGDClassifier()).fit(data).estimator_.classes_.tolist() == list(range(10))


def test_a_batch_is_predicted_before_it_is_learned_from(data):
    """S31: test-then-train; the very first cannot be."""
    found = made(Watched(), batch_size=40).fit(data)
    told = [(verb, len(X)) for verb, X, *_ in found.estimator_.told][:5]
    assert told == [("learn", 40), ("predict", 40), ("learn", 40), ("predict", 20), ("learn", 20)]
    np.testing.assert_array_equal(found.estimator_.told[1][1], found.estimator_.told[2][1])


def test_its_history_is_of_the_samples_given_and_the_scores(data):
    found = made(Perceptron(), passes=3, batch_size=30).fit(data)
    counted = [(row["pass"], row["samples"]) for row in found.history_]
    assert counted == [(1, 100), (2, 200), (3, 300)]
    other, right = Perceptron(), []
    for number, (X, y) in enumerate(data.flow(epochs=1, batch_size=30)):
        X = X.reshape(len(X), -1)
        right += [*(other.predict(X) == y)] if number else []
        other.partial_fit(X, y, classes=np.arange(10))
    assert found.history_[0]["progressive"] == pytest.approx(np.mean(right))
    X, y = next(data.flow("val", epochs=1, batch_size=1000))
    assert found.history_[0]["held_out"] == pytest.approx(other.score(X.reshape(len(X), -1), y))


def test_it_stops_once_it_is_happy(data):
    """S31: "break once you are happy"."""
    found = made(clone(MLP), passes=50, happy_at=0.5).fit(data)
    scores = [row["held_out"] for row in found.history_]
    assert len(scores) < 50
    assert scores[-1] >= 0.5 > max(scores[:-1], default=0)
    assert len(made(clone(MLP), passes=3, happy_at=2.0).fit(data).history_) == 3


def test_the_same_seed_learns_the_same(data):
    one, other = (made(clone(MLP), augment=True, passes=2).fit(data) for _ in range(2))
    np.testing.assert_array_equal(one.estimator_.coefs_[0], other.estimator_.coefs_[0])
    assert one.history_ == other.history_


def test_only_training_batches_are_augmented(data):
    fitted = (made(Watched(), augment=augment).fit(data) for augment in (False, True))
    plain, moved = (one.estimator_.told for one in fitted)
    assert not np.allclose(plain[0][1], moved[0][1])
    np.testing.assert_array_equal(plain[-1][1], moved[-1][1])  # the last held-out batch
    turned = made(Watched(), augment=True).fit(digits(augment={"rotation_range": 90}))
    assert not np.allclose(moved[0][1], turned.estimator_.told[0][1])  # the data's own options


@pytest.mark.parametrize(
    "estimator", [SGD, PASSIVE_AGGRESSIVE, Perceptron(), MLP], ids=lambda one: str(one)[:40]
)
def test_any_estimator_with_partial_fit_will_do(estimator):
    found = made(estimator, passes=3).fit(digits(batch_size=20))
    assert found.score(digits())["test/accuracy"] > 0.3  # a tenth is chance


@pytest.mark.parametrize("wrong", [LogisticRegression(), DummyClassifier()])
def test_one_without_partial_fit_is_refused_with_advice(wrong):
    refused(f"{type(wrong).__name__} has no partial_fit: take one", made, wrong)


def test_a_config_is_refused_before_any_work(command, tmp_path):
    """The command says it in one line, though the baseline is fitted last."""
    section = {**SECTION, "estimator": {"_target_": "sklearn.linear_model.LogisticRegression"}}
    line = command.failed("train", *as_overrides({"+baseline": section}), "~baseline.C")
    assert "LogisticRegression has no partial_fit" in line
    assert list(tmp_path.iterdir()) == []


def test_a_target_outside_the_allow_list_is_not_built():
    wanted = r"baseline\.estimator\._target_ is 'os.system': you have not named the package 'os'"
    refused(wanted, made, {"_target_": "os.system", "command": "true"})
    refused("no key named", made, {**SGD, "losss": "hinge"})


@pytest.mark.parametrize(("estimator", "name", "said"), [
    (SGDRegressor(), "digits", "SGDRegressor predicts values, and these data have classes"),
    (SGDClassifier(), "turned_digits", "SGDClassifier predicts classes, and these data have val"),
    (Perceptron(), "negated_reviews", "no flow of batches"),
])  # fmt: skip
def test_data_of_another_kind_than_the_estimator_learns_are_refused(estimator, name, said):
    refused(said, made(estimator).fit, opened(name, limit=32, batch_size=16))


def test_its_name_says_what_learned_and_from_what():
    assert made(SGD, augment=True).title == "SGDClassifier, batch by batch, augmented"
    assert schema.build(SECTION, "baseline").title == "SGDClassifier, batch by batch"


def test_long_work_has_a_progress_bar(data, monkeypatch, capsys):
    monkeypatch.setattr(module, "LONG", 1)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    assert [row["samples"] for row in made(Perceptron(), passes=2).fit(data).history_] == [100, 200]
    assert "Perceptron" in capsys.readouterr().err


def test_a_regressor_learns_standardised_targets_and_answers_in_degrees():
    """S06, S31: a hand-written loop gives the same errors."""
    data = degrees(limit=100)
    mean, std = data.info["target_mean"], data.info["target_std"]
    plain = SGDRegressor(random_state=0, eta0=1e-4)
    for X, y in data.flow(epochs=1):
        plain.partial_fit(X.reshape(len(X), -1), (y - mean) / std)
    found = made(SGDRegressor(random_state=0, eta0=1e-4)).fit(data)
    X, y = next(data.flow("test", epochs=1, batch_size=1000, shuffle=False))
    np.testing.assert_allclose(found.predict(X), plain.predict(X.reshape(100, -1)) * std + mean)
    scores = found.score(data)
    assert scores["test/mae"] == pytest.approx(np.abs(found.predict(X) - y).mean(), rel=1e-5)
    assert scores["test/mae_of_mean"] == pytest.approx(np.abs(y - mean).mean(), rel=1e-5)


def test_a_regressor_is_happy_with_a_small_error():
    data = degrees(limit=100)
    found = made(SGDRegressor(random_state=0, eta0=1e-4), passes=30, happy_at=25.0).fit(data)
    errors = [row["held_out"] for row in found.history_]
    assert errors[-1] <= 25 < min(errors[:-1], default=90)
    assert len(errors) < 30


def test_a_score_in_the_cache_is_of_the_same_augmentation(monkeypatch):
    """What else of the data's config it learns by: their digest does not tell it."""
    fitted = []
    monkeypatch.setattr(Incremental, "fit", lambda self, data: fitted.append(data) or self)
    monkeypatch.setattr(Incremental, "score", lambda self, data: {"test/accuracy": len(fitted)})
    section = {**SECTION, "augment": True}

    def scored(**options):
        return baseline_results(section, digits(augment=options))["baseline/test/accuracy"]

    assert scored(rotation_range=10) == scored(rotation_range=10) == 1
    assert scored(rotation_range=20) == 2
