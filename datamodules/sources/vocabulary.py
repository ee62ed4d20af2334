"""Which words a vocabulary holds.

Shapes: W running words.
"""

import numpy as np

from datamodules.inputs.tokenizer import UNKNOWN_WORD


def frequent(words: np.ndarray, lexicon: list[str], count: int) -> list[int]:
    """The numbers of the most frequent of these words (W,), ties in the order of the alphabet.

    Raises:
        ValueError: there are none.
    """
    if not len(words):
        raise ValueError("the training texts have no words: give texts with letters or digits")
    counts = np.bincount(words, minlength=len(lexicon))
    least = max(np.sort(counts)[::-1][: count + 1].min(), 1)  # one more: `restore`'s own is no word
    candidates = [i for i in np.flatnonzero(counts >= least).tolist() if lexicon[i] != UNKNOWN_WORD]
    often = counts.tolist()
    return sorted(candidates, key=lambda i: (-often[i], lexicon[i]))[:count]
