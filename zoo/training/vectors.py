"""What the word vectors of a run start from on data of one's own, chosen by the training texts.

Of released classifiers and word vectors that know most of the words, that one is taken whose
features tell the classes apart best: logistic regression on them, by folds of the training split.

Shapes: N texts, F features, D dimensions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo.catalog.own_data import OWN_VECTORS
from zoo.distributed.console import console
from zoo.metrics.choice import divide, out_of_fold, subset, take
from zoo.words import formats

CHOOSE_ON, FOLDS = 500, 3  # training texts at most, and their folds
Config = dict[str, Any]


def settle_vectors(config: Config, data: Any) -> None:
    """Choose what the config leaves open, say so, and give the data the words of the vectors."""
    section, own = config["model"], config.get(OWN_VECTORS)
    if own and not config["smoke"]:
        networks = {source: formats.network(source) for source in own["sources"]}
        source = choose(networks, own["least"], *data.arrays("train"))
        if source is not None:
            dimensions = networks[source].word_vectors()[1].shape[1]
            section |= {"vectors": source, "embeddings": "non_static", "embedding": dimensions}
            if is_classifier(networks[source]):
                section["optimizer"]["lr"] *= own["slower"]
    most = data.hparams.get("vector_words", 0)
    if section.get("vectors") and most and data.model_input is None:
        data.use_words(formats.vocabulary(section["vectors"], most))


def choose(
    networks: Mapping[str, Any], least: float, texts: Sequence[str], labels: np.ndarray
) -> str | None:
    """The network whose features tell the training texts apart best; None: none knows the words.

    Args:
        networks: by name.
        least: share of the running words that one must know.
        texts: each its words, with spaces between (N,).
        labels: (N,).
    """
    few = subset(labels, CHOOSE_ON, seed=0)
    texts, labels = take(list(texts), few), labels[few]
    words = [word for text in texts for word in text.split()]
    scores: dict[str, float] = {}
    for name, network in networks.items():
        vocabulary = frozenset(network.word_vectors()[0])
        share = sum(word in vocabulary for word in words) / max(len(words), 1)
        if share < least:
            console.print(f"vectors   {name} knows {share:.0%} of the words: it is not used")
        else:
            rows = features(network, texts)
            scores[name] = accuracy(rows, labels)
    if not scores:
        return None
    best = max(scores, key=lambda name: scores[name])
    shares = ", ".join(f"{score:.1%} from {name}" for name, score in scores.items())
    console.print(f"vectors   of {best}: of training texts, by folds, right are {shares}")
    return best


def is_classifier(model: Any) -> bool:
    """Whether it is a network with a last layer, and not word vectors alone."""
    return hasattr(model, "head")


def features(model: Any, texts: Sequence[str]) -> np.ndarray:
    """What a classifier's last layer sees of texts (N, F), or the mean of their vectors (N, D)."""
    if is_classifier(model):
        rows: np.ndarray = model.features(list(texts)).float().numpy()
        return rows
    vocabulary, vectors = model.word_vectors()
    rows_of = {word: i for i, word in enumerate(vocabulary)}
    places = [[rows_of[word] for word in text.split() if word in rows_of] for text in texts]
    nothing = np.zeros(vectors.shape[1], vectors.dtype)
    return np.stack([vectors[rows].mean(0) if rows else nothing for rows in places])


def accuracy(rows: np.ndarray, labels: np.ndarray) -> float:
    """The share of texts that logistic regression on features (N, F) gets right, by folds."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    scores = out_of_fold(linear, rows, labels, divide(labels, FOLDS, seed=0))
    judged = ~np.isnan(scores[:, 0])
    return float((scores[judged].argmax(1) == labels[judged]).mean()) if judged.any() else 0.0
