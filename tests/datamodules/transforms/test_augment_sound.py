"""Sounds that are moved, made louder and given noise: by hand, and by what the draws are of."""

import numpy as np
import pytest
import torch

from datamodules.inputs.sound import decode, encode
from datamodules.transforms.augment_sound import AugmentSound, rms
from datamodules.utilities.draws import Key

LEVELS = np.arange(256)
TABLES = [torch.from_numpy(decode(one, 256)) for one in (LEVELS, LEVELS[1:] - 0.5)]
IDS = torch.randint(60, 190, (6, 400), generator=torch.Generator().manual_seed(0))
ALL = {"shift_range": 0.2, "gain_db": 6.0, "noise": 0.5}


def augment(options, ids=IDS, **place):
    key = {"seed": 0, "epoch": 1, "batch": 2, "size": len(ids), "start": 0, "stop": len(ids)}
    return AugmentSound(options, *TABLES)(ids, Key(**{**key, **place}))


def test_the_tables_are_the_inputs_own():
    waves = torch.linspace(-1, 1, 5001)
    wanted = torch.from_numpy(encode(waves.numpy(), 256)).long()
    assert torch.equal(torch.bucketize(waves, TABLES[1], right=True), wanted)
    assert torch.equal(torch.bucketize(TABLES[0], TABLES[1], right=True), torch.arange(256))


def test_what_is_moved_leaves_silence_behind():
    ids = torch.tensor([[1, 2, 3, 4]] * 4)
    moved = AugmentSound({}, *TABLES).shift(ids, torch.tensor([0, 1, -2, 4]))
    assert moved.tolist() == [[1, 2, 3, 4], [128, 1, 2, 3], [3, 4, 128, 128], [128] * 4]
    for row, old in zip(augment({"shift_range": 0.2}), IDS, strict=True):
        assert any(torch.equal(row.roll(-by)[80:-80], old[80:-80]) for by in range(-80, 81))


def test_gain_is_in_decibels_and_noise_a_share_of_the_loudness():
    ids = torch.full((500, 1000), 180)
    wave = TABLES[0][ids]
    factors = (TABLES[0][augment({"gain_db": 6.0}, ids)] / wave)[:, 0]
    assert 0.49 < factors.min() < 0.52
    assert 1.9 < factors.max() < 2.05
    share = rms(TABLES[0][augment({"noise": 0.5}, ids)] - wave) / wave[:, :1]
    assert share.max() == pytest.approx(0.5, abs=0.03)
    assert share.mean() == pytest.approx(0.25, abs=0.03)


def test_draws_are_of_the_global_batch_seed_and_epoch():
    whole = augment(ALL)
    assert torch.equal(augment(ALL, IDS[2:5], size=6, start=2, stop=5), whole[2:5])
    assert torch.equal(augment(ALL), whole)
    for other in ({"seed": 1}, {"epoch": 2}, {"batch": 3}):
        assert not torch.equal(augment(ALL, **other), whole)
    assert augment({}) is IDS
