"""Samples of the pool as a page shows them: the same as those of the splits."""

import numpy as np
import pytest

from tests.data import opened
from zoo.automl.names import sample_names
from zoo.automl.raws import raw_samples


@pytest.mark.parametrize(("name", "axes", "rate"), [
    ("image_folder", 3, 0), ("labelled_text", 0, 0), ("video_folder", 4, 0),
    ("audio_folder", 1, 8000),
])  # fmt: skip
def test_raw_samples_are_those_of_their_place_in_the_pool(name, axes, rate, tiny):
    data = opened(name, **tiny(name))
    count = sum(len(rows) for rows in data.pool.values())
    shown, its_rate = raw_samples(data, range(count))
    assert (sorted(shown), its_rate) == (list(range(count)), rate)
    if name == "labelled_text":
        assert [shown[place][:80] for place in range(count)] == sample_names(data)
        return
    kinds = {(one.ndim, one.dtype.kind) for one in shown.values()}
    assert kinds == {(axes, "f" if rate else "u")}
    place = int(data.pool["val"][0])
    assert raw_samples(data, [place])[0].keys() == {place}
    if name == "image_folder":
        np.testing.assert_array_equal(shown[place], data.arrays("val")[0][0])
    assert raw_samples(data, []) == ({}, rate)
