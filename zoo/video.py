"""Video classification: 3-D convolution over the clip, or a recurrent layer over its frames.

`VideoConv3D` treats time as a third axis of the picture: kernels of 3 x 3 x 3 throughout, and time
is not pooled before space (C3D, Tran et al. 2015, https://arxiv.org/abs/1412.0767, section 3).

`VideoRecurrent` looks at each frame with the same small 2-D network and carries what it saw on with
a gated recurrent layer (Donahue et al. 2015, https://arxiv.org/abs/1411.4389, figure 1).

The third way, frames tiled to one large picture, needs no model of its own: it is the image network
on `data.unfold=true` (conf/model/video_unfolded.yaml).

Departs from the papers: batch normalisation after each convolution; strides where C3D pools; the
mean over what is left in place of its two dense layers, so that any length and size will do; the
frame network learns from scratch and keeps a grid of places, because motion is a change of place.

Both learn by cross-entropy on labels, smoothed and weighted as asked: `Classifier.scores`
(zoo/nn/supervised.py), in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B clips, C channels, T frames, H x W pixels, K classes.
"""

from itertools import chain, pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation, Conv3dNormActivation

from datamodules.utilities.windows import one_window
from zoo.config.types import NumClasses, Positive, Probability, Widths
from zoo.figures.kinds import Picture, Strip
from zoo.nn import recurrent
from zoo.nn.dropout import Dropout
from zoo.nn.optim import Recipe
from zoo.nn.shapes import check_layout, receptive_field
from zoo.nn.supervised import Batch, Classifier
from zoo.pretrained.export_spec import ExportSpec, InputSpec

EXAMPLES = 8  # clips, each a row of its frames


class VideoClassifier(Classifier):
    """What both share: the layout of a clip, and its picture."""

    def export_sizes(self) -> dict[str, tuple[int, int]]:
        """The least length, height and width of clips, and those of the example."""
        raise NotImplementedError

    def export_spec(self) -> ExportSpec:
        """Clips of any length and size to logits."""
        clips = InputSpec(("batch", self.hparams["channels"], "length", "height", "width"))
        return ExportSpec(self, {"clips": clips}, ("logits",), self.export_sizes())

    @torch.inference_mode()
    def figures(self, batch: Batch) -> dict[str, Picture]:
        """Also the first clip of each class, at most eight of them, and the answer for it."""
        if self.input is None or self.classes is None:
            return super().figures(batch)
        clips, labels = batch
        rows = [int((labels == label).nonzero()[0]) for label in labels.unique()[:EXAMPLES]]
        examples = clips[rows]
        answers = self.postprocess(self.logits(examples.to(self.device)))
        captions = [
            f"{self.classes[int(labels[i])]}, answered {answer['label']}"
            for i, answer in zip(rows, answers, strict=True)
        ]
        frames = list(self.input.restore(one_window(examples)))
        strip = Strip(frames, captions, self.input.sample_rate)
        return {**super().figures(batch), "A clip of each class": strip}


class VideoConv3D(VideoClassifier):
    """A small 3-D convolutional network for clips of any length and size.

    Args:
        channels, num_classes: set by the data.
        widths: channels of the stem, which quarters the frames, and of each stage; each stage but
            the first halves the clip in time and space.
        dropout: before the last layer.
    """

    def __init__(
        self,
        *,
        channels: Positive,
        num_classes: NumClasses,
        widths: Widths,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        first = Conv3dNormActivation(channels, widths[0], stride=(1, 2, 2), inplace=None)
        self.stem = nn.Sequential(*first, nn.MaxPool3d((1, 2, 2)))
        pairs = enumerate(pairwise(widths))
        self.stages = nn.Sequential(*(Stage(a, b, stride=2 if i else 1) for i, (a, b) in pairs))
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(widths[-1], num_classes)
        self.example_input_array = torch.zeros(1, channels, 10, 30, 30)  # any will do

    @property
    def receptive_field(self) -> str:
        layers = [*self.stem.modules(), *self.stages.modules()]
        side = receptive_field(layers)
        return (
            f"{receptive_field(layers, 0)} frames of {side} x {side} pixels, averaged over the clip"
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Map clips (B, C, T, H, W) of any length and size to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        return self.head(self.dropout(self.forward_features(clips)))

    def forward_features(self, clips: Tensor) -> Tensor:
        """Map clips (B, C, T, H, W) to the mean of each of the last maps, (B, widths[-1]).

        Raises:
            ValueError: another layout.
        """
        check_layout("clips", clips, "B", self.hparams["channels"], "T", "H", "W")
        maps = self.stages(self.stem(clips))  # (B, widths[-1], T / 2, H / 8, W / 8) for 3 widths
        return maps.mean((2, 3, 4))

    def export_sizes(self) -> dict[str, tuple[int, int]]:
        deep = 2 ** len(self.hparams["widths"])  # its last map has several pixels
        side, length = max(30, 2 * deep), max(10, deep)
        return {"length": (1, length), "height": (4, side), "width": (4, side + 2)}


class Stage(nn.Module):
    """Two convolutions: the first may halve the clip, the second is added to it."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = Conv3dNormActivation(inputs, width, stride=stride, inplace=None)
        self.second = Conv3dNormActivation(width, width, inplace=None)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, inputs, T, H, W) to (B, width, T / stride, H / stride, W / stride)."""
        maps = self.first(maps)
        return maps + self.second(maps)


class VideoRecurrent(VideoClassifier):
    """A 2-D network on each frame, a recurrent layer over the frames, its last state classified.

    Args:
        channels, num_classes: set by the data.
        widths: channels of the frame network's convolutions, each of which halves the frame.
        grid: what is left of a frame is averaged to grid x grid places.
        cell: the recurrent layer.
        hidden: size of its state.
        dropout: before the last layer.
    """

    def __init__(
        self,
        *,
        channels: Positive,
        num_classes: NumClasses,
        widths: Widths,
        grid: Positive,
        cell: Literal["gru", "lstm"],
        hidden: Positive,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        halvings = [
            Conv2dNormActivation(a, b, stride=2, inplace=None)
            for a, b in pairwise([channels, *widths])
        ]
        self.frame = nn.Sequential(*chain(*halvings), Places(grid), nn.Flatten())
        self.recurrent = recurrent.LAYERS[cell](widths[-1] * grid**2, hidden, batch_first=True)
        self.dropout = Dropout(dropout)
        self.head = nn.Linear(hidden, num_classes)
        self.example_input_array = torch.zeros(1, channels, 10, 30, 30)  # any will do

    def forward(self, clips: Tensor) -> Tensor:
        """Map clips (B, C, T, H, W) of any length and size to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        return self.head(self.dropout(self.forward_features(clips)))

    def forward_features(self, clips: Tensor) -> Tensor:
        """Map clips (B, C, T, H, W) to the last state, (B, hidden).

        Raises:
            ValueError: another layout.
        """
        states, _ = recurrent.run(self.recurrent, self.frames(clips))  # (B, T, hidden)
        return states[:, -1]

    def frames(self, clips: Tensor) -> Tensor:
        """Map clips (B, C, T, H, W) to what the recurrent layer sees, (B, T, widths[-1] * grid²).

        Raises:
            ValueError: another layout.
        """
        check_layout("clips", clips, "B", self.hparams["channels"], "T", "H", "W")
        frames = clips.transpose(1, 2)  # (B, T, C, H, W)
        return self.frame(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])

    def export_sizes(self) -> dict[str, tuple[int, int]]:
        least = 2 ** len(self.hparams["widths"]) + 1  # torch traces no map of a single pixel
        side = (least, 2 * least)
        return {"length": (1, 10), "height": side, "width": side}


class Places(nn.AdaptiveAvgPool2d):
    """The mean over each of grid x grid places of a map.

    In a program it is two matrices: what torch.onnx 2.14 writes for torch's layer fails at run time
    on maps of another size than the example's.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C, grid, grid)."""
        if not torch.compiler.is_exporting():
            pooled: Tensor = super().forward(maps)
            return pooled
        rows, columns = (shares(size, self.output_size) for size in maps.shape[2:])
        return rows @ maps @ columns.t()


def shares(size: int, places: Any) -> Tensor:
    """What each of `size` pixels adds to each place of torch's adaptive mean, (places, size)."""
    place, pixel = torch.arange(places)[:, None], torch.arange(size)
    first, end = place * size // places, ((place + 1) * size + places - 1) // places
    inside = ((pixel >= first) & (pixel < end)).float()
    return inside / inside.sum(1, keepdim=True)
