"""Windows of what is long: where they begin, and means over them (S89)."""

import numpy as np
import pytest
import torch

from datamodules.utilities.windows import Windows, cut, one_window, starts_in


@pytest.mark.parametrize(("length", "window", "most", "wanted"), [
    (4, 4, 9, [0]), (5, 4, 9, [0, 1]), (8, 4, 9, [0, 4]), (10, 4, 9, [0, 3, 6]),
    (100, 4, 3, [0, 48, 96]), (100, 4, 1, [0]), (12, 4, None, [0, 4, 8]),
])  # fmt: skip
def test_windows_cover_a_recording_from_its_start_to_its_end(length, window, most, wanted):
    assert starts_in(length, window, most) == wanted


@pytest.mark.parametrize("length", range(3, 40))
def test_as_few_windows_as_leave_nothing_out(length):
    starts = starts_in(length, 3)
    covered = {start + i for start in starts for i in range(3)}
    assert covered == set(range(length))
    assert len(starts) == -(-length // 3)


@pytest.fixture
def windows():
    """Of three recordings of 3, 7 and 4 numbers: one, three and two."""
    return cut([torch.arange(3.0), 10 + torch.arange(7.0), 20 + torch.arange(4.0)], 3)


def test_windows_are_slices_of_their_recordings(windows):
    wanted = [[0, 1, 2], [10, 11, 12], [12, 13, 14], [14, 15, 16], [20, 21, 22], [21, 22, 23]]
    assert windows.inputs.tolist() == wanted
    assert windows.counts.tolist() == [1, 3, 2]
    assert windows.starts.tolist() == [0, 0, 2, 4, 0, 1]
    assert len(windows) == 3
    assert windows.middle().tolist() == [wanted[0], wanted[2], wanted[5]]
    assert windows.last().tolist() == [wanted[0], wanted[3], wanted[5]]
    assert one_window(windows.inputs) is windows.inputs


def test_some_recordings_keep_their_windows(windows):
    assert windows[[2, 0]].inputs.tolist() == windows.inputs[[4, 5, 0]].tolist()
    assert windows[1:].starts.tolist() == [0, 2, 4, 0, 1]
    parts = list(windows.split(4))
    assert [part.counts.tolist() for part in parts] == [[1, 3], [2]]
    assert [part.counts.tolist() for part in windows.split(1)] == [[1], [3], [2]]
    assert torch.equal(torch.cat([part.inputs for part in parts]), windows.inputs)


def test_means_are_numpys(windows):
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).double()
    shares = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    wanted = np.stack([part.mean(0) for part in np.split(shares, [1, 4])])
    np.testing.assert_allclose(windows.mean(torch.from_numpy(shares)), wanted)
    np.testing.assert_allclose(windows.log_mean(logits).exp(), wanted)
    two = torch.arange(24.0).view(12, 2)  # two rows a window
    wanted = [[0, 1], [2, 3], [8, 9], [10, 11], [18, 19], [20, 21]]
    assert windows.mean(two).tolist() == wanted


def test_a_sure_window_against_another_has_no_infinite_loss():
    """Probabilities that are zero in float32 would have the logarithm -inf."""
    sure = Windows(torch.zeros(2, 1), torch.tensor([2]), torch.zeros(2))
    logits = torch.tensor([[500.0, 0.0, -500.0], [0.0, 500.0, -500.0]])
    torch.testing.assert_close(sure.log_mean(logits)[0, :2].exp(), torch.tensor([0.5, 0.5]))
    assert torch.isfinite(sure.log_mean(logits)).all()
