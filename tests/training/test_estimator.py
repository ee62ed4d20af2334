"""Models in scikit-learn's shape: what its users expect, of all kinds of samples (S06)."""

import os
import pickle
import random
import tempfile

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import zoo
from datamodules.sources.rows import Rows, Source
from tests.data import refused
from zoo.training import estimator as module
from zoo.utilities.errors import Stopped

SMALL = {"model__widths": [4, 8], "trainer__max_steps": 2, "data__batch_size": 8}
X, Y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8) / 16
TWO = np.flatnonzero(Y < 2)[:40]  # zeros and ones
PICTURES, LABELS = X[TWO], np.array(["nought", "one"])[Y[TWO]]


def small(name="image_cnn", **overrides):
    return zoo.Estimator(name, **{**SMALL, **overrides})


@pytest.fixture(scope="module")
def fitted():
    return small().fit(PICTURES, LABELS)


def test_it_leaves_and_says_nothing_and_draws_from_no_generator_of_the_caller(
    capfd, tmp_path, tmp_path_factory, monkeypatch
):
    """Neither in the working directory nor in the cache nor among temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("ZOO_CACHE", str(cache := tmp_path_factory.mktemp("own")))
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    small().fit(PICTURES, LABELS)
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert (states, *capfd.readouterr()) == (after, "", "")
    assert (os.listdir(), [*cache.glob("image_folder*")]) == ([], [])
    small(verbose=True).fit(PICTURES, LABELS)
    assert "36 train / 4 val" in capfd.readouterr().err


@pytest.mark.parametrize("kind", [str, object, bool, np.int8])
def test_labels_of_any_type_come_back(kind):
    labels = (LABELS if kind in (str, object) else Y[TWO]).astype(kind)
    model = small().fit(list(PICTURES), labels)
    answers = model.predict(PICTURES)
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    assert (answers.dtype, answers.shape) == (labels.dtype, (40,))
    assert model.score(PICTURES, labels) == (answers == labels).mean()


def test_probabilities_are_those_of_the_network_also_of_pictures_that_are_inverted(fitted):
    """The training pictures are dark at the rim; X is taken as it is."""
    for pictures in (PICTURES, 1 - PICTURES):
        levels = torch.tensor((pictures * 255).round(), dtype=torch.float32)[:, None] / 255
        mean, std = fitted.model_.input.mean[0], fitted.model_.input.std[0]
        with torch.inference_mode():
            expected = fitted.model_((levels - mean) / std).softmax(1).numpy()
        found = fitted.predict_proba(pictures)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_array_equal(fitted.predict(pictures), fitted.classes_[found.argmax(1)])
    assert log_loss(LABELS, found) > 0  # which warns where a row does not sum to one


def test_the_same_seed_learns_the_same_and_another_seed_something_else(fitted):
    expected = fitted.predict_proba(PICTURES)
    again = pickle.loads(pickle.dumps(fitted))
    for model in (again, clone(fitted).fit(PICTURES, LABELS)):
        np.testing.assert_array_equal(model.predict_proba(PICTURES), expected)
    other = clone(fitted).set_params(seed=1).fit(PICTURES, LABELS)
    assert np.abs(other.predict_proba(PICTURES) - expected).max() > 1e-4


def test_parameters_are_kept_as_they_came_and_any_of_the_config_can_be_set():
    widths = [4, 8]
    model = zoo.Estimator("image_cnn", model__widths=widths, seed=3)
    params = {"experiment": "image_cnn", "verbose": False, "model__widths": widths, "seed": 3}
    assert model.get_params() == params
    assert model.get_params()["model__widths"] is widths
    other = clone(model).set_params(model__dropout=0.5, experiment="image_mlp")
    assert other.get_params() == {**params, "experiment": "image_mlp", "model__dropout": 0.5}
    assert model.get_params() == params
    assert repr(model) == "Estimator(model__widths=[4, 8], seed=3)"
    refused("no parameter named 'modle__dropout': there are", model.set_params, modle__dropout=1)


def test_a_search_behind_a_pipeline_tries_each_value_on_each_fold():
    """Rows of a table become pictures in it; numpy's numbers are values as others."""
    steps = FunctionTransformer(lambda table: table.reshape(-1, 8, 8)), small()
    grid = {"estimator__model__dropout": np.array([0.0, 0.5])}
    search = GridSearchCV(make_pipeline(*steps), grid, cv=2, scoring="neg_log_loss")
    search.fit(PICTURES.reshape(-1, 64), LABELS)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]
    best = search.best_estimator_[-1]
    assert best.model_.hparams["dropout"] == search.best_params_["estimator__model__dropout"]


def test_the_best_by_validation_is_kept():
    """By the lowest epoch that is the first one: as if learning had ended there."""
    options = {"trainer__max_steps": -1, "model__optimizer__schedule": "constant"}
    ends = small(trainer__max_epochs=1, **options).fit(PICTURES, LABELS)
    goes_on = small(trainer__max_epochs=3, monitor="epoch", mode="min", **options)
    last = clone(goes_on).set_params(mode="max").fit(PICTURES, LABELS).predict_proba(PICTURES)
    best = goes_on.fit(PICTURES, LABELS).predict_proba(PICTURES)
    np.testing.assert_array_equal(best, ends.predict_proba(PICTURES))
    assert (best != last).any()


def test_rows_in_memory_are_divided_by_their_classes(tmp_path):
    rows = Rows(list(X[:200]), Y[:200].astype(np.int64))
    data = zoo.create_data("image_folder", source=None)
    test = rows.take(np.array([0]))
    data.use_rows(Source({"train": rows, "test": test}, [*"0123456789"]), tmp_path / "arrays")
    data.prepare_data()
    data.setup("fit")
    assert data.info["samples"] == {"train": 180, "val": 20, "test": 1}
    assert np.bincount(data.arrays("val")[1]).tolist() == [2] * 10


def sounds():
    time = np.arange(400) / 8000
    return [np.sin(2 * np.pi * pitch * time) for pitch in np.linspace(300, 900, 20)]


CLIPS = np.linspace(0, 200, 4)[:, None, None] * np.ones((20, 4, 16, 16))
TINY = {  # what each kind of model takes: samples, overrides
    "text_cnn": (["bad film", "good film"] * 10, {"model__filters": 4}),
    "sound_classifier": (
        np.stack(sounds()),
        {"data__seconds": 0.05, "model__channels": 4, "model__skip_channels": 4},
    ),
    "video_conv3d": (CLIPS.astype(np.uint8), {"data__image_size": 16, "model__widths": [4, 4]}),
    "video_unfolded": (CLIPS.astype(np.uint8), {"data__image_size": 16, "data__frames": 4}),
    "image_cnn": (PICTURES[:20], {"init": "image_cnn.digits", "model__widths": [32, 64, 128]}),
}


@pytest.mark.parametrize("name", TINY)
def test_every_kind_of_sample_is_learned_from(name):
    samples, overrides = TINY[name]
    keep = {} if name.startswith(("text", "sound")) else {"model__widths": [4, 8]}
    model = zoo.Estimator(name, trainer__max_steps=2, data__batch_size=4, **{**keep, **overrides})
    labels = np.tile([3, 5], 10)
    shares = model.fit(samples, labels).predict_proba(samples)
    assert (shares.shape, model.classes_.tolist()) == ((20, 2), [3, 5])
    np.testing.assert_allclose(shares.sum(1), 1)


def test_files_are_read_and_one_that_is_broken_is_said(tmp_path):
    paths = []
    for i, picture in enumerate(PICTURES):
        paths.append(str(tmp_path / f"{i}.png"))
        Image.fromarray((picture * 255).astype(np.uint8)).save(paths[-1])
    (tmp_path / "3.png").write_bytes(b"no picture")
    refused("row 3 of X: .*3.png is no picture", small().fit, paths, LABELS)
    model = small(data__broken="skip")
    with pytest.warns(UserWarning, match=r"1 sample.s. left out: row 3 of X"):
        model.fit(np.array(paths), LABELS)
    assert model.predict([paths[0]]).shape == (1,)


def test_values_of_pictures_are_learned_in_their_own_unit():
    values = X.mean((1, 2)) * 1000
    model = small("image_regressor", trainer__max_steps=40, data__batch_size=16)
    model.fit(X[:200], values[:200])
    found = model.predict(X[200:300])
    assert model.model_.hparams["target_mean"] == pytest.approx(values[:200].mean(), rel=0.02)
    residual = ((values[200:300] - found) ** 2).sum() / (100 * values[200:300].var())
    assert model.score(X[200:300], values[200:300]) == pytest.approx(1 - residual)
    assert residual < 1  # nearer than the mean
    assert is_regressor(model)
    assert not hasattr(model, "predict_proba")
    assert is_classifier(small())


WRONG = {  # what is refused, and by which words
    "one class": (PICTURES, ["a"] * 40, "y has 1 class, a: two or more"),
    "a lone label": (PICTURES, ["b"] + ["a"] * 39, "y has 1 sample of the class b: two or more"),
    "values": (PICTURES, np.linspace(0, 1, 40), "Unknown label type: continuous"),
    "no labels": (PICTURES, None, "requires y to be passed"),
    "a missing label": (PICTURES, [np.nan] + [1.0] * 39, "Input y contains NaN"),
    "types mixed": (PICTURES, np.array(["a", 1] * 20, object), "y holds labels of several types"),
    "fewer labels": (PICTURES, LABELS[:30], "inconsistent numbers of samples"),
    "a table": (PICTURES.reshape(40, -1), LABELS, r"shape \(40, 64\): pictures \(N, H, W\)"),
    "one text": ("a text", LABELS, "X is a str: pictures"),
    "nothing": ([], [], "X has 0 samples"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_learned_from_is_refused_in_a_line(case):
    samples, labels, said = WRONG[case]
    assert "\n" not in refused(said, small().fit, samples, labels)


@pytest.mark.parametrize(
    ("name", "overrides", "said"),
    [
        ("gan", {}, "gan learns no labels: an Estimator takes"),
        ("wavenet", {}, "wavenet learns no labels"),
        ("cbow", {}, "cbow learns no labels"),
        ("image_cn", {}, "no model named 'image_cn': did you mean 'image_cnn'"),
        ("image_cnn", {"model__dropuot": 0.5}, "no key named 'model.dropuot'"),
        ("image_cnn", {"data__source": "pets"}, "data__source is 'pets': the samples are"),
        ("image_cnn", {"trainer__devices": 2}, "an Estimator learns on one device: 2"),
    ],
)
def test_a_wrong_parameter_is_refused_in_a_line(name, overrides, said):
    model = zoo.Estimator(name, **overrides)
    assert "\n" not in refused(said, model.fit, PICTURES, LABELS)


def test_what_was_not_fitted_answers_nothing_and_ctrl_c_ends_a_search(monkeypatch):
    with pytest.raises(NotFittedError):
        small().predict(PICTURES)

    def stop(*_):
        raise Stopped(2)

    monkeypatch.setattr(module, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(small(), PICTURES, LABELS, cv=2)


ELSE = {  # of scikit-learn's checks, and why
    "check_do_not_raise_errors_in_init_or_set_params": "it sets `overrides`, which is no parameter",
    "check_dtype_object": "what cannot be read is a ValueError, not a TypeError",
    "check_n_features_in": "a sound may be of another length",
    "check_n_features_in_after_fitting": "a sound may be of another length",
    "check_estimators_empty_data_messages": "sounds have no features: `has no samples`, we say",
    "check_estimators_nan_inf": "`values that are not finite`, we say",
    "check_fit2d_predict1d": "the shapes that are wanted are said, not to reshape",
    "check_fit_idempotent": "waves are in [-1, 1], and these reach 100",
    "check_fit_check_is_fitted": "waves are in [-1, 1], and these reach 100",
    "check_classifiers_train": "three columns of numbers are no sound to tell classes by",
}


@pytest.mark.slow
def test_the_checks_of_scikit_learn_hold_that_apply():
    """Of tables, which sounds of one length are to it: all others skip its checks."""
    tiny = {"channels": 4, "skip_channels": 4, "layers": 2, "stacks": 1, "window": 2, "stride": 2}
    model = zoo.Estimator(
        "sound_classifier", model=tiny, trainer__max_epochs=1, data__batch_size=4,
        data__seconds=0.008, data__sample_rate=1000,
    )  # fmt: skip
    results = check_estimator(model, on_fail=None, on_skip=None, expected_failed_checks=ELSE)
    assert not [r["check_name"] for r in results if r["status"] == "failed"]
    assert {r["check_name"] for r in results if r["status"] == "xfail"} == ELSE.keys()
    assert sum(r["status"] == "passed" for r in results) > 40


@pytest.mark.slow
def test_a_search_in_two_processes_finds_what_one_finds():
    grid, scores = {"model__dropout": [0.0, 0.5]}, []
    for jobs in (1, 2):
        search = GridSearchCV(small(), grid, cv=2, n_jobs=jobs, scoring="neg_log_loss")
        scores.append(search.fit(PICTURES, LABELS).cv_results_["mean_test_score"])
    np.testing.assert_allclose(*scores, rtol=1e-4)
