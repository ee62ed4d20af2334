"""Names beside dots: none covers another (S64)."""

import numpy as np
import pytest

from zoo.figures.label_placement import DOT, HIGH, LETTER, along, overlapping, place_names

WIDTH, HEIGHT = 880, 500


def boxes_of(found, names):
    """What each placed name takes up, from its anchor, (N, 4)."""
    shift = {"start": 0, "middle": 0.5, "end": 1}
    kept = [(place, name) for place, name in zip(found, names, strict=True) if place]
    left = np.array([p.x - shift[p.anchor] * LETTER * len(name) for p, name in kept])
    y = np.array([p.y for p, _ in kept])
    wide = np.array([LETTER * len(name) for _, name in kept])
    return np.stack([left, y - HIGH / 2, left + wide, y + HIGH / 2], 1)


@pytest.mark.parametrize("count", [5, 150])
def test_no_name_covers_another_or_a_dot_or_a_line_or_leaves_the_frame(count):
    random = np.random.default_rng(0)
    dots = random.uniform(20, [WIDTH - 20, HEIGHT - 20], (count, 2))
    names = ["w" * int(n) for n in random.integers(3, 12, count)]
    lines = [(0, 1), (2, 3)]
    found = place_names(dots, names, lines, WIDTH, HEIGHT)
    boxes = boxes_of(found, names)
    assert len(boxes) > 0.6 * count
    clashes = overlapping(boxes, boxes)
    assert (clashes == np.eye(len(boxes), dtype=bool)).all()
    kept = np.concatenate([dots, *(along(dots[a], dots[b]) for a, b in lines)])
    assert not overlapping(boxes + 1e-9, np.concatenate([kept - DOT, kept + DOT], 1)).any()
    assert (boxes >= 0).all()
    assert (boxes[:, [0, 2]] <= WIDTH).all()
    assert (boxes[:, [1, 3]] <= HEIGHT).all()


def test_a_name_stands_to_the_right_of_its_dot_where_there_is_room():
    (place,) = place_names(np.array([[100.0, 100.0]]), ["name"], [], WIDTH, HEIGHT)
    assert (place.anchor, place.x > 100, place.y) == ("start", True, 100)
    (place,) = place_names(np.array([[WIDTH - 5.0, 100.0]]), ["name"], [], WIDTH, HEIGHT)
    assert place.anchor == "end"


def test_where_there_is_no_room_the_first_names_have_it():
    dots = np.full((20, 2), 100.0)
    found = place_names(dots, ["name"] * 20, [], WIDTH, HEIGHT)
    known = [place is not None for place in found]
    assert known == sorted(known, reverse=True)
    assert 0 < sum(known) < 20
