"""Windows of what is long: where they lie, and what holds those of several recordings.

Shapes: N recordings of L samples or frames each, S windows of all of them, T samples or frames of a
window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MOST = 64  # windows of a recording that are judged: more move a mean little, and take their time


@dataclass
class Windows:
    """The windows of N recordings, those of the first, of the second, and so on.

    Args:
        inputs: the windows (S, ...).
        counts: how many each recording has (N,).
        starts: where each begins in its recording (S,).
    """

    inputs: Tensor
    counts: Tensor
    starts: Tensor

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self.counts)

    def __getitem__(self, recordings: slice | Sequence[int]) -> "Windows":
        """The windows of some of the recordings."""
        rows = torch.arange(len(self))[recordings].tolist()
        parts = [values.split(self.counts.tolist()) for values in (self.inputs, self.starts)]
        inputs, starts = (torch.cat([part[row] for row in rows]) for part in parts)
        return Windows(inputs, self.counts[rows], starts)

    def to(self, device: Any) -> "Windows":
        return Windows(self.inputs.to(device), self.counts.to(device), self.starts.to(device))

    def map(self, function: Callable[[Tensor], Tensor]) -> "Windows":
        """The same windows after a function of them."""
        return Windows(function(self.inputs), self.counts, self.starts)

    def split(self, size: int) -> Iterator["Windows"]:
        """Whole recordings, so many that they have about `size` windows together."""
        counts, first = self.counts.tolist(), 0
        for last in range(len(counts)):
            if last + 1 == len(counts) or sum(counts[first : last + 2]) > size:
                yield self[first : last + 1]
                first = last + 1

    def middle(self) -> Tensor:
        """One window of each recording (N, ...), to be shown: that in the middle."""
        ends = self.counts.cumsum(0)
        return self.inputs[ends - self.counts + self.counts // 2]

    def last(self) -> Tensor:
        """The last window of each recording (N, ...)."""
        return self.inputs[self.counts.cumsum(0) - 1]

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the windows of each recording: (S * R, ...) to (N * R, ...)."""
        rows = values.unflatten(0, (len(self.inputs), -1)).split(self.counts.tolist())
        return torch.cat([part.mean(0) for part in rows])  # (R, ...) of each

    def log_mean(self, logits: Tensor) -> Tensor:
        """The logarithm of the mean probability over the windows: (S, K) to (N, K)."""
        rows = logits.log_softmax(1).split(self.counts.tolist())
        return (
            torch.stack([part.logsumexp(0) for part in rows])
            - self.counts[:, None].to(logits).log()
        )


def one_window(batch: Any) -> Any:
    """One window of each recording (N, ...); a batch that has no windows is itself."""
    return batch.middle() if isinstance(batch, Windows) else batch


def starts_in(length: int, window: int, most: int | None = MOST) -> list[int]:
    """Where windows begin that cover a recording evenly, from its start to its end.

    There are as few as leave nothing out, or `most`.
    """
    count = -(-length // window)
    if most is not None:
        count = min(count, most)
    return [i * (length - window) // max(count - 1, 1) for i in range(count)]


def cut(recordings: Sequence[Tensor], window: int, most: int | None = MOST) -> Windows:
    """The windows that cover recordings, each (L, ...), L at least `window`."""
    starts = [starts_in(len(recording), window, most) for recording in recordings]
    inputs = [
        recording[start : start + window]
        for recording, its_starts in zip(recordings, starts, strict=True)
        for start in its_starts
    ]
    numbers = [start for its_starts in starts for start in its_starts]
    device = recordings[0].device
    counts = torch.tensor([len(its_starts) for its_starts in starts], device=device)
    return Windows(torch.stack(inputs), counts, torch.tensor(numbers, device=device))
