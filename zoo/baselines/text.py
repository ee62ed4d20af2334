"""The easy solution for text (slide 27): a feature for each word or n-gram, then a linear model."""

from typing import Annotated, Any

from pydantic import Field
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

Positive = Annotated[int, Field(ge=1)]


class TfidfLogistic(BaseEstimator):
    """Logistic regression on tf-idf weights of all words of the text, none cut.

    Args:
        ngrams: words of the longest n-gram: 1 is the bag of words, which knows no order.
        C: inverse strength of the L2 penalty.
        max_iter: iterations of L-BFGS at most.
    """

    title = "tf-idf + logistic regression"

    def __init__(
        self, *, ngrams: Positive, C: Annotated[float, Field(gt=0)], max_iter: Positive
    ) -> None:
        self.ngrams, self.C, self.max_iter = ngrams, C, max_iter

    def fit(self, datamodule: Any) -> "TfidfLogistic":
        """Fit on the training texts."""
        texts, labels = datamodule.arrays("train")
        weights = TfidfVectorizer(
            ngram_range=(1, self.ngrams),
            tokenizer=str.split,
            token_pattern=None,
            lowercase=False,
            sublinear_tf=True,
        )
        logistic = LogisticRegression(C=self.C, max_iter=self.max_iter)
        self.pipeline_: Pipeline = make_pipeline(weights, logistic)
        self.pipeline_.fit(texts, labels)
        return self

    def score(self, datamodule: Any) -> dict[str, float]:
        """Accuracy on the test texts."""
        texts, labels = datamodule.arrays("test")
        return {"test/accuracy": float(self.pipeline_.score(texts, labels))}
