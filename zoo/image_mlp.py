"""Image classification by dense layers alone: a picture is a row of features (slide 7).

The network that came before convolution (Rumelhart et al. 1986, Learning representations by
back-propagating errors): 28 x 28 pixels are 784 features, and no layer knows which of them are
neighbours. Shuffling the pixels of all pictures alike would change nothing.

Departs from the paper: rectified units, dropout after each (Srivastava et al. 2014,
https://jmlr.org/papers/v15/srivastava14a.html).

It learns by cross-entropy on labels, smoothed and weighted as asked: `Classifier.scores`
(zoo/nn/supervised.py), in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B images, C channels, S x S pixels, K classes.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.config.types import NumClasses, Positive, Probability
from zoo.figures import raster
from zoo.figures.kinds import Picture
from zoo.nn.dropout import Dropout
from zoo.nn.optim import Recipe
from zoo.nn.shapes import check_images
from zoo.nn.supervised import Classifier

UNITS = 64  # units of the first layer in its figure


class ImageMLP(Classifier):
    """A multi-layer perceptron on the pixels.

    Args:
        channels, image_size, num_classes: set by the data.
        widths: units of each hidden layer; none at all is logistic regression.
        dropout: after each hidden layer.
    """

    export_names = ("images", "logits")

    def __init__(
        self,
        *,
        channels: Positive,
        image_size: Positive,
        num_classes: NumClasses,
        widths: list[Positive],
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        sizes = [channels * image_size**2, *widths]
        self.hidden = nn.Sequential(
            nn.Flatten(),
            *(
                nn.Sequential(nn.Linear(a, b), nn.ReLU(), Dropout(dropout))
                for a, b in pairwise(sizes)
            ),
        )
        self.head = nn.Linear(sizes[-1], num_classes)
        self.example_input_array = torch.zeros(1, channels, image_size, image_size)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, S, S) of the one size to logits (B, K).

        Raises:
            ValueError: another layout or size.
        """
        return self.head(self.forward_features(images))

    def forward_features(self, images: Tensor) -> Tensor:
        """Map images (B, C, S, S) to what the last layer sees, (B, widths[-1]).

        Raises:
            ValueError: another layout or size.
        """
        check_images(images, self.hparams["channels"], self.hparams["image_size"])
        return self.hidden(images)

    def figures(self, batch: tuple[Tensor, Tensor]) -> dict[str, Picture]:
        first = next(layer for layer in self.modules() if isinstance(layer, nn.Linear))
        shape = (-1, *self.example_input_array.shape[1:])  # type: ignore[union-attr]
        weights = first.weight.detach().float().cpu()[:UNITS].reshape(shape)
        filters = raster.filters(weights.numpy())
        return {**super().figures(batch), "What the first units look for": filters}
