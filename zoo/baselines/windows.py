"""Break a sample into windows, classify each, and let a last classifier decide (slides 27-28).

Every window inherits the label of its sample, so that a classifier of windows has many more
examples to learn from. What it says of the windows of a sample, summed up in a few numbers, is what
a final classifier learns from: stacked generalisation (Wolpert 1992, "Stacked generalization",
section 2). The final classifier is trained on the outputs for samples that the classifier of
windows had not seen: all windows of a sample are in one fold.

Shapes: N samples, S windows of all of them, K classes.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
UNSURE = 1e-6  # how near to 0 or 1 a probability counts


class StackedWindows(ClassifierMixin, BaseEstimator):
    """A classifier of windows, and one of its outputs.

    Samples are texts (N,), words separated by white space: a window is `window` words. Or rows
    (N, F) of numbers in an order that means something: a window is `window` neighbours. Or pictures
    (N, H, W) or (N, H, W, C): a window is a patch of `window` x `window` pixels, flat. A sample
    that is shorter than a window is one.

    After `fit`, `windows_` is the classifier of windows, trained on all samples, and `final_` the
    last one.

    Args:
        base: classifier of windows with `predict_proba`; None: logistic regression, of texts on
            their words and pairs of words.
        final: classifier of the summaries; None: logistic regression.
        window: its length, or its side.
        stride: words, numbers or pixels from one window to the next.
        folds: of which one is scored by what learned from the others; fewer where a class has
            fewer samples.
        random_state: of the folds.
    """

    def __init__(
        self,
        base: Any = None,
        final: Any = None,
        *,
        window: int = 4,
        stride: int = 1,
        folds: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.base, self.final = base, final
        self.window, self.stride = window, stride
        self.folds, self.random_state = folds, random_state

    def fit(self, X: Any, y: Any) -> "StackedWindows":
        """Learn from samples and their labels (N,).

        Raises:
            ValueError: a class with one sample only, for it cannot be held out; or fewer than two.
        """
        X, labels = self._validate(X, reset=True), self._encode_labels(y)
        check_consistent_length(X, labels)
        windows, owners = cut(X, self.window, self.stride)
        outputs = np.empty((len(owners), len(self.classes_)))
        for train_rows, test_rows in self._split_folds(labels):
            inside = np.isin(owners, train_rows)
            model = self._build_base(X).fit(select(windows, inside), labels[owners[inside]])
            outside = np.isin(owners, test_rows)
            outputs[outside] = model.predict_proba(select(windows, outside))
        self.windows_ = self._build_base(X).fit(windows, labels[owners])
        final = LogisticRegression(max_iter=1000) if self.final is None else clone(self.final)
        self.final_ = make_pipeline(StandardScaler(), final).fit(summary(outputs, owners), labels)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class of each sample (N,)."""
        check_is_fitted(self)
        return self.classes_[self.final_.predict(summary(*self._window_outputs(X)))]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class (N, K)."""
        check_is_fitted(self)
        probabilities: np.ndarray = self.final_.predict_proba(summary(*self._window_outputs(X)))
        return probabilities

    def vote(self, X: Any) -> np.ndarray:
        """What the windows alone would say (N,): the class with the highest mean probability."""
        check_is_fitted(self)
        outputs, owners = self._window_outputs(X)
        totals = np.add.reduceat(outputs, starts(owners))
        return self.classes_[totals.argmax(1)]

    def _window_outputs(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """The probabilities of each window (S, K), and its sample (S,)."""
        windows, owners = cut(self._validate(X, reset=False), self.window, self.stride)
        return self.windows_.predict_proba(windows), owners

    def _encode_labels(self, y: Any) -> np.ndarray:
        """Labels as numbers of `classes_`."""
        y = check_array(column_or_1d(y, warn=True), ensure_2d=False, dtype=None, input_name="y")
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has {len(self.classes_)} class: two or more are needed")
        return labels

    def _split_folds(self, labels: np.ndarray) -> Any:
        """Pairs of samples to learn from and samples to score."""
        fewest = int(np.bincount(labels).min())
        if fewest < 2:
            raise ValueError("a class has one sample: two or more are needed, one to be held out")
        cutter = StratifiedKFold(
            min(self.folds, fewest), shuffle=True, random_state=self.random_state
        )
        return cutter.split(labels, labels)

    def _validate(self, X: Any, reset: bool) -> Any:
        """Samples as a list of texts, of which some may be empty, or an array of finite numbers.

        Raises:
            ValueError: neither; no samples; another number of features than in `fit`.
        """
        if is_text(X):
            return list(X)
        if getattr(X, "ndim", 2) <= 2:
            return validate_data(self, X, reset=reset)
        return check_array(X, allow_nd=True)

    def _build_base(self, X: Any) -> Any:
        """A classifier of windows that has learned nothing."""
        if self.base is not None:
            return clone(self.base)
        logistic = LogisticRegression(max_iter=1000)
        if is_text(X):
            words = CountVectorizer(ngram_range=(1, 2), tokenizer=str.split, token_pattern=None)
            return make_pipeline(words, logistic)
        return make_pipeline(StandardScaler(), logistic)


def is_text(X: Any) -> bool:
    """Whether samples are texts."""
    several = isinstance(X, list | tuple | np.ndarray) and len(X) > 0
    return several and all(isinstance(one, str) for one in X)


def cut(X: Any, window: int, stride: int) -> tuple[Any, np.ndarray]:
    """The windows of all samples (S, ...), one sample after another, and whose each is (S,)."""
    if isinstance(X, list):
        texts = [phrases(text.split(), window, stride) for text in X]
        owners = np.repeat(np.arange(len(X)), [len(text_windows) for text_windows in texts])
        return [phrase for text_windows in texts for phrase in text_windows], owners
    axes = (1, 2) if X.ndim > 2 else (1,)
    sides = tuple(min(window, X.shape[axis]) for axis in axes)
    patches = sliding_window_view(X, sides, axis=axes)[:, ::stride]
    if X.ndim > 2:
        patches = patches[:, :, ::stride]
    count = int(np.prod(patches.shape[1 : 1 + len(axes)]))
    return patches.reshape(len(X) * count, -1), np.repeat(np.arange(len(X)), count)


def phrases(words: list[str], window: int, stride: int) -> list[str]:
    """The windows of a text; the last ones, too, where the stride would pass the end."""
    last = max(len(words) - window, 0)
    begins = [*range(0, last, stride), last]
    return [" ".join(words[begin : begin + window]) for begin in begins]


def select(windows: Any, which: np.ndarray) -> Any:
    """The windows (S,) where `which` is true."""
    if isinstance(windows, list):
        return [windows[i] for i in np.flatnonzero(which)]
    return windows[which]


def starts(owners: np.ndarray) -> np.ndarray:
    """Where the windows of each sample begin (N,)."""
    return np.flatnonzero(np.diff(owners, prepend=-1))


def summary(outputs: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """A summary of the probabilities of each sample's windows: (N, 9 K + 1).

    Of each class its mean, highest and lowest log-odds, five quantiles of them, and the share of
    the windows that it won; and the logarithm of their number.
    """
    sure = outputs.clip(UNSURE, 1 - UNSURE)
    odds, rows = np.log(sure / (1 - sure)), []
    for log_odds in np.split(odds, starts(owners)[1:]):
        spread = np.quantile(log_odds, (0, *QUANTILES, 1), axis=0)
        won = np.bincount(log_odds.argmax(1), minlength=odds.shape[1]) / len(log_odds)
        rows.append([*log_odds.mean(0), *spread.ravel(), *won, np.log(len(log_odds))])
    return np.array(rows)
