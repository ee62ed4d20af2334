"""Sounds as pictures: the log-mel front end, stripes that are blanked, what is left of pitch."""

import numpy as np
import pytest
import torch

from tests.data import refused, seeded
from zoo.baselines.sound import log_mel
from zoo.sound_cnn import LogMel, stripes


@pytest.mark.parametrize(("rate", "window", "bands"), [(8000, 256, 40), (4000, 100, 12)])
def test_the_front_end_is_the_log_mel_spectrogram(rate, window, bands):
    """Of the baseline, by NumPy's Fourier transform; frames that overlap by half."""
    waves = np.random.default_rng(0).uniform(-1, 1, (3, 3000))
    found = LogMel(rate, window, window // 2, bands).double()(torch.from_numpy(waves))
    np.testing.assert_allclose(found.mT, log_mel(waves, rate, window, bands), atol=2e-4)


def test_stripes_are_as_wide_as_drawn_and_fit():
    draws = torch.tensor([[[0.0, 0.99], [0.5, 0.0]], [[0.7, 0.99], [0.0, 0.999]]])
    found = stripes(draws, 10, 0.4)  # widths up to 4: 0 and 4; 3 and 4
    assert found.int().tolist() == [[1, 1, 1, 1, *[0] * 6], [1, 1, 1, 0, 0, 0, *[1] * 4]]
    most = stripes(torch.rand(2000, 2, 1), 10, 0.4)
    assert most.sum(1).bincount().tolist() == pytest.approx([400] * 5, rel=0.25)
    assert most.any(0).all()


def test_only_training_blanks_bands_and_frames_whole():
    model = seeded("sound_cnn", mask_bands=0.5, mask_frames=0.5)
    picture = torch.ones(8, 40, 30)
    blanked = model.blank(picture) == 0
    rows, columns = blanked.all(2, keepdim=True), blanked.all(1, keepdim=True)
    assert rows.any()
    assert columns.any()
    assert torch.equal(blanked, rows | columns)
    ids = torch.randint(256, (2, 3000))
    assert torch.equal(model(ids), model(ids))
    assert not torch.equal(model.train()(ids), model(ids))


def test_features_tell_where_a_pitch_is_but_not_when():
    """A band moved up is another place among them; a sound twice as long is the same."""
    model = seeded("sound_cnn", widths=[2, 3])
    ids = torch.randint(256, (1, 8192))
    features = model.forward_features(ids)
    assert features.shape == (1, 10 * 3)  # 40 bands, halved twice
    tone = torch.zeros(1, 1, 40, 8)
    tone[:, :, 4:8] = 1
    low, high = (model.blocks(one).mean(3)[0] for one in (tone, tone.roll(8, 2)))
    torch.testing.assert_close(low[:, 1:4], high[:, 3:6])


def test_short_sounds_end_in_silence_and_bands_are_enough():
    model, short = seeded("sound_cnn"), torch.randint(256, (2, 100))
    assert model.least == 256 + 7 * 128
    silence = torch.full((2, model.least - 100), 128)
    torch.testing.assert_close(
        model(short), model(torch.cat([short, silence], 1)), atol=0.3, rtol=0
    )
    refused(r"bands is 7: 3 blocks .* 8 at least", seeded, "sound_cnn", bands=7)
