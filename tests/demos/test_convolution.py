"""Kernels slid over pictures: against scipy, and slide 15 by hand."""

import math

import numpy as np
import pytest
from scipy.signal import correlate2d

from tests.data import refused
from zoo.demos import convolution

EMBOSS = convolution.kernels("emboss")
TEXTS = [*convolution.KERNELS, "-1 0 1", "1 2 3; 4 5 6; 7 8 9", "0.5; 1; -2; 3; 4"]
BORDERS = ["same", "valid"]


PIXELS = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("text", TEXTS)
def test_each_result_is_the_weighted_sum_of_the_pixels_under_the_kernel(text, border):
    """S41, S42: every channel by itself, against scipy's correlation."""
    kernels = convolution.kernels(text)
    found = convolution.responses(PIXELS, kernels, border)
    for kernel, response in zip(kernels, found, strict=True):
        for channel in range(3):
            wanted = correlate2d(PIXELS[:, :, channel].astype(float), kernel, border)
            np.testing.assert_allclose(response[:, :, channel], wanted, atol=1e-9)


def test_the_nine_products_of_slide_15_sum_to_minus_8():
    """S41: the pixels and the kernel that the slide draws."""
    under = np.array([[0, 0, 0], [0, 1, 1], [0, 1, 2]], np.uint8)
    assert EMBOSS.tolist() == [[[4, 0, 0], [0, 0, 0], [0, 0, -4]]]
    assert convolution.responses(under[:, :, None], EMBOSS, "valid").tolist() == [[[[-8.0]]]]
    lines, value = convolution.format_sum(EMBOSS[0], under)
    assert value == -8
    assert lines == [
        "( 4 x   0) + ( 0 x   0) + ( 0 x   0)",
        "( 0 x   0) + ( 0 x   1) + ( 0 x   1)",
        "( 0 x   0) + ( 0 x   1) + (-4 x   2)",
    ]


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("sides", [(1, 1), (3, 3), (1, 3), (5, 3), (7, 9)])
def test_the_size_of_the_result_is_that_of_the_formula(sides, border):
    """S42: same keeps it; valid takes kernel - 1 away."""
    kernel = np.ones((1, *sides))
    size = convolution.result_size((9, 12), kernel, border)
    assert size == ((9, 12) if border == "same" else (10 - sides[0], 13 - sides[1]))
    assert convolution.responses(PIXELS, kernel, border).shape == (1, *size, 3)


def test_a_kernel_larger_than_the_picture_fits_only_with_the_border_same():
    picture = np.full((3, 4, 1), 7, np.uint8)
    assert (convolution.responses(picture, np.ones((1, 9, 9)), "same") == 7 * 12).all()
    said = "kernel of 5 x 5 fits nowhere into a picture of 3 x 4"
    refused(said, convolution.responses, picture, np.ones((1, 5, 5)), "valid")


@pytest.mark.parametrize("text", TEXTS)
def test_the_sum_written_out_for_a_pixel_is_the_one_in_the_result(text):
    """S41, for the corners, which lie over the padding, and the middle."""
    kernels = convolution.kernels(text)
    found = convolution.responses(PIXELS, kernels, "same")
    for at in ((0, 0), (8, 11), (4, 6)):
        under = convolution.window(PIXELS, kernels, "same", at)
        for kernel, response in zip(kernels, found, strict=True):
            lines, value = convolution.format_sum(kernel, under[:, :, 1])
            assert len(lines) == len(kernel)
            assert value == pytest.approx(response[at][1], abs=1e-9)
            assert eval("+".join(lines).replace("x", "*")) == pytest.approx(value)


def test_with_the_border_valid_the_middle_of_the_kernel_stays_away_from_the_rim():
    for at in ((1, 1), (7, 10)):
        under = convolution.window(PIXELS, EMBOSS, "valid", at)
        assert (under == PIXELS[at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2]).all()
    for at in ((0, 1), (1, 0), (8, 1), (1, 11)):
        refused("rows 1 to 7 and columns 1 to 10", convolution.window, PIXELS, EMBOSS, "valid", at)
    refused("rows 0 to 8 and columns 0 to 11", convolution.window, PIXELS, EMBOSS, "same", (-1, 0))


def test_sobel_is_the_length_of_the_gradient_in_any_direction():
    """S41: on a slope of a per row and b per column, 8 times the square root of a^2 + b^2."""
    down, across = np.mgrid[:20, :20]
    for a, b in ((0, 5), (5, 0), (3, 4), (4, -3)):
        slope = (100 + a * down + b * across)[:, :, None].astype(np.uint8)
        found = convolution.responses(slope, convolution.kernels("sobel"), "valid")
        np.testing.assert_allclose(convolution.combine(found), 8 * math.hypot(a, b))


def test_blur_and_sharpen_keep_an_even_picture_and_the_others_answer_zero():
    even = np.full((9, 9, 1), 77, np.uint8)
    for name, wanted in {"blur": 77, "sharpen": 77, "emboss": 0, "sobel": 0}.items():
        found = convolution.responses(even, convolution.kernels(name), "valid")
        np.testing.assert_allclose(convolution.combine(found), wanted, atol=1e-9)


LEVELS = {"emboss": 128, "blur": 0, "sharpen": 0, "sobel": 0, "0.1 -0.3 0.2": 128, "-1e6": 0}


@pytest.mark.parametrize(("text", "level"), LEVELS.items())
def test_zero_is_mid_grey_for_one_kernel_whose_weights_sum_to_zero(text, level):
    assert convolution.level_of_zero(convolution.kernels(text)) == level
    sums = np.array([-1e9, 0, 1.4, 1e9])
    near = [0, level, level + 1, 255]
    assert convolution.to_grey_levels(sums, convolution.kernels(text)).tolist() == near


WRONG = {
    "1 2; 3": "have 2, 1 numbers", "a b c": "nor rows of numbers",
    "embos": "one of emboss, blur", "1,0,1": "nor rows of numbers",
    "1 2; 3 4": "is 2 x 2: both sides must be odd", "1 2": "is 1 x 2", "": "is 1 x 0",
    "nan": "a weight outside of -1,000,000 to 1,000,000", "1 inf 1": "a weight outside",
    "1e300": "a weight outside",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_kernel_is_an_error_that_says_what_is_wanted(text):
    """S41."""
    assert repr(text) in refused(WRONG[text], convolution.kernels, text)
