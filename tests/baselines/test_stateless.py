"""Rows of transformers that learn nothing: computed once a sample, the same bits, a bound."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.svm import SVC

from datamodules.utilities.windows import Windows, cut
from zoo.baselines import stateless
from zoo.baselines.bands import LogBands
from zoo.baselines.frames import Motion, OfFrames
from zoo.baselines.gradients import GradientHistograms
from zoo.baselines.networks import NetworkFeatures
from zoo.baselines.pictures import ColourHistograms, Thumbnails
from zoo.baselines.stateless import TOGETHER, RowStore, Stateless
from zoo.metrics.choice import BestPipeline, take

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (30, 12, 10, 3), dtype=np.uint8)
CLIPS = RANDOM.integers(0, 256, (12, 4, 10, 10, 1), dtype=np.uint8)
SOUNDS = RANDOM.integers(0, 256, (12, 900))
LONG = cut([torch.from_numpy(row[: 300 + 50 * i]) for i, row in enumerate(SOUNDS)], 300)
SHOTS = cut([torch.from_numpy(clip) for clip in CLIPS], 2)


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(stateless, "STORE", RowStore())
    return stateless.STORE


@pytest.mark.parametrize(("transformer", "samples"), [
    (GradientHistograms(), PICTURES), (Thumbnails(4), PICTURES), (ColourHistograms(), PICTURES),
    (OfFrames(GradientHistograms()), CLIPS), (OfFrames(Thumbnails(), True), SHOTS),
    (Motion(), CLIPS), (Motion(), SHOTS), (LogBands(np.linspace(-1, 1, 256), 8000), SOUNDS),
    (LogBands(np.linspace(-1, 1, 256), 8000, 2), LONG),
    (NetworkFeatures("image_cnn.digits"), PICTURES),
])  # fmt: skip
def test_rows_are_those_of_one_computation_whichever_samples_are_beside_them(
    transformer, samples, store, monkeypatch
):
    expected, size = transformer.transform(samples), len(samples)
    np.testing.assert_allclose(expected, transformer.compute(samples), rtol=1e-4, atol=1e-5)
    half, mixed = np.arange(0, size, 2), RANDOM.integers(0, size, 2 * size)
    for rows in (half[:1], half[1:], half + 1):  # computed anew, one alone among them
        monkeypatch.setattr(stateless, "STORE", RowStore())
        assert np.array_equal(transformer.transform(take(samples, rows)), expected[rows])
    monkeypatch.setattr(stateless, "STORE", store)
    monkeypatch.setattr(type(transformer), "compute", None)  # from here on nothing is computed
    for rows in (half, half[:1], mixed):
        assert np.array_equal(transformer.transform(take(samples, rows)), expected[rows])
        assert np.array_equal(clone(transformer).fit_transform(take(samples, rows)), expected[rows])
    assert store.bytes == sum(row.nbytes for row in store.rows.values()) == expected.nbytes


class Sizes(Stateless):
    """The size of a sample in bytes, times a factor; it counts what it computes."""

    def __init__(self, factor=1):
        self.factor = factor

    def compute(self, X):
        inputs = X.inputs if isinstance(X, Windows) else X
        COMPUTED.append(len(X))
        return np.array([[self.factor * len(one)] for one in inputs], float)[: len(X)]


COMPUTED = []


def test_each_sample_is_computed_once_over_all_folds_and_choices(store):
    COMPUTED.clear()
    texts = ["a" * (i + 1) for i in range(20)] + ["b" * (i + 40) for i in range(20)]
    labels = np.repeat([0, 1], 20)
    machines = [SVC(C=C) for C in (0.1, 1, 10)]
    for part in (np.arange(0, 40, 2), np.arange(40), np.arange(1, 40, 2)):
        best = BestPipeline([("size", Sizes(), machines)], folds=3)
        assert best.fit(take(texts, part), labels[part]).predict(texts).tolist() == labels.tolist()
    assert COMPUTED == [TOGETHER] * (40 // TOGETHER)


def test_other_samples_types_shapes_and_parameters_have_other_rows(store):
    COMPUTED.clear()
    flat = np.zeros((1, 8), np.uint8)
    samples = [flat, flat.astype(np.int8), flat.reshape(1, 4, 2), flat.reshape(1, 2, 4)]
    windows = [cut([torch.zeros(8)], length) for length in (4, 8)]
    for sample in (*samples, *windows, ["\0" * 8], ["\ud800"]):
        Sizes().transform(sample)
        Sizes(2).transform(sample)
    assert len(store.rows) == len(COMPUTED) == 16
    Sizes().transform([[1, 2], [3]])  # neither texts nor arrays
    for side, changes in ((4, False), (5, False), (4, True)):
        OfFrames(Thumbnails(side), changes).transform(CLIPS[:1])
    for level in (0.0, 1.0):
        LogBands(np.full(256, level), 8000).transform(SOUNDS[:1])
    assert len(store.rows) == 16 + 3 + 2


def test_the_store_has_a_bound_and_keeps_what_is_in_use():
    store, rows = RowStore(80), {bytes([i]): np.full(2, i, float) for i in range(6)}  # 16 bytes
    for key in rows:
        store.get([b"\0"])
        store.put({key: rows[key]})
    assert ([*store.rows], store.bytes) == ([b"\2", b"\3", b"\4", b"\0", b"\5"], 80)
    store.put(rows)  # together more than there is room for
    assert ([*store.rows], store.bytes) == ([b"\2", b"\3", b"\4", b"\0", b"\5"], 80)
    store.put({b"\3": np.zeros(10)})
    assert ([*store.rows], store.bytes) == ([b"\3"], 80)


def test_threads_have_the_same_rows(store):
    store.most = 4000  # rows come and go
    expected = Thumbnails(4).transform(PICTURES)
    parts = [RANDOM.permutation(30)[:20] for _ in range(60)]
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda rows: Thumbnails(4).transform(PICTURES[rows]), parts)
        for rows, own in zip(parts, made, strict=True):
            assert np.array_equal(own, expected[rows])
    assert store.bytes == sum(row.nbytes for row in store.rows.values()) <= 4000
