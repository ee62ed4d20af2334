"""What a model can show: counted by hand, by scikit-learn, and pixel by pixel."""

import ast
import io
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import precision_recall_fscore_support

from tests.data import refused
from zoo.figures import kinds, raster
from zoo.figures.evaluation import classification, regression
from zoo.figures.kinds import Audio, Grid, Strip
from zoo.figures.raster import GAP, LINE, filters, png, wav

CLASSES = ["cat", "dog", "eel"]
LABELS = np.array([0, 0, 0, 1, 1, 2])
PROBABILITIES = np.array([
    [0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.0, 0.1, 0.9],  # the others taken for a dog, an eel
    [0.2, 0.7, 0.1], [0.5, 0.3, 0.2],  # a dog taken for a cat
    [0.1, 0.1, 0.8],
])  # fmt: skip
IMAGES = [np.full((4, 4), i, dtype=np.uint8) for i in range(6)]


@pytest.fixture
def shown():
    return classification(PROBABILITIES, LABELS, CLASSES, IMAGES)


def opened(picture):
    return np.asarray(Image.open(io.BytesIO(png(picture, tile=4))))


def test_a_row_of_the_confusion_matrix_is_one_truth_and_scores_are_those_of_scikit_learn(shown):
    assert shown["Confusion matrix"].matrix.tolist() == [[1, 1, 1], [1, 1, 0], [0, 0, 1]]
    scores = precision_recall_fscore_support(LABELS, PROBABILITIES.argmax(axis=1))
    expected = [[f"{100 * score:.1f}" for score in column] for column in scores[:3]]
    rows = shown["Per class"].rows
    assert [list(column) for column in zip(*rows, strict=True)][2:] == expected
    assert [row[:2] for row in rows] == [("cat", "3"), ("dog", "2"), ("eel", "1")]


def test_a_score_of_nothing_is_a_dash_and_not_zero():
    table = classification(np.array([[0.9, 0.1, 0.0]]), np.array([0]), CLASSES)["Per class"]
    assert table.rows[1] == ("dog", "0", "-", "-", "-")


def test_the_most_confident_mistake_comes_first_and_says_what_it_was(shown):
    """Without mistakes, or without images, there is no such picture."""
    worst = shown["Worst mistakes"]
    assert [int(image[0, 0]) for image in worst.images] == [2, 1, 4]
    assert worst.captions[0] == "cat taken for eel (90 % sure)"
    right = PROBABILITIES.argmax(axis=1)
    assert "Worst mistakes" not in classification(PROBABILITIES, right, CLASSES, IMAGES)
    assert "Worst mistakes" not in classification(PROBABILITIES, LABELS, CLASSES)


def mistakes(shown, rate=0):
    """The mistakes of 50 samples that are all taken for b, the surest last."""
    sure = np.linspace(0.6, 0.9, 50)
    answers = np.column_stack([1 - sure, sure])
    return classification(answers, np.zeros(50, int), ["a", "b"], shown, rate)["Worst mistakes"]


def test_mistaken_texts_are_a_table_of_twelve():
    """A long text is cut, and a text of 200 characters is not."""
    table = mistakes([f"review {i}" for i in range(50)])
    assert table.header == ("truth", "answer", "sure", "text")
    assert table.rows[0] == ("a", "b", "90 %", "review 49")
    assert [row[3] for row in table.rows] == [f"review {i}" for i in range(49, 37, -1)]
    long, exact = [row[3] for row in mistakes(["x" * 200] * 49 + ["x" * 201]).rows][:2]
    assert (long, exact) == ("x" * 199 + "\N{HORIZONTAL ELLIPSIS}", "x" * 200)


def test_mistaken_clips_are_rows_of_frames_and_sounds_are_heard_both_at_their_rate():
    strip = mistakes(np.arange(50, dtype="u1").repeat(48).reshape(50, 3, 4, 4, 1), rate=8)
    audio = mistakes([np.full(10 + i, i / 50, dtype=np.float32) for i in range(50)], rate=8000)
    assert (type(strip), type(audio)) == (Strip, Audio)
    assert [int(clip[0, 0, 0, 0]) for clip in strip.clips] == [49, 48, 47, 46, 45, 44, 43, 42]
    assert [len(wave) for wave in audio.waves] == [59, 58, 57, 56, 55, 54, 53, 52]
    for shown, rate in ((strip, 8), (audio, 8000)):
        assert shown.captions[0] == "a taken for b (90 % sure)"
        assert (len(shown.captions), shown.rate) == (8, rate)


def test_no_more_than_24_mistaken_pictures_are_shown_and_they_may_have_colours():
    grid = mistakes(np.zeros((50, 4, 4, 3), np.uint8))
    assert len(grid.images) == len(grid.captions) == 24


@pytest.mark.parametrize(("channels", "shape"), [(1, (3, 3)), (3, (3, 3, 3)), (16, (3, 3))])
def test_filters_are_grey_unless_they_read_three_channels(channels, shape):
    weights = np.random.default_rng(0).normal(size=(5, channels, 3, 3))
    grid = filters(weights)
    assert [image.shape for image in grid.images] == [shape] * 5
    assert {image.dtype for image in grid.images} == {np.dtype(np.uint8)}


def test_each_filter_has_its_own_range_with_zero_in_the_middle():
    """And of many channels the mean is shown."""
    small = np.array([[-1.0, 0.0], [0.5, 1.0]])
    images = filters(np.stack([small, 100 * small, 0 * small])[:, None]).images
    assert images[0].tolist() == images[1].tolist() == [[0, 128], [191, 255]]
    assert (images[2] == 128).all()
    assert filters(np.array([[[[1.0, 1]], [[-1, 1]]]])).images[0].tolist() == [[128, 255]]


def test_feature_maps_are_the_most_active_first_and_each_has_its_own_white():
    """S43."""
    maps = np.zeros((20, 4, 4))
    maps[3, 0, 0], maps[7] = 1, [[9, 0, 0, 0]] * 4
    grid = raster.feature_maps({"first": maps, "second": maps[:2]})
    captions = ["first: the 16 most active of 20 maps, 4 x 4", "second: 2 maps, 4 x 4"]
    assert grid.captions == captions
    sheet = grid.images[0]
    assert sheet.shape == (2 * 64 + GAP, 8 * 64 + 7 * GAP, 3)
    assert (sheet[:64, :16] == 255).all()  # of channel 7
    assert not sheet[:64, 16:64].any()
    second = sheet[:64, 64 + GAP : 128 + GAP]
    assert (second[:16, :16] == 255).all()  # of channel 3, whose highest is lower
    assert not second[16:].any()
    assert (sheet[:64, 64 : 64 + GAP] == 255).all()
    assert not sheet[64 + GAP :, :64].any()  # a map that is the same all over is black


def test_below_zero_is_black_and_zero_is_then_grey():
    (sheet,) = raster.feature_maps({"a": np.array([[[-1.0, 0.0], [1.0, 1.0]]])}).images
    assert [sheet[place][0] for place in ((0, 0), (0, 40), (40, 0))] == [0, 128, 255]


def test_labelled_pictures_stand_one_below_the_other_as_they_are():
    images = [np.full((5, 50), 9, np.uint8), np.full((7, 20, 3), [1, 2, 3], np.uint8)]
    grid = Grid(images, ["one", "two"])
    whole = np.asarray(Image.open(io.BytesIO(raster.draw_captioned(grid))))
    assert whole.shape == (2 * LINE + 12 + 2 * GAP, 50 + 2 * GAP, 3)
    assert (whole[LINE : LINE + 5, GAP:-GAP] == 9).all()
    assert (whole[2 * LINE + 5 + GAP :, GAP : GAP + 20][:7] == [1, 2, 3]).all()
    assert (whole[:LINE] < 100).any()  # a caption above each
    assert (whole[LINE + 5 + GAP : 2 * LINE + 5 + GAP] < 100).any()


def test_a_small_picture_is_enlarged_without_new_colours_and_a_large_one_keeps_its_size():
    image = np.array([[0, 255], [7, 100]], dtype=np.uint8)
    drawn = opened(Grid([image]))
    assert (drawn[..., 0] == image.repeat(2, axis=0).repeat(2, axis=1)).all()
    assert (drawn[..., 3] == 255).all()
    assert opened(Grid([np.zeros((9, 5, 3), np.uint8)])).shape == (9, 5, 4)


def test_a_sheet_fills_its_rows_from_the_left_with_clear_gaps_between():
    drawn = opened(Grid([np.full((4, 4, 3), i + 1, np.uint8) for i in range(3)], columns=2))
    step = 4 + raster.GAP
    assert drawn.shape == (step + 4, step + 4, 4)
    assert [drawn[y, x, 0] for y in (0, step) for x in (0, step)] == [1, 2, 3, 0]
    assert not drawn[4:step, :, 3].any()


def heard(file):
    """What the standard library reads: (T,) 16-bit steps, and the header."""
    with wave.open(io.BytesIO(file)) as sound:
        steps = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        return steps, sound.getnchannels(), sound.getsampwidth(), sound.getframerate()


def test_a_wave_read_back_is_the_wave():
    sine = 0.9 * np.sin(np.arange(4000, dtype=np.float32) / 7)
    steps, *header = heard(wav(sine, 16000))
    assert header == [1, 2, 16000]
    np.testing.assert_allclose(steps / 32767, sine, atol=0.5 / 32767 + 1e-7)


def test_silence_is_zero_and_what_is_too_loud_is_clipped_and_what_is_not_finite_refused():
    steps = heard(wav(np.array([0.0, 1.0, -1.0, 1.5, -9.0]), 8000))[0]
    assert steps.tolist() == [0, 32767, -32767, 32767, -32767]
    for value in (np.nan, np.inf):
        refused("not finite", wav, np.array([0.0, value]), 8000)


def test_the_modules_need_numpy_and_nothing_else_of_ours():
    nodes = [n for one in (kinds, raster) for n in ast.parse(Path(one.__file__).read_text()).body]
    lines = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(line, "module", None) or line.names[0].name for line in lines}
    standard = {"io", "math", "collections.abc", "dataclasses", "wave"}
    assert names == {*standard, "numpy", "zoo.figures.kinds"}


VALUES, TRUTHS = np.array([1.0, -4.0, 10.0]), np.array([2.0, -4.0, 4.0])


def test_values_are_shown_in_the_order_of_the_truth_beside_what_is_right():
    curve = regression(VALUES, TRUTHS, "degrees", 0.0)["Answers beside the truth"]
    assert curve.lines["answered"] == ([-4, 2, 4], [-4, 1, 10])
    assert curve.lines["right"] == ([-4, 4], [-4, 4])
    assert curve.x_label == "truth, degrees"


def test_errors_stand_beside_those_of_the_mean():
    """|1 - 2|, 0 and |10 - 4|; of the mean 1: 1, 5 and 3."""
    table = regression(VALUES, TRUTHS, "degrees", 1.0)["Errors"]
    assert table.rows[0] == ("always the mean", "3.00", "3.00", "4.60", "5.00")
    assert table.rows[1] == ("answered", "2.33", "1.00", "5.00", "6.00")


def test_the_worst_mistake_of_a_regression_comes_first_and_says_what_it_was():
    worst = regression(VALUES, TRUTHS, "degrees", 0.0, IMAGES[:3])["Worst mistakes"]
    assert [int(image[0, 0]) for image in worst.images] == [2, 0, 1]
    assert worst.captions[0] == "4 degrees taken for 10"
    assert "Worst mistakes" not in regression(VALUES, TRUTHS, "degrees", 0.0)
