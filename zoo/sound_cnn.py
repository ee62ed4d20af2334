"""Sound classification by 2-D convolution over a log-mel spectrogram, read as a picture.

The power of short frames, in bands that are evenly spaced as pitch is heard, as logarithms (Davis &
Mermelstein 1980), is a picture with time across and pitch upwards, and blocks of
convolutions halve it as those of pictures do (Hershey et al. 2017,
https://arxiv.org/abs/1609.09430). While it learns, random stripes of bands and of frames are
blanked (SpecAugment, Park et al. 2019, https://arxiv.org/abs/1904.08779, section 2).

Departs from the papers: of the last maps the mean is taken over time alone, as a pitch is a place
of its own and no sound is the same an octave higher; each band is normalised over the training
batches, so that what is blanked is set to zero, its mean; time is not warped.

It learns by cross-entropy on labels (zoo/nn/supervised.py).

Shapes: B sounds, T samples, F frames, M bands, K classes, W channels of the last block.
"""

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from zoo.config.types import NumClasses, Positive, Probability, Widths
from zoo.image_cnn import Block
from zoo.nn.dropout import Dropout
from zoo.nn.mel import mel_filters
from zoo.nn.optim import Recipe
from zoo.nn.shapes import check_layout
from zoo.nn.supervised import Classifier
from zoo.pretrained.export_spec import ExportSpec, InputSpec
from zoo.wavenet import Levels, amplitudes

Share = Annotated[float, Field(ge=0, lt=1)]
QUIET = 1e-6  # power that is added, so that silence has a logarithm


class LogMel(nn.Module):
    """The log-mel spectrogram of a wave, in nats of power; nothing of it is learned.

    Args:
        sample_rate: samples a second.
        window, stride: of a frame, in samples; a frame passes a Hann window.
        bands: triangular filters between 0 Hz and half the sample rate.
    """

    def __init__(self, sample_rate: int, window: int, stride: int, bands: int) -> None:
        super().__init__()
        self.stride = stride
        turns = torch.arange(window // 2 + 1)[:, None] * torch.arange(window) / window
        waves = torch.cat([torch.cos(2 * torch.pi * turns), torch.sin(2 * torch.pi * turns)])
        hann = torch.hann_window(window, periodic=False)
        mel = torch.from_numpy(mel_filters(sample_rate, window, bands)).float()
        self.fourier: Tensor
        self.mel: Tensor
        self.register_buffer("fourier", (waves * hann)[:, None], persistent=False)
        self.register_buffer("mel", mel, persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """Map waves (B, T) in [-1, 1] to (B, M, F)."""
        parts = nn.functional.conv1d(waves[:, None], self.fourier, stride=self.stride)
        cosine, sine = parts.chunk(2, dim=1)
        power = self.mel @ (cosine.square() + sine.square())  # (B, M, F)
        return (power.clamp(min=0) + QUIET).log()


class SoundCNN(Classifier):
    """A small convolutional network on log-mel spectrograms, for sounds of any length.

    Args:
        levels, sample_rate, num_classes: set by the data.
        window, stride: of a frame, in samples.
        bands: of pitch, at least 2 for each block and the more the finer.
        widths: channels of each block, which halves the picture.
        mask_bands, mask_frames: share of the picture that a stripe of each may blank, at most,
            while training; two stripes of each.
        dropout: before the last layer.
    """

    STRIPES = 2  # of bands, and of frames (table 1 of SpecAugment: LD)

    def __init__(
        self,
        *,
        levels: Levels,
        sample_rate: Positive,
        num_classes: NumClasses,
        window: Annotated[int, Field(ge=16)],
        stride: Positive,
        bands: Positive,
        widths: Widths,
        mask_bands: Share,
        mask_frames: Share,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        rows = bands >> len(widths)  # that are left of the bands
        if rows == 0:
            raise ValueError(
                f"model.bands is {bands}: {len(widths)} blocks halve them, which takes "
                f"{2 ** len(widths)} at least"
            )
        self.log_mel = LogMel(sample_rate, window, stride, bands)
        self.norm = nn.BatchNorm1d(bands)
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in pairwise([1, *widths])))
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(rows * widths[-1], num_classes))
        self.example_input_array = torch.zeros(1, self.least, dtype=torch.int64)

    @property
    def least(self) -> int:
        """The samples of the shortest sound whose picture can be halved so often."""
        frames: int = 2 ** len(self.hparams["widths"])
        samples: int = self.hparams["window"] + self.hparams["stride"] * (frames - 1)
        return samples

    @property
    def receptive_field(self) -> str:
        frames = 1 + sum(6 * 2**i for i in range(len(self.blocks)))
        own = self.hparams
        samples = own["window"] + own["stride"] * (frames - 1)
        return f"{samples} samples, averaged over the sound"

    def forward(self, ids: Tensor) -> Tensor:
        """Map amplitudes (B, T), mu-law ids, to logits (B, K).

        Raises:
            ValueError: another layout.
        """
        return self.head(self.forward_features(ids))

    def forward_features(self, ids: Tensor) -> Tensor:
        """Map amplitudes (B, T) to the mean over time of each row of the last maps, (B, rows W).

        Sounds that are shorter than `least` end in silence.

        Raises:
            ValueError: another layout.
        """
        check_layout("sounds", ids, "B", "T")
        waves = amplitudes(ids, self.hparams["levels"]).to(self.log_mel.mel.dtype)
        if ids.shape[1] < self.least:
            waves = nn.functional.pad(waves, (0, self.least - ids.shape[1]))
        picture = self.norm(self.log_mel(waves))  # (B, M, F)
        if self.training:
            picture = self.blank(picture)
        return self.blocks(picture[:, None]).mean(3).flatten(1)

    def blank(self, picture: Tensor) -> Tensor:
        """Set random stripes of bands and of frames of pictures (B, M, F) to zero."""
        own = self.hparams
        for axis, share in ((1, own["mask_bands"]), (2, own["mask_frames"])):
            if share:
                draws = self.draw(torch.rand, len(picture), 2, self.STRIPES)
                outside = ~stripes(draws, picture.shape[axis], share)
                picture = picture * outside.unsqueeze(3 - axis)
        return picture

    def export_spec(self) -> ExportSpec:
        """Sounds of any length that can be halved so often to logits."""
        ids = InputSpec(("batch", "length"), below=self.hparams["levels"])
        sizes = {"length": (self.least, 2 * self.least + 4 * self.hparams["stride"])}
        return ExportSpec(self, {"ids": ids}, ("logits",), sizes)


def stripes(draws: Tensor, size: int, share: float) -> Tensor:
    """Which of `size` places (B, size) stripes cover.

    Args:
        draws: uniform in [0, 1), (B, 2, stripes): the width of each, of at most `share` of the
            places, and where it lies.
    """
    width = (draws[:, 0] * (int(share * size) + 1)).floor()  # (B, stripes)
    start = (draws[:, 1] * (size - width + 1)).floor()
    at = torch.arange(size, device=draws.device)
    inside = (at >= start[..., None]) & (at < (start + width)[..., None])
    return inside.any(1)
