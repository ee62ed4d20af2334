"""Text classification by dense layers: a sequence is padded and flattened (slide 29).

The vectors of all words stand in one row of features, as in the network of Bengio et al. 2003
(section 2 of https://www.jmlr.org/papers/v3/bengio03a.html), and no layer knows which of them are
neighbours: a word two places further on is another feature. Convolution (text_cnn.py) and
recurrence (text_lstm.py) know it, and are to be compared with this.

Departs from the paper: rectified units with dropout, and no direct connections.

It learns by cross-entropy on labels, smoothed and weighted as asked: `Classifier.scores`
(zoo/nn/supervised.py), in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B texts, T words or steps, L steps that are flattened, F numbers a step, D features of a
word, K classes.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.config.types import NumClasses, Positive, Probability, VocabularySize
from zoo.nn.dropout import Dropout
from zoo.nn.embedding import Embeddings, SequenceEmbedding
from zoo.nn.optim import Recipe
from zoo.nn.text_classifier import TextClassifier
from zoo.pretrained.export_spec import ExportSpec


class TextMLP(TextClassifier):
    """A multi-layer perceptron on all steps at once.

    Args:
        vocabulary_size: a fact of the data, for word ids; else null.
        features: numbers a step, for series of numbers; else null.
        max_length: a fact of the data: steps that are flattened.
        num_classes: a fact of the data.
        embedding: features of a word.
        embeddings, vectors: how the table of words starts and learns, and from what; Kim's four
            ways are in sequences.py.
        hidden: units of the hidden layer.
        dropout: of the flattened row and behind the hidden layer.
    """

    def __init__(
        self,
        *,
        vocabulary_size: VocabularySize | None,
        features: Positive | None,
        max_length: Positive,
        num_classes: NumClasses,
        embedding: Positive,
        embeddings: Embeddings,
        vectors: str | None,
        hidden: Positive,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        self.steps = SequenceEmbedding(
            vocabulary_size, features, embedding, embeddings=embeddings, source=vectors
        )
        self.hidden = nn.Sequential(
            Dropout(dropout),
            nn.Linear(max_length * self.steps.width, hidden),
            nn.ReLU(),
            Dropout(dropout),
        )
        self.head = nn.Linear(hidden, num_classes)
        self.example_input_array = self.steps.example(max_length)

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to logits (B, K).

        Raises:
            ValueError: another layout, or more steps than are flattened.
        """
        return self.head(self.hidden(self.padded(self.steps(sequences)).flatten(1)))

    def padded(self, steps: Tensor) -> Tensor:
        """Map steps (B, T, D), T at most L, to (B, L, D): zeros stand before those that are given.

        Raises:
            ValueError: there are more of them.
        """
        length, missing = self.hparams["max_length"], self.hparams["max_length"] - steps.shape[1]
        if missing < 0:
            raise ValueError(f"sequences have {steps.shape[1]} steps: {length} at most are wanted")
        return F.pad(steps, (0, 0, missing, 0))

    def export_spec(self) -> ExportSpec:
        """Sequences of the one length to logits."""
        entry = self.steps.entry(self.hparams["max_length"])
        return ExportSpec(self, {"sequences": entry}, ("logits",))
