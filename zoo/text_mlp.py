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
from typing_extensions import Unpack

from zoo.config.types import Positive, Probability
from zoo.nn.dropout import Dropout
from zoo.nn.text_classifier import TextClassifier, VectorArguments
from zoo.pretrained.export_spec import ExportSpec


class TextMLP(TextClassifier):
    """A multi-layer perceptron on all steps at once.

    Args:
        max_length: steps that are flattened; set by the data.
        hidden: units of the hidden layer.
        dropout: of the flattened row and behind the hidden layer.
        text: what all classifiers of texts take that may start from word vectors.
    """

    def __init__(
        self,
        *,
        max_length: Positive,
        hidden: Positive,
        dropout: Probability,
        **text: Unpack[VectorArguments],
    ) -> None:
        super().__init__(**text)
        self.save_hyperparameters(logger=False)
        self.hidden = nn.Sequential(
            Dropout(dropout),
            nn.Linear(max_length * self.steps.width, hidden),
            nn.ReLU(),
            Dropout(dropout),
        )
        self.head = nn.Linear(hidden, text["num_classes"])
        self.example_input_array = self.steps.example(max_length)

    def forward(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to logits (B, K).

        Raises:
            ValueError: another layout, or more steps than are flattened.
        """
        return self.head(self.forward_features(sequences))

    def forward_features(self, sequences: Tensor) -> Tensor:
        """Map word ids (B, T), or numbers (B, T, F), to the hidden layer, (B, hidden).

        Raises:
            ValueError: another layout, or more steps than are flattened.
        """
        return self.hidden(self.padded(self.steps(sequences)).flatten(1))

    def padded(self, steps: Tensor) -> Tensor:
        """Map steps (B, T, D), T at most L, to (B, L, D): with zeros before them.

        Raises:
            ValueError: there are more of them.
        """
        length, missing = self.hparams["max_length"], self.hparams["max_length"] - steps.shape[1]
        if missing < 0:
            raise ValueError(f"sequences have {steps.shape[1]} steps: {length} at most are wanted")
        return F.pad(steps, (0, 0, missing, 0))

    def export_spec(self) -> ExportSpec:
        """Sequences of the one length to logits."""
        sequences = self.steps.input_spec(self.hparams["max_length"])
        return ExportSpec(self, {"sequences": sequences}, ("logits",))
