"""Sounds and clips of which a batch takes windows (S50, S89)."""

import numpy as np
import pytest
import soundfile
import torch

import zoo
from datamodules.inputs.clip import ClipInput
from datamodules.inputs.sound import SoundInput, decode, encode
from datamodules.loading import windows as module
from datamodules.loading.windows import draw_windows
from datamodules.utilities.draws import Key
from datamodules.utilities.windows import Windows
from tests.data import opened, refused
from tests.tiny.video_folder import pictures

RATE, SECOND = 1000, 100  # a window is a tenth of a second
SOUNDS = {"sample_rate": RATE, "seconds": SECOND / RATE, "batch_size": 4}
CLIPS = {"frames": 4, "rate": 5.0, "image_size": 8, "channels": 1, "batch_size": 4}


@pytest.fixture
def sounds(tmp_path):
    """Twenty sounds of two classes: of 0.05 to 1 s."""
    for label, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        for i in range(10):
            wave = np.random.default_rng(10 * label + i).uniform(-0.5, 0.5, 50 + 100 * i)
            soundfile.write(tmp_path / name / f"{i}.wav", wave, RATE, "FLOAT")
    return tmp_path


@pytest.fixture
def clips(tmp_path):
    """Twenty folders of 3 to 21 pictures; the level of a frame tells its place."""
    for name in "ab":
        for i in range(10):
            (tmp_path / name).mkdir(exist_ok=True)
            frames = np.arange(3 + 2 * i, dtype=np.uint8)[:, None, None, None] * 10
            pictures(tmp_path / name / str(i), frames.repeat(8, 1).repeat(8, 2).repeat(3, 3))
    return tmp_path


@pytest.fixture(params=["sounds", "clips"])
def data(request):
    name, options = (
        ("audio_folder", SOUNDS) if request.param == "sounds" else ("video_folder", CLIPS)
    )
    folder = request.getfixturevalue(request.param)
    return opened(name, source=str(folder), windows="spread", **options)


def batch_of(data, split, key=None):
    (batch, *_) = data.batches(split)
    return data.batch(batch.tensors, key)


# --- which windows --------------------------------------------------------------------------------


def test_training_draws_windows_of_their_recordings_another_each_epoch(data):
    """Also of the shortest, which is filled up: it has one."""
    loader, seen = data.batches("train", shuffle=True), []
    whole = {
        r.numpy().tobytes() for r in data.recordings("train").take(torch.from_numpy(data.rows))
    }
    for epoch in (0, 1):
        loader.set_epoch(epoch)
        (batch, *_) = loader
        drawn, labels = data.choose(batch.tensors, batch.key)
        assert (len(drawn), drawn.shape[1]) == (len(labels), data.window) == (4, data.window)
        assert all(any(row.numpy().tobytes() in one for one in whole) for row in drawn)
        seen.append(drawn.numpy().tobytes())
    assert seen[0] != seen[1]


@pytest.mark.parametrize("world", [2, 4])
def test_the_ranks_draw_what_one_process_draws(world):
    lengths = torch.tensor([5, 9, 100, 7, 30, 5, 64, 8])
    padded = torch.arange(800).view(8, 100)
    whole = draw_windows(padded, lengths, 5, Key(3, 1, 4, 8, 0, 8))
    for rank in range(world):
        rows = slice(8 * rank // world, 8 * (rank + 1) // world)
        key = Key(3, 1, 4, 8, rows.start, rows.stop)
        assert torch.equal(draw_windows(padded[rows], lengths[rows], 5, key), whole[rows])
    starts = whole[:, 0] % 100
    assert (starts <= lengths - 5).all()
    assert torch.equal(whole, whole[:, :1] + torch.arange(5))


def test_every_place_of_a_recording_is_drawn_alike():
    """Of 5 places each a fifth of 2,000 draws, within five deviations."""
    keys = [Key(0, 0, batch, 100, 0, 100) for batch in range(20)]
    padded, lengths = torch.arange(8).expand(100, 8), torch.full((100,), 8)
    counts = torch.cat([draw_windows(padded, lengths, 4, key)[:, 0] for key in keys]).bincount()
    assert counts.tolist() == pytest.approx([400] * 5, abs=5 * (2000 * 0.16) ** 0.5)


def test_validation_takes_the_windows_that_predict_takes(data):
    """Those that cover each recording: a row of them has one, none is left out."""
    windows, labels = batch_of(data, "val")
    recordings = data.recordings("val").take(torch.arange(len(labels)))
    counts = [-(-len(recording) // data.window) for recording in recordings]
    assert windows.counts.tolist() == counts
    raws = [recording.numpy() for recording in recordings]
    if isinstance(data.input, SoundInput):
        raws = [decode(raw, 256) for raw in raws]
    again = data.input(raws)
    torch.testing.assert_close(again.inputs, windows.inputs)
    assert torch.equal(again.counts, windows.counts)


def test_a_sound_is_kept_as_it_is(sounds):
    data = opened("audio_folder", source=str(sounds), windows="spread", **SOUNDS)
    lengths = np.concatenate([data.splits[split]["lengths"] for split in data.splits])
    assert sorted(lengths) == sorted(2 * [max(50 + 100 * i, SECOND) for i in range(10)])
    wave, _ = soundfile.read(sounds / "a" / "7.wav")
    windows = data.input(str(sounds / "a" / "7.wav"))
    assert windows.starts.tolist() == [0, 92, 185, 278, 371, 464, 557, 650]
    for start, ids in zip(windows.starts.tolist(), windows.inputs, strict=True):
        np.testing.assert_array_equal(ids, encode(wave[start : start + SECOND], 256))
    short = data.input(str(sounds / "a" / "0.wav")).inputs
    assert (short.shape, short[0, 50:].unique().tolist()) == ((1, SECOND), [128])


def test_a_clip_is_taken_at_its_rate_from_its_start_to_its_end(clips):
    """A folder's frames have no clock: they are at the rate. A short clip holds its last."""
    options = {name: CLIPS[name] for name in ("frames", "rate", "image_size", "channels")}
    read = ClipInput(**options, unfold=False, mean=[0.0], std=[1.0], windows="spread")
    levels = [(255 * read(str(clips / "a" / i)).inputs[:, 0, :, 0, 0]).round() for i in "04"]
    assert levels[0].tolist() == [[0, 10, 20, 20]]
    assert (levels[1] / 10).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [7, 8, 9, 10]]


def test_without_a_rate_the_one_window_is_all_of_a_clip(clips):
    both = [
        opened("video_folder", source=str(clips), **{**CLIPS, "rate": None}, windows=windows)
        for windows in ("one", "spread")
    ]
    assert both[0].info["digest"] == both[1].info["digest"]
    assert not both[1].has_windows
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(*(data.arrays(split)[0] for data in both))


def test_one_window_changes_no_fingerprint(sounds):
    """What was prepared before there were others is found again."""
    one, spread = (
        zoo.create_data("audio_folder", source=str(sounds), windows=windows, **SOUNDS)
        for windows in ("one", "spread")
    )
    assert "windows" not in one.array_arguments()
    assert one.cache_key() != spread.cache_key()


# --- what comes with them -------------------------------------------------------------------------


def test_a_model_that_learns_on_keeps_the_windows_of_the_new_data_and_a_test_the_models(sounds):
    card_input = SoundInput(sample_rate=RATE, levels=256, length=50)
    for classes, windows in ((None, "spread"), (["a", "b"], "one")):
        data = zoo.create_data("audio_folder", source=str(sounds), windows="spread", **SOUNDS)
        data.use_input(card_input, {}, classes)
        data.setup("fit")
        assert data.info["input"] == {**card_input.config(), "windows": windows}
    assert card_input.windows == "one"


def test_moments_are_those_of_all_frames_of_the_training_clips(clips):
    data = opened("video_folder", source=str(clips), windows="spread", train_samples=4, **CLIPS)
    frames = torch.cat(data.recordings("train").take(torch.from_numpy(data.rows))).numpy() / 255
    assert len(data.rows) == 4
    np.testing.assert_allclose(data.input.mean, [frames.mean()], atol=1e-6)
    np.testing.assert_allclose(data.input.std, [frames.std()], atol=1e-6)


def test_baselines_get_all_windows_of_the_samples_that_are_used(data):
    data.rows = data.rows[:3]
    windows, labels = data.arrays("train")
    lengths = data.splits["train"]["lengths"][data.rows]
    assert isinstance(windows, Windows)
    assert windows.inputs.dtype == torch.uint8
    assert windows.counts.tolist() == [-(-length // data.window) for length in lengths]
    np.testing.assert_array_equal(labels, data.splits["train"]["labels"][data.rows])


def test_a_run_says_how_long_a_window_is_and_the_longest_recording(sounds):
    data = opened("audio_folder", source=str(sounds), windows="spread", **SOUNDS)
    _, note = data.notes  # behind the classes
    assert note.startswith("windows   of 0.1 s: training draws one of each recording (the longest ")
    assert "has 0.9 s" in note or "has 1.0 s" in note


def test_fewer_samples_are_held_where_they_have_many_windows(sounds, monkeypatch):
    data = opened("audio_folder", source=str(sounds), windows="spread", **SOUNDS)
    monkeypatch.setattr(module, "SAMPLED", 12)
    assert len(data.samples("train", 99)[1]) < len(data.rows)
    assert len(data.samples("train", 1)[1]) == 1


# --- what is refused ------------------------------------------------------------------------------


def test_recordings_that_do_not_fit_in_memory_are_refused_with_advice(sounds, monkeypatch):
    monkeypatch.setattr(module, "MEMORY", 1000)
    said = "the sounds of train take more than 0 GiB of memory: take one window of each"
    refused(said, opened, "audio_folder", source=str(sounds), windows="spread", **SOUNDS)


def test_a_sound_that_is_too_long_is_named(sounds, monkeypatch):
    monkeypatch.setattr("datamodules.inputs.sound_file.LONGEST", 900)
    said = r"9\.wav lasts longer than"
    refused(said, opened, "audio_folder", source=str(sounds), windows="spread", **SOUNDS)
    opened("audio_folder", source=str(sounds), windows="one", **SOUNDS)


def test_a_clip_with_too_many_frames_at_the_rate_is_named(clips, monkeypatch):
    monkeypatch.setattr("datamodules.inputs.video_file.MAX_FRAMES", 20)
    said = "9 has more than 20 frames in its 4 s at 5.0 a second: cut it into clips, or lower"
    refused(said, opened, "video_folder", source=str(clips), windows="spread", **CLIPS)


def test_controls_are_for_one_window(clips):
    options = {"source": str(clips), "windows": "spread", "order": "first", **CLIPS}
    refused(
        r"data\.order is 'first': that is for data\.windows=one", opened, "video_folder", **options
    )
