"""WaveNet: a generative model for raw sound, and a classifier on the same stack.

Every sample is predicted from those before it by a stack of causal convolutions of two taps whose
dilation doubles layer by layer (van den Oord et al. 2016, https://arxiv.org/abs/1609.03499): ten
layers see 1024 samples (128 ms at 8 kHz). While it generates, each layer keeps what it will need in
a queue, a step a layer and sample (Le Paine et al. 2016, https://arxiv.org/abs/1611.09482).

Departs from the paper: ids are embedded, near levels near each other at first, where it has a
causal convolution over one-hot input; the two taps of a layer are one matrix, and so are its two
outputs, which is the same function.

`WaveNet` learns by cross-entropy a sample (`WaveNet.scores`), the classifier by that of labels
(zoo/nn/supervised.py), both in the step of `ZooModule.training_step` (zoo/nn/module.py).

Shapes: B sounds, T samples, F frames, C residual channels, S skip channels, Q amplitude levels,
K classes, L layers.
"""

import math
from collections import deque
from collections.abc import Iterator
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from datamodules.utilities.windows import Windows, one_window
from zoo.config.types import NumClasses, Positive, Probability
from zoo.figures.evaluation import spectra
from zoo.figures.kinds import Audio, Picture, Table
from zoo.nn.dropout import Dropout
from zoo.nn.module import ZooModule
from zoo.nn.optim import Recipe
from zoo.nn.shapes import at_least_float32, check_layout, check_pair
from zoo.nn.supervised import Classifier
from zoo.pretrained.export_spec import ExportSpec, InputSpec

Layers = Annotated[int, Field(ge=1, le=14)]
Levels = Annotated[int, Field(ge=4, le=256)]
SOUNDS = 4  # beside which generated ones are put in the report


class ResidualBlock(nn.Module):
    """The gated unit (section 2.3) with its residual and skip outputs (figure 4)."""

    def __init__(self, channels: int, skip_channels: int) -> None:
        super().__init__()
        self.outputs = [channels, skip_channels]
        self.gated = nn.Conv1d(2 * channels, 2 * channels, kernel_size=1)
        self.output = nn.Conv1d(channels, channels + skip_channels, kernel_size=1)

    def forward(self, x: Tensor, past: Tensor, condition: Tensor | float) -> tuple[Tensor, Tensor]:
        """Map x and what x was a dilation before, both (B, C, T), to (B, C, T) and (B, S, T).

        Args:
            condition: is added before the gate, (B, 2 C, 1); section 2.5.
        """
        gated = self.gated(torch.cat([past, x], 1)) + condition
        signal, gate = gated.chunk(2, dim=1)  # 2 x (B, C, T)
        residual, skip = self.output(signal.tanh() * gate.sigmoid()).split(self.outputs, dim=1)
        return x + residual, skip


class Stack(nn.Module):
    """Blocks whose dilations run 1, 2, 4, ..., as often as there are stacks; their skips' sum."""

    def __init__(self, channels: int, skip_channels: int, layers: int, stacks: int) -> None:
        super().__init__()
        self.dilations = [2**i for i in range(layers)] * stacks
        self.blocks = nn.ModuleList(ResidualBlock(channels, skip_channels) for _ in self.dilations)

    def forward(self, x: Tensor, conditions: list[Tensor] | None = None) -> Tensor:
        """Map (B, C, T) to (B, S, T).

        Args:
            conditions: for each block one (B, 2 C, 1).
        """
        skips: Any = 0
        for i, (block, dilation) in enumerate(zip(self.blocks, self.dilations, strict=True)):
            past = F.pad(x, (dilation, 0))[..., : x.shape[2]]  # zeros before the beginning
            x, skip = block(x, past, conditions[i] if conditions else 0.0)
            skips = skips + skip
        return skips

    def queues(self, x: Tensor) -> list[deque[Tensor]]:
        """For each block its last inputs (B, C, 1), as many as its dilation; zeros at first."""
        return [deque([torch.zeros_like(x)] * dilation) for dilation in self.dilations]

    def step(self, x: Tensor, queues: list[deque[Tensor]], conditions: list[Tensor]) -> Tensor:
        """Map one sample (B, C, 1) to (B, S, 1), as `forward` would at its place."""
        skips: Any = 0
        for block, queue, condition in zip(self.blocks, queues, conditions, strict=True):
            queue.append(x)
            x, skip = block(x, queue.popleft(), condition)
            skips = skips + skip
        return skips


class WaveNet(ZooModule):
    """Next-sample classifier over mu-law amplitudes, conditioned on the class of the sound.

    Args:
        levels, num_classes: set by the data.
        channels: of the residual path.
        skip_channels: of the path to the output, and of its hidden layer.
        layers: layers a stack; dilations run 1, 2, 4, ..., 2 ** (layers - 1).
        stacks: how often the dilations repeat.
    """

    head_prefixes = ("conditions.",)

    def __init__(
        self,
        *,
        levels: Levels,
        num_classes: Positive,
        channels: Positive,
        skip_channels: Positive,
        layers: Layers,
        stacks: Positive,
        optimizer: Recipe,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.embedding = nn.Embedding.from_pretrained(cosines(levels, channels), freeze=False)
        self.stack = Stack(channels, skip_channels, layers, stacks)
        self.conditions = nn.Embedding(num_classes, 2 * channels * layers * stacks)
        nn.init.zeros_(self.conditions.weight)  # the classes part while it learns
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(skip_channels, skip_channels, kernel_size=1),
            nn.ReLU(),
            nn.Conv1d(skip_channels, levels, kernel_size=1),
        )
        self.example_input_array = torch.zeros(1, 64, dtype=torch.int64)

    @property
    def receptive_samples(self) -> int:
        """How many samples, the newest among them, a prediction depends on."""
        return 1 + sum(self.stack.dilations)

    @property
    def receptive_field(self) -> str:
        return f"{self.receptive_samples} samples"

    def forward(self, ids: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map amplitudes (B, T) to logits (B, Q, T); logits at t predict sample t + 1.

        Args:
            labels: the classes (B,); without them the mean of all.

        Raises:
            ValueError: another layout.
        """
        return self.head(self.forward_features(ids, labels))

    def forward_features(self, ids: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map amplitudes (B, T), and the classes as for `forward`, to the skips' sum (B, S, T).

        Raises:
            ValueError: another layout.
        """
        check_layout("sounds", ids, "B", "T")
        x = self.embedding(ids).transpose(1, 2)  # (B, C, T)
        return self.stack(x, self._conditions(labels))

    def _conditions(self, labels: Tensor | None) -> list[Tensor]:
        """The condition of each block, L x (B, 2 C, 1)."""
        mean = self.conditions.weight.mean(0, keepdim=True)
        rows = mean if labels is None else self.conditions(labels)  # (B, L * 2 C)
        return list(rows[..., None].chunk(len(self.stack.blocks), dim=1))

    def export_spec(self) -> ExportSpec:
        """Sounds of any length and their classes to logits."""
        ids = InputSpec(("batch", "length"), below=self.hparams["levels"])
        labels = InputSpec(("batch",), below=self.hparams["num_classes"])
        inputs = {"ids": ids, "labels": labels}
        return ExportSpec(self, inputs, ("logits",), {"length": (1, 64)})

    def postprocess(self, output: Tensor) -> list[dict[str, Any]]:
        """Map logits (B, Q, T) to the level that most likely comes next, and its probability."""
        probability, level = output[..., -1].float().softmax(1).max(1)
        pairs = zip(level.tolist(), probability.tolist(), strict=True)
        return [{"level": one, "probability": share} for one, share in pairs]

    def stream(self, labels: Tensor | None, temperature: float, seed: int) -> Iterator[Tensor]:
        """Draw sample after sample (B,), without end, in steps whose cost does not grow.

        Args:
            labels: the classes (B,); None draws one sound of none.
            temperature: below 1 is nearer the likeliest; 0 is the likeliest.
        """
        random = torch.Generator().manual_seed(seed)
        conditions = self._conditions(labels)
        ids = torch.full((len(conditions[0]),), self.hparams["levels"] // 2, device=self.device)
        queues = self.stack.queues(self.embedding(ids)[..., None])
        while True:  # it begins in silence
            yield ids
            x = self.embedding(ids)[..., None]  # (B, C, 1)
            logits = at_least_float32(self.head(self.stack.step(x, queues, conditions))[..., 0])
            ids = draw(logits.cpu(), temperature, random).to(self.device)

    @torch.inference_mode()
    def generate(
        self, labels: Tensor | None, *, length: int, temperature: float, seed: int
    ) -> Tensor:
        """Draw ids (B, length) of the classes (B,); see `stream`."""
        samples = self.stream(labels, temperature, seed)
        return torch.stack([next(samples) for _ in range(length)], dim=1)

    def sample(
        self,
        *,
        seconds: float = 1.0,
        label: str | None = None,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> Audio:
        """Draw a sound, of one class or of each.

        Raises:
            ValueError: no input is attached, no such class, or numbers out of range.
        """
        if self.input is None:
            raise ValueError("this model has no input: load it with its weights (zoo.load)")
        if not (seconds > 0 and temperature >= 0):
            raise ValueError(
                f"seconds is {seconds} and temperature {temperature}: above zero, and zero or above"
            )
        classes = self.classes or []
        if label is not None and label not in classes:
            raise ValueError(f"label is {label!r}: it must be one of {', '.join(classes)}")
        captions = classes if label is None else [label]
        labels = torch.tensor([classes.index(c) for c in captions], device=self.device)
        length = max(round(seconds * self.input.sample_rate), 1)
        ids = self.generate(labels, length=length, temperature=temperature, seed=seed)
        return Audio(self.input.restore(ids), self.input.sample_rate, captions)

    def predict_batch(self, batch: Tensor | Windows) -> list[Any]:
        """What comes next; of a sound with windows after the last of them, which is its end."""
        return self.postprocess(self(batch.last() if isinstance(batch, Windows) else batch))

    def scores(self, batch: tuple[Any, Tensor], stage: str) -> dict[str, Tensor]:
        """Nats and bits a sample, of sounds or the mean over the windows of each."""
        sounds, labels = check_pair(batch, self)
        if isinstance(sounds, Windows):
            size, each = len(sounds), labels.repeat_interleave(sounds.counts)
            parts = zip(sounds.inputs.split(size), each.split(size), strict=True)
            means = sounds.mean(torch.cat([self.losses(*part) for part in parts]))
        else:
            means = self.losses(sounds, labels)
        return {"loss": means, "bits_per_sample": means / math.log(2)}

    def losses(self, ids: Tensor, labels: Tensor) -> Tensor:
        """Nats a sample (B,), of the second to the last that is not padding."""
        logits = at_least_float32(self(ids[:, :-1], labels))
        losses = F.cross_entropy(logits, ids[:, 1:], reduction="none")  # (B, T - 1)
        real = sounding(ids, self.hparams["levels"] // 2)[:, 1:]
        return (losses * real).sum(1) / real.sum(1).clamp(min=1)

    def figures(self, batch: tuple[Any, Tensor]) -> dict[str, Picture]:
        """Real sounds, each before a generated one of its class; spectra; receptive fields."""
        ids, labels = (one_window(part)[:SOUNDS] for part in batch)
        rate = self.input.sample_rate
        draws = self.generate(labels.to(self.device), length=ids.shape[1], temperature=1.0, seed=0)
        real, fake = self.input.restore(ids), self.input.restore(draws)
        names = [(self.classes or [])[i] for i in labels.tolist()]
        waves = [wave for pair in zip(real, fake, strict=True) for wave in pair]
        captions = [f"{name}, {kind}" for name in names for kind in ("real", "drawn")]
        return {
            "Real sounds and drawn ones": Audio(waves, rate, captions),
            f"Spectrum of {names[0]}": spectra({"real": real[0], "drawn": fake[0]}, rate),
            "Receptive field": self.receptive_fields(rate),
        }

    def receptive_fields(self, rate: int) -> Table:
        """How far back each layer sees, at `rate` samples per second."""
        rows, field = [], 1
        for layer, dilation in enumerate(self.stack.dilations, start=1):
            field += dilation
            rows.append((str(layer), str(dilation), str(field), f"{1000 * field / rate:.1f}"))
        return Table(("layer", "dilation", "samples seen", "milliseconds"), rows)


class Frames(nn.Module):
    """A spectrogram that learns: the log power of pairs of filters, which begin as Fourier's.

    The pairs are cosines and sines under a Hann window, evenly spaced up to half the sample rate.
    """

    def __init__(self, channels: int, window: int, stride: int) -> None:
        super().__init__()
        turns = math.pi * (torch.arange(channels)[:, None] + 0.5) / channels * torch.arange(window)
        hann = torch.hann_window(window) * 2 / window
        self.filters = nn.Conv1d(1, 2 * channels, window, stride, bias=False)
        self.filters.weight.data = (torch.cat([turns.cos(), turns.sin()]) * hann)[:, None]
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, waves: Tensor) -> Tensor:
        """Map waves (B, T) in [-1, 1] to (B, C, F)."""
        cosine, sine = self.filters(waves[:, None].to(self.filters.weight.dtype)).chunk(2, dim=1)
        return self.norm((cosine**2 + sine**2 + 1e-6).log())


class SoundClassifier(Classifier):
    """The stack over frames of a sound, averaged over time; the paper's section 3.4.

    Departs from the paper: frames are made before the stack, not after it, so that a stack of few
    layers sees a whole word.

    Args:
        levels, num_classes: set by the data.
        window, stride: of a frame, in samples.
        channels, skip_channels, layers, stacks: as of `WaveNet`, on frames.
        dropout: before the last layer.
    """

    def __init__(
        self,
        *,
        levels: Levels,
        num_classes: NumClasses,
        window: Positive,
        stride: Positive,
        channels: Positive,
        skip_channels: Positive,
        layers: Layers,
        stacks: Positive,
        dropout: Probability,
        label_smoothing: Probability,
        optimizer: Recipe,
    ) -> None:
        super().__init__(label_smoothing)
        self.save_hyperparameters(logger=False)
        self.frames = Frames(channels, window, stride)
        self.stack = Stack(channels, skip_channels, layers, stacks)
        self.norm = nn.BatchNorm1d(skip_channels)
        self.head = nn.Sequential(Dropout(dropout), nn.Linear(skip_channels, num_classes))
        self.example_input_array = torch.zeros(1, 2 * window, dtype=torch.int64)

    @property
    def receptive_field(self) -> str:
        own = self.hparams
        samples = own["window"] + own["stride"] * sum(self.stack.dilations)
        return f"{samples} samples, averaged over the sound"

    def forward(self, ids: Tensor) -> Tensor:
        """Map amplitudes (B, T), at least a window of them, to logits (B, K).

        Raises:
            ValueError: another layout, or too short.
        """
        return self.head(self.forward_features(ids))

    def forward_features(self, ids: Tensor) -> Tensor:
        """Map amplitudes (B, T) to the mean of the skips over time, (B, S).

        Raises:
            ValueError: another layout, or too short.
        """
        check_layout("sounds", ids, "B", "T")
        length, least = ids.shape[1], self.hparams["window"]
        if length < least:
            raise ValueError(f"sounds have {length} samples on axis 1: at least {least} are needed")
        skips = self.stack(self.frames(amplitudes(ids, self.hparams["levels"])))  # (B, S, F)
        return self.norm(skips).relu().mean(2)

    def export_spec(self) -> ExportSpec:
        """Sounds of any length, of a window at least, to logits."""
        window = self.hparams["window"]
        ids = InputSpec(("batch", "length"), below=self.hparams["levels"])
        sizes = {"length": (window, 2 * window + 4 * self.hparams["stride"])}
        return ExportSpec(self, {"ids": ids}, ("logits",), sizes)


def amplitudes(ids: Tensor, levels: int) -> Tensor:
    """Map mu-law ids (B, T) to amplitudes in [-1, 1]; the inverse of section 2.2's formula."""
    mu = levels - 1
    pressed = 2 * ids.float() / mu - 1
    return pressed.sign() * torch.expm1(pressed.abs() * math.log1p(mu)) / mu


def cosines(levels: int, channels: int) -> Tensor:
    """Vectors (Q, C) for the levels to begin with, such that near levels have near vectors."""
    middles = (torch.arange(levels)[:, None] + 0.5) / levels  # (Q, 1)
    return torch.cos(math.pi * middles * torch.arange(1, channels + 1))


def draw(logits: Tensor, temperature: float, random: torch.Generator) -> Tensor:
    """Draw levels (B,) from logits (B, Q)."""
    if temperature == 0:
        return logits.argmax(1)
    return torch.multinomial((logits / temperature).softmax(1), 1, generator=random)[:, 0]


def sounding(ids: Tensor, silence: int) -> Tensor:
    """Which samples (B, T) are followed by any but silence, or are none: the rest is padding."""
    return (ids != silence).int().flip(1).cumsum(1).flip(1) > 0
