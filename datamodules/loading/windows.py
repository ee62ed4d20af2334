"""Labelled recordings of unequal length, in memory as they are, and the windows that batches take.

Shapes: N recordings of L samples or frames each, B of a batch, T samples or frames of a window.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from datamodules.loading.labelled import Labelled
from datamodules.loading.storage import Arrays
from datamodules.sources.rows import Rows
from datamodules.utilities.draws import Key
from datamodules.utilities.windows import MOST, cut

MEMORY = 8 * 2**30  # bytes of a split; more would be refused by most machines
WINDOW_STREAM = 5  # of the random draws of a batch; 0 is augmentation's
SAMPLED = 10_000  # windows that `samples` holds at most, for pictures and the like

Choice = Literal["one", "spread"]


class Recordings:
    """Arrays of unequal length, one after the other; those of a batch are padded to the longest.

    Args:
        values: of all (M, ...).
        lengths: how many of them each has (N,).
    """

    def __init__(self, values: Tensor, lengths: Tensor) -> None:
        self.values, self.lengths, self.ends = values, lengths, lengths.cumsum(0)

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: Tensor) -> list[Tensor]:
        """Some of them, each (L, ...)."""
        bounds = torch.stack([self.ends - self.lengths, self.ends], 1)[rows].tolist()
        return [self.values[begin:end] for begin, end in bounds]

    def index_select(self, dim: int, rows: Tensor) -> Tensor:
        """Some of them as (B, longest L, ...), as a batch gathers them."""
        return pad_sequence(self.take(rows), batch_first=True)


class Windowed(Labelled):
    """Labelled recordings of which a batch takes windows.

    A subclass has `data.windows`, and ARRAYS of two names: the recordings and labels. With `one`
    all recordings have one length, that of a window. With `spread` they are kept as they are:
    training draws another window of each in each epoch, and all else takes those that cover it.
    """

    @property
    def window(self) -> int:
        """The length of a window, in samples or frames."""
        raise NotImplementedError

    @property
    def has_windows(self) -> bool:
        """Whether a recording may have several windows."""
        return bool(self.hparams["windows"] == "spread")

    @property
    def ragged(self) -> str | None:
        return self.ARRAYS[0] if self.has_windows else None

    @property
    def notes(self) -> list[str]:
        if not self.has_windows:
            return super().notes
        longest = max(int(arrays["lengths"].max()) for arrays in self.splits.values())
        rate = self.input.sample_rate
        return [
            *super().notes,
            f"windows   of {self.window / rate:.4g} s: training draws one of each recording (the "
            f"longest has {longest / rate:.1f} s), scores are means over up to {MOST} of each",
        ]

    def use_input(
        self, model_input: Any, info: Mapping[str, Any], classes: list[str] | None = None
    ) -> None:
        """As ever; where a model is only started from, these data keep their own windows."""
        own = self.hparams["windows"]
        super().use_input(model_input, info, classes)
        if classes is None and own != model_input.windows:
            self.hparams["windows"] = own
            self.model_input = type(model_input)(**{**vars(model_input), "windows": own})

    def array_arguments(self) -> dict[str, Any]:
        arguments = super().array_arguments()
        return {**arguments, "windows": "spread"} if self.has_windows else arguments

    def decode_recordings(
        self, rows: Rows, split: str, read: Callable[[Any], Any], skipped: list[str]
    ) -> Arrays:
        """What `read` makes of the rows, end to end, with their lengths and labels.

        Raises:
            ValueError: they do not fit in memory.
        """
        recordings, readable, size = [], [], 0
        for i, recording in self.decode_rows(rows, split, read, skipped):
            size += recording.nbytes
            if size > MEMORY:
                raise ValueError(
                    f"the {self.KIND.plural} of {split} take more than {MEMORY / 2**30:.0f} GiB of "
                    "memory: take one window of each with data.windows=one, or fewer of them with "
                    "data.limit"
                )
            recordings.append(recording)
            readable.append(i)
        lengths = np.array([len(recording) for recording in recordings], np.int64)
        samples, labels = self.ARRAYS
        return {
            samples: np.concatenate(recordings), "lengths": lengths, labels: rows.labels[readable],
        }  # fmt: skip

    def recordings(self, split: str) -> Recordings:
        """The recordings of a split."""
        values, lengths = (self.splits[split][name] for name in (self.ARRAYS[0], "lengths"))
        return Recordings(torch.from_numpy(values), torch.from_numpy(lengths))

    def tensors(self, split: str) -> tuple[Any, ...]:
        if not self.has_windows:
            return super().tensors(split)
        recordings = self.recordings(split)
        labels = torch.from_numpy(self.splits[split][self.ARRAYS[1]])
        return recordings, recordings.lengths, labels

    def choose(self, tensors: tuple[Tensor, ...], key: Key | None) -> tuple[Any, Tensor]:
        """What is taken of gathered tensors: (B, T, ...) or `Windows`, and labels (B,)."""
        if not self.has_windows:
            samples, labels = tensors
            return samples, labels
        padded, lengths, labels = tensors
        if key is not None:
            return draw_windows(padded, lengths, self.window, key), labels
        pairs = zip(padded, lengths.tolist(), strict=True)
        return cut([row[:length] for row, length in pairs], self.window), labels

    def arrays(self, split: str) -> tuple[Any, np.ndarray]:
        """As ever; of recordings the `Windows` that cover them, uint8."""
        if not self.has_windows:
            return super().arrays(split)
        labels = self.splits[split][self.ARRAYS[1]]
        rows = self.rows if split == "train" else np.arange(len(labels))
        recordings = self.recordings(split).take(torch.from_numpy(rows))
        return cut(recordings, self.window), labels[rows]

    def samples(self, split: str, count: int) -> Any:
        """As ever; fewer where their windows would be too many to hold."""
        if self.has_windows:
            lengths = self.splits[split]["lengths"]
            mean = np.minimum(-(-lengths // self.window), MOST).mean()
            count = min(count, max(int(SAMPLED / mean), 1))
        return super().samples(split, count)


def draw_windows(padded: Tensor, lengths: Tensor, window: int, key: Key) -> Tensor:
    """One window (B, T, ...) of each recording; where it begins is a function of the key.

    Args:
        padded: the recordings (B, longest L, ...).
        lengths: their own lengths (B,), each at least `window`.
    """
    draws = torch.randint(2**62, (key.size,), generator=key.generator(WINDOW_STREAM))
    starts = key.local_rows(draws).to(lengths.device) % (lengths - window + 1)
    places = starts[:, None] + torch.arange(window, device=lengths.device)
    return padded[torch.arange(len(padded), device=lengths.device)[:, None], places]
