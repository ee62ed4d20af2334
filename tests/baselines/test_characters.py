"""The n-gram beside the characters' network."""

import numpy as np
import pytest

from tests.data import arrays_of, refused
from zoo.baselines.characters import WittenBell


def fitted(order, ids, size, test=None):
    train, test = (np.array(text, np.uint8) for text in (ids, test or ids))
    data = arrays_of(train, test, vocabulary_size=size)
    return WittenBell(order=order).fit(data), data


def by_hand(train, test, order, size):
    """By loops over lists: P(c | h) = (n(hc) + T(h) P(c | h')) / (n(h) + T(h))."""

    def probability(context, c):
        shorter, n = probability(context[1:], c) if context else 1 / size, len(context)
        after = [train[i] for i in range(n, len(train)) if train[i - n : i] == context]
        kinds = len(set(after))
        return (after.count(c) + kinds * shorter) / (len(after) + kinds) if after else shorter

    return [probability(test[max(t - order, 0) : t], test[t]) for t in range(1, len(test))]


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_it_is_the_formula_on_random_text_with_unseen_contexts(order):
    random = np.random.default_rng(0)
    train, test = random.integers(0, 4, 60).tolist(), random.integers(0, 6, 40).tolist()
    model, _ = fitted(order, train, 6)
    assert model.probabilities(np.array(test)) == pytest.approx(by_hand(train, test, order, 6))


def test_it_is_scored_in_nats_and_bits_of_the_test_text():
    model, data = fitted(0, [2, 3] * 50, 4, test=[2, 2, 3])
    share = (50 + 2 / 4) / (100 + 2)
    wanted = {"test/bits_per_character": -np.log2(share), "test/loss": -np.log(share)}
    assert model.score(data) == pytest.approx(wanted)


def test_an_alphabet_too_large_for_the_order_is_refused():
    refused(r"baseline\.order is 8: too much for 50000 kinds", fitted, 8, [1, 2, 3], 50_000)
