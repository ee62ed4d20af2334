"""Text without a neural network (slides 27-28): features that are counted, then a linear model. All
words of a text count, none are cut.

    TfidfLogistic   the easy solution: tf-idf weights of words, or n-grams
    NBSVM           the strong one: n-grams, weighted by how much each speaks for a class
    TextWindows     windows of the text, and a classifier of what was said of them

Shapes: N texts, F features.
"""

import json
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from zoo.baselines.classifier import ClassifierBaseline, WindowsBaseline
from zoo.baselines.windows import StackedWindows
from zoo.config.types import Positive, PositiveFloat


def split(text: str) -> list[str]:
    """The words of a text of which white space separates them: a function that a file can name."""
    return text.split()


WORDS = {"tokenizer": split, "token_pattern": None, "lowercase": False}  # what the data give


class OneText:
    """A vectoriser whose vocabulary is one text in its state: a file has no object for each word.

    It stands before the vectoriser among the bases of a class.
    """

    def __getstate__(self) -> dict[str, Any]:
        vectoriser: Any = super()
        state: dict[str, Any] = vectoriser.__getstate__()
        if "vocabulary_" not in state:
            return state
        words = sorted(state["vocabulary_"], key=state["vocabulary_"].__getitem__)
        return {**state, "vocabulary_": json.dumps(words)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "vocabulary_" in state:
            words = {word: i for i, word in enumerate(json.loads(state["vocabulary_"]))}
            state = {**state, "vocabulary_": words}
        vectoriser: Any = super()
        vectoriser.__setstate__(state)


class Counts(OneText, CountVectorizer):
    """How often each word or n-gram stands in a text."""


class Tfidf(OneText, TfidfVectorizer):
    """The tf-idf weights of words or n-grams."""


class TfidfLogistic(ClassifierBaseline):
    """Logistic regression on tf-idf weights.

    Args:
        ngrams: words of the longest n-gram: 1 is the bag of words, which knows no order.
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "tf-idf + logistic regression"

    def __init__(self, *, ngrams: Positive, C: PositiveFloat, max_iter: Positive) -> None:
        self.ngrams, self.C, self.max_iter = ngrams, C, max_iter

    def classifier(self) -> Any:
        weights = TfidfVectorizer(ngram_range=(1, self.ngrams), sublinear_tf=True, **WORDS)
        return make_pipeline(weights, LogisticRegression(C=self.C, max_iter=self.max_iter))


class LogCountRatio(TransformerMixin, BaseEstimator):
    """Weigh each feature by how much more often one of two classes has it.

    Wang & Manning 2012, "Baselines and bigrams", section 2.1: the logarithm of the ratio of its
    smoothed shares in both classes. Whether a feature is there counts, not how often (section 2.2).

    Args:
        smoothing: samples of each class that every feature is thought to stand in besides.
    """

    def __init__(self, smoothing: float = 1.0) -> None:
        self.smoothing = smoothing

    def fit(self, X: csr_matrix, y: np.ndarray) -> "LogCountRatio":
        """Learn the ratios of features (N, F) that are 0 or 1, from labels 0 and 1."""
        shares = []
        for label in (0, 1):
            counts = self.smoothing + np.asarray(X[np.asarray(y) == label].sum(0)).ravel()
            shares.append(counts / counts.sum())
        self.ratios_ = np.log(shares[1] / shares[0])
        return self

    def transform(self, X: csr_matrix) -> csr_matrix:
        """Features (N, F), each times its ratio."""
        return X.multiply(self.ratios_).tocsr()


def ratio_logistic(ngrams: int, C: float) -> Any:
    """A classifier of texts by weighted n-grams, one class against the rest."""
    logistic = LogisticRegression(C=C, solver="liblinear", dual=True, max_iter=1000)
    one = make_pipeline(LogCountRatio(), logistic)
    return make_pipeline(
        CountVectorizer(ngram_range=(1, ngrams), binary=True, **WORDS), OneVsRestClassifier(one)
    )


class NBSVM(ClassifierBaseline):
    """Naive Bayes' log-count ratios as features of a linear classifier.

    The classifier is logistic regression, as in Mesnil et al. 2014
    (https://arxiv.org/abs/1412.5335, section 2.3).

    Args:
        ngrams: words of the longest n-gram.
        C: inverse strength of the L2 penalty.
    """

    title = "NB-SVM"

    def __init__(self, *, ngrams: Positive, C: PositiveFloat) -> None:
        self.ngrams, self.C = ngrams, C

    def classifier(self) -> Any:
        return ratio_logistic(self.ngrams, self.C)


class TextWindows(WindowsBaseline):
    """Stacked windows of words; each is classified by its weighted n-grams.

    Args:
        window, stride: words of a window, and from one to the next.
        ngrams: words of the longest n-gram.
        C: inverse strength of the L2 penalty of the classifier of windows.
        folds: of the texts, for what the last classifier learns from.
    """

    def __init__(
        self, *, window: Positive, stride: Positive, ngrams: Positive, C: PositiveFloat,
        folds: Annotated[int, Field(ge=2)],
    ) -> None:  # fmt: skip
        self.window, self.stride, self.folds = window, stride, folds
        self.ngrams, self.C = ngrams, C

    def classifier(self) -> Any:
        return StackedWindows(
            ratio_logistic(self.ngrams, self.C), window=self.window, stride=self.stride,
            folds=self.folds,
        )  # fmt: skip
