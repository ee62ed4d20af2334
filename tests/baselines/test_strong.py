"""The strong baselines: their features against oracles, the choice by folds, probabilities."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

import zoo
from datamodules.inputs.sound import SoundInput
from datamodules.utilities.windows import cut
from tests.data import arrays_of
from zoo.baselines.bands import LogBands, StrongSounds, amplitudes_of, moments
from zoo.baselines.frames import StrongClips, drift
from zoo.baselines.gradients import GradientHistograms, nearness
from zoo.baselines.ngrams import StrongTexts
from zoo.baselines.pictures import ColourHistograms, StrongPictures, Thumbnails
from zoo.baselines.strong import MANY, BlockScaler
from zoo.catalog.compose import compose
from zoo.metrics.choice import ABSENT, BestPipeline, divide, scores_of, subset, temperature

OPTIONS = {"folds": 3, "choose_on": 60, "network": None, "random_state": 0}
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("turn", "orientation"), [(False, 0), (True, 2)])
def test_an_edge_votes_for_its_orientation_and_no_other(turn, orientation):
    """Of four orientations; two columns of pixels have the gradient 1, and lie in 2 x 2 cells."""
    picture = np.zeros((1, 8, 8, 1), np.uint8)
    picture[:, :, 4:] = 255
    picture = picture.swapaxes(1, 2) if turn else picture
    votes = GradientHistograms(cells=2, orientations=4).histograms(picture)
    assert votes[..., orientation].sum() == pytest.approx(2 * 8 if not turn else 16)
    assert np.delete(votes, orientation, 3).sum() == pytest.approx(0)
    np.testing.assert_allclose(votes[0, :, :, orientation], 4)
    np.testing.assert_allclose(nearness(8, 2).sum(0), 1)  # a pixel votes once
    rows = GradientHistograms(cells=2, orientations=4).transform(picture)
    assert rows.shape == (1, 16)
    assert rows[rows > 0] == pytest.approx([0.5] * 4, abs=1e-3)  # one block of length 1


def test_pixels_and_colours_by_hand():
    picture = np.zeros((1, 4, 4, 3), np.uint8)
    picture[0, :2] = [255, 0, 64]  # levels 3, 0, 1 of 4
    colours = ColourHistograms().transform(picture)[0]
    assert np.flatnonzero(colours).tolist() == [0, 3 + 16]
    assert colours[[0, 19]] == pytest.approx([0.5**0.5] * 2)
    small = Thumbnails(2).transform(picture).reshape(2, 2, 3)
    assert small[0, 0, 0] > 0.8
    assert small[1, 1, 0] < 0.2
    np.testing.assert_allclose(Thumbnails(4).transform(picture)[0], picture.ravel() / 255)
    assert BlockScaler().fit_transform(RANDOM.normal(size=(9, 5))).var(0).sum() == pytest.approx(1)


def test_bands_in_parts_by_hand_and_over_windows():
    bands = np.array([[[0.0], [2.0], [5.0], [5.0]]])
    # mean, deviation, and the mean change, of which the last frame has none
    assert moments(bands, 2)[0].tolist() == [1, 1, 1, 5, 0, 0]
    sounds = RANDOM.integers(0, 256, (3, 800)).astype(np.uint8)
    sound_input = SoundInput(sample_rate=8000, levels=256, length=800)
    amplitudes = amplitudes_of(sound_input)
    waves = sound_input.restore(torch.from_numpy(sounds))
    np.testing.assert_array_equal(amplitudes[sounds], np.stack(waves))
    model = LogBands(amplitudes, 8000, bands=5)
    rows = model.transform(sounds)
    whole = cut([torch.from_numpy(sounds[:1].ravel()), torch.from_numpy(sounds[1:].ravel())], 800)
    np.testing.assert_allclose(model.transform(whole), [rows[0], rows[1:].mean(0)])


def test_the_drift_of_a_clip_tells_its_direction():
    ramp = np.clip(40 * np.arange(20) - 200, 0, 255)
    clip = np.stack([np.tile(np.roll(ramp, i), (20, 1)) for i in range(4)])[None, ..., None]
    right, left = drift(clip, 1)[0], drift(clip[:, ::-1], 1)[0]
    assert right[1] < -1e-3
    assert left == pytest.approx(-right)
    assert right[0] == 0


def test_the_better_candidate_is_chosen_and_fitted_on_all():
    X = RANDOM.normal(size=(90, 2))
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [-0.5, 0.5])]
    plain = FunctionTransformer()
    candidates = [
        ("none", plain, [DummyClassifier()]), ("linear", plain, [LogisticRegression(C=99.0)]),
    ]  # fmt: skip
    model = clone(BestPipeline(candidates, folds=3, choose_on=60)).fit(X, y)
    assert model.name_ == "linear"
    assert model.accuracy_ == model.accuracies_["linear"] > 0.8
    own = LogisticRegression(C=99.0).fit(X, y)
    assert model.predict(X).tolist() == own.predict(X).tolist()
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)
    assert (model.predict_proba(X).argmax(1) == own.predict_proba(X).argmax(1)).all()


def test_the_temperature_undoes_what_scores_were_multiplied_by():
    labels = (RANDOM.random(4000) < 0.8).astype(int)
    scores = np.tile([0.0, np.log(4)], (4000, 1)) * 7  # the odds of 0.8, too sure
    assert temperature(scores, labels) == pytest.approx(7, rel=0.15)


@pytest.mark.parametrize(("counts", "folds", "scored"), [
    ((9, 9), 3, 18), ((9, 2), 2, 11), ((9, 9, 1), 3, 18), ((9, 1), 0, 0), ((5,), 0, 0),
])  # fmt: skip
def test_folds_hold_out_each_sample_once_but_for_a_class_of_one(counts, folds, scored):
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = divide(labels, 3, 0)
    assert len(parts) == folds
    assert len(np.unique([*np.concatenate([b for _, b in parts] or [[]])])) == scored
    assert all({*labels[a]} == {*labels} and not {*a} & {*b} for a, b in parts)
    some = BestPipeline([("one", FunctionTransformer(), [LogisticRegression()])], folds=3)
    if len(counts) < 2 or folds == 0:
        some.fit(np.arange(len(labels))[:, None], labels)
        assert np.isnan(some.accuracy_)
        assert some.predict(np.zeros((2, 1))).tolist() == [0, 0]


def test_a_subset_has_the_classes_in_proportion_and_unseen_ones_a_low_score():
    labels = np.repeat([0, 1], [80, 20])
    assert np.bincount(labels[subset(labels, 10, 0)]).tolist() == [8, 2]
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 2])
    assert scores_of(model, [[0.5]], 3)[0].tolist() == pytest.approx([0, ABSENT, 0], abs=1e-6)


def test_clips_have_the_mean_and_deviation_of_what_a_network_sees_of_their_frames():
    """And a machine on these alone, or beside the frames; above `MANY` clips none is asked."""
    model = StrongClips(**{**OPTIONS, "network": "image_cnn.digits"})
    (seen,) = model.network_features(40)
    clips = RANDOM.integers(0, 256, (2, 3, 40, 36, 1)).astype(np.uint8)
    frames = [zoo.load("image_cnn.digits").features([*clip]).numpy() for clip in clips]
    oracle = np.stack([np.concatenate([one.mean(0), one.std(0)]) for one in frames])
    np.testing.assert_allclose(seen.transform(clips), oracle, rtol=0, atol=1e-5)
    names = {"features_image_cnn.digits", "rbf_svm_image_cnn.digits"}
    assert names < model.candidates(clips, None).keys()
    assert not names & model.candidates(range(MANY + 1), None).keys()
    assert not names & StrongClips(**OPTIONS).candidates(clips, None).keys()


def texts(count):
    return [f"it was {'good' if i % 2 else 'bad'} {i % 7}" for i in range(count)]


def pictures(*shape):
    values = RANDOM.integers(0, 60, (40, *shape)).astype(np.uint8)
    values[1::2, ..., :4, :, :] += 150
    return values


@pytest.mark.parametrize(("kind", "samples"), [
    (StrongPictures, pictures(9, 8, 3)), (StrongPictures, pictures(9, 8, 1)),
    (StrongTexts, texts(40)), (StrongClips, pictures(3, 9, 8, 1)),
    (StrongSounds, pictures(50, 8, 1).reshape(40, 400)),
])  # fmt: skip
def test_each_learns_what_is_plain_and_is_an_estimator(kind, samples):
    labels = np.arange(40) % 2
    data = arrays_of((samples, labels), (samples, labels))
    data.input = SoundInput(sample_rate=8000, levels=256, length=400)
    model = clone(kind(**OPTIONS))
    assert model.fit(data).score(data) == {"test/accuracy": 1.0}
    assert model.title in model.classifier_.accuracies_
    assert model.classifier_.predict_proba(samples).shape == (40, 2)


@pytest.mark.parametrize(("words", "target"), [
    (["data=image_folder"], "pictures.StrongPictures"),
    (["data=labelled_text", "model=text_lstm"], "ngrams.StrongTexts"),
    (["data=audio_folder"], "bands.StrongSounds"), (["data=video_folder"], "frames.StrongClips"),
    (["data=audio_folder", "model=wavenet"], "sound.MarkovModel"),  # judged by bits
    (["data=image_folder", "model=gan"], "generation.PCAGaussian"),
])  # fmt: skip
def test_own_data_bring_their_baseline_where_classes_are_judged(words, target):
    baseline = compose([*words, "data.source=x"])["baseline"]
    assert baseline["_target_"] == f"zoo.baselines.{target}"


def test_overrides_of_it_have_the_last_word():
    own = ["data=image_folder", "data.source=x"]
    assert compose([*own, "baseline=null"])["baseline"] is None
    assert compose([*own, "baseline.folds=2"])["baseline"]["folds"] == 2
