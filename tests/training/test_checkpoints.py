"""Checkpoint files: whole or not there, whenever the process ends; damage is always found."""

import errno
import os

import numpy as np
import pytest
import torch

from tests.data import refused
from zoo.training import checkpoints
from zoo.training.checkpoints import VerifiedIO, is_intact, load, newest, write
from zoo.training.run import Run
from zoo.utilities.errors import code, line


class Killed(BaseException):
    """The end of the process, as far as the code under test can tell."""


def content(step):
    return {"global_step": step, "state_dict": {"weight": torch.full((8,), float(step))}}


@pytest.fixture
def run(tmp_path):
    """A run with checkpoints after steps 9 and 10."""
    for step in (9, 10):
        VerifiedIO().save_checkpoint(content(step), tmp_path / f"checkpoints/last-{step}.ckpt")
    return Run(tmp_path)


def test_what_is_saved_is_loaded_without_pickle_in_the_order_of_steps_not_names_or_times(run):
    os.utime(run.lasts[1])
    assert [path.name for path in run.lasts] == ["last-10.ckpt", "last-9.ckpt"]
    found = load(run.lasts[0])
    assert found["global_step"] == 10
    assert torch.equal(found["state_dict"]["weight"], torch.full((8,), 10.0))


def test_data_reach_the_disk_before_their_name_and_digests_come_first(tmp_path, monkeypatch):
    """Power may fail between any two of these."""
    done, flush, move = [], os.fsync, os.replace

    def fsync(handle):
        done.append(f"fsync {os.path.basename(os.readlink(f'/proc/self/fd/{handle}'))}")
        flush(handle)

    def replace(part, target):
        done.append(f"replace {target.name}")
        move(part, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write(tmp_path / "best.ckpt", b"new")
    assert done == [
        "fsync best.ckpt.part", "fsync best.ckpt.sha256.part", "replace best.ckpt.sha256",
        "replace best.ckpt", f"fsync {tmp_path.name}",
    ]  # fmt: skip


@pytest.mark.parametrize("call", range(5))
def test_a_kill_at_any_point_leaves_the_old_file_or_the_new(call, tmp_path, monkeypatch):
    """Also where the write before it was killed, too."""
    path = tmp_path / "best.ckpt"
    write(path, b"old")
    for data in (b"newer", b"newest"):
        calls = []

        def kill(usual, calls=calls):
            def counted(*given):
                calls.append(given)
                if len(calls) > call:
                    raise Killed
                return usual(*given)

            return counted

        with monkeypatch.context() as patch:
            for name in ("fsync", "replace"):
                patch.setattr(os, name, kill(getattr(os, name)))
            with pytest.raises(Killed):
                write(path, data)
        assert is_intact(path)
        assert path.read_bytes() in (b"old", b"newer", b"newest")


def test_a_full_disk_leaves_the_file_that_was_there_and_says_what_to_do(run, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"disk is full: .* bytes are needed, .* are free") as error:
        VerifiedIO().save_checkpoint(content(11), run.lasts[0])
    assert code(error.value) == 2
    assert line(error.value).endswith("it goes on from the checkpoint before")
    assert load(run.lasts[0])["global_step"] == 10
    assert not list(run.folder.rglob("*.part"))


def test_no_flipped_bit_is_accepted(run):
    """2,000 of them."""
    path, random = run.lasts[0], np.random.default_rng(0)
    good = path.read_bytes()
    for _ in range(2000):
        spoilt = bytearray(good)
        spoilt[random.integers(len(good))] ^= 1 << random.integers(8)
        path.write_bytes(spoilt)
        assert not is_intact(path)
    refused(r"last-10\.ckpt is damaged", load, path)


@pytest.mark.parametrize("cut", [0.0, 0.1, 0.5, 0.9, 0.999, None])
def test_a_checkpoint_that_is_damaged_or_has_no_digests_is_left_out(cut, run, capsys):
    path = run.lasts[0]
    if cut is None:
        checkpoints._digests_path(path).unlink()
    else:
        path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
    assert newest(run) == run.lasts[1]
    assert "damaged   last-10.ckpt is left out" in capsys.readouterr().err


def test_a_run_starts_from_nothing_without_checkpoints_but_not_where_all_are_damaged(run):
    assert newest(Run(run.folder / "another")) is None
    for path in run.lasts:
        path.write_bytes(b"<html>not found</html>")
    refused(r"no checkpoint in .* is whole", newest, run)


def test_a_removed_checkpoint_leaves_no_digests(run):
    VerifiedIO().remove_checkpoint(run.lasts[1])
    left = {path.name for path in run.checkpoints.iterdir()}
    assert left == {"last-10.ckpt", "last-10.ckpt.sha256"}
