"""Texts without a network of one's own: words and n-grams of characters under a linear classifier.

Shapes: N texts, F features.
"""

from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from zoo.baselines.strong import StrongBaseline
from zoo.baselines.text import WORDS, Counts, LogCountRatio, Tfidf
from zoo.metrics.choice import Candidate

LETTERS = 8_000_000  # characters of all texts up to which their n-grams are counted
FEATURES = 300_000  # n-grams of a kind at most, the most frequent


class StrongTexts(StrongBaseline):
    """tf-idf weights of words and characters, NB-SVM; or a released network's features."""

    def candidates(self, samples: list[str], datamodule: Any) -> dict[str, Candidate]:
        support = [LinearSVC(C=C, random_state=self.random_state) for C in (0.1, 0.3, 1.0)]
        ratios = [
            OneVsRestClassifier(make_pipeline(LogCountRatio(), smooth(C))) for C in (0.1, 1.0)
        ]
        candidates: dict[str, Candidate] = {
            "tfidf_svm": ("tf-idf of words, linear SVM", words(), support),
            "nb_svm": ("NB-SVM", Counts(**PAIRS, binary=True, **WORDS), ratios),
            **self.network_candidates(len(samples)),
        }
        if sum(map(len, samples)) <= LETTERS:
            title = "tf-idf of words and characters, linear SVM"
            candidates["tfidf_svm_characters"] = title, make_union(words(), letters()), support
        return candidates


PAIRS: dict[str, Any] = {"ngram_range": (1, 2), "max_features": FEATURES}


def words() -> Any:
    """The tf-idf weights of words and pairs of words, as the data have them."""
    return Tfidf(**PAIRS, sublinear_tf=True, **WORDS)


def letters() -> Any:
    """The tf-idf weights of two to five neighbouring characters of a word."""
    return Tfidf(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, lowercase=False,
        max_features=FEATURES,
    )  # fmt: skip


def smooth(C: float) -> Any:
    """Logistic regression, as in Mesnil et al. 2014 (https://arxiv.org/abs/1412.5335)."""
    return LogisticRegression(C=C, solver="liblinear", dual=True, max_iter=1000)
