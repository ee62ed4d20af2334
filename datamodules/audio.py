"""Sounds with one label each, in memory as mu-law ids.

    data/birds/crow/1.wav  data/birds/owl/7.flac     one folder a class
    data/birds/{train,val,test}/crow/1.wav           with splits of its own
    data/birds/labels.csv                            file,label[,split]
    data/birds/1.wav                                 no classes: one for all, enough for WaveNet
    hub layout (parquet)                             see layouts.py

A batch is ids (B, T), int64 in [0, levels), and labels (B,). A sound that is shorter than T ends
in digital silence, the level levels // 2. Of longer ones `windows` says what is taken; see
loading/windows.py.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from typing_extensions import Unpack

from datamodules.bundled.plucked_strings import plucked_strings
from datamodules.inputs.sound import SoundInput, decode
from datamodules.loading.labelled import LabelledArguments
from datamodules.loading.storage import Arrays
from datamodules.loading.windows import Choice, Windowed
from datamodules.sources.files import SOUNDS, find_files, list_folder
from datamodules.sources.rows import Rows, Source
from datamodules.sources.split_tables import split_tables
from datamodules.transforms.augment_sound import AugmentSound, SoundOptions
from datamodules.utilities.draws import Key
from datamodules.utilities.windows import Windows


class Sounds(Windowed):
    """One sound classification data set, or sounds to model.

    Args, besides `LabelledArguments`:
        sample_rate: samples per second that all are brought to.
        levels: of amplitude, mu-law.
        seconds: of a window; shorter sounds are filled up to it.
        windows: of longer sounds: one, their beginning; spread, another in each epoch, and scores
            are means over those that cover a sound.
        broken: what to do about a sound that cannot be read: stop, or skip and count it.
        augment: options of `datamodules.transforms.augment_sound`, on training batches.
    """

    BUNDLED: ClassVar[Mapping[str, Callable[[], Any]]] = {
        "plucked_strings": lambda: plucked_strings()
    }
    ARRAYS: ClassVar = ("ids", "labels")
    ARRAY_ARGUMENTS: ClassVar = (
        "sample_rate", "levels", "seconds", "validation", "test", "limit", "broken",
    )  # fmt: skip
    KIND: ClassVar = SOUNDS
    INPUT: ClassVar = SoundInput

    def __init__(
        self,
        *,
        sample_rate: Annotated[int, Field(ge=1000, le=192_000)],
        levels: Annotated[int, Field(ge=4, le=256, multiple_of=2)],
        seconds: Annotated[float, Field(gt=0, le=60)],
        windows: Choice,
        broken: Literal["error", "skip"],
        augment: SoundOptions | None = None,
        **shared: Unpack[LabelledArguments],
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.input = SoundInput(
            sample_rate=sample_rate, levels=levels, length=max(round(seconds * sample_rate), 2),
            windows=windows,
        )  # fmt: skip

    @property
    def window(self) -> int:
        length: int = self.input.length
        return length

    def use_input(
        self, model_input: Any, info: Mapping[str, Any], classes: list[str] | None = None
    ) -> None:
        super().use_input(model_input, info, classes)
        self.input = self.model_input
        self.hparams["seconds"] = model_input.length / model_input.sample_rate

    def read_source(self, location: Path | str, scratch: Path) -> Source:
        """The rows, not decoded yet; sounds that lie in no class folder are of one class."""
        if self.bundled or isinstance(location, str) or location.is_file():
            return super().read_source(location, scratch)
        if list_folder(location)[0] or split_tables(location, False, self.columns):
            return super().read_source(location, scratch)
        loose = find_files(location, SOUNDS)
        if not loose.samples:
            return super().read_source(location, scratch)
        rows = Rows(loose.samples, np.zeros(len(loose.samples), np.int64))
        name = location.absolute().name
        return Source({"all": rows}, [name], passed_over=loose.passed_over())

    def decode(self, rows: Rows, split: str, context: None, skipped: list[str]) -> Arrays:
        """Mu-law ids (N, T), uint8, and labels (N,); or of whole sounds, see `Windowed`."""
        if self.has_windows:
            return self.decode_recordings(rows, split, self.input.decode_all, skipped)
        read, shape = self.input.decode, (self.input.length,)
        ids, labels = self.decode_array(rows, split, read, shape, skipped)
        return {"ids": ids, "labels": labels}

    def fit(self, metadata: dict[str, Any]) -> dict[str, Any]:
        levels = np.arange(self.input.levels)
        tables = (torch.from_numpy(decode(one, len(levels))) for one in (levels, levels[1:] - 0.5))
        self.augment = AugmentSound(self.hparams["augment"] or {}, *tables)
        sizes = {name: getattr(self.input, name) for name in ("levels", "sample_rate")}
        return {**super().fit(metadata), **sizes}

    def batch(
        self, tensors: tuple[Tensor, ...], key: Key | None
    ) -> tuple[Tensor | Windows, Tensor]:
        """Ids (B, T), int64, or the windows that cover whole sounds, and labels (B,)."""
        ids, labels = self.choose(tensors, key)
        if isinstance(ids, Windows):
            return ids.map(Tensor.long), labels
        ids = ids.long()
        return ids if key is None else self.augment(ids, key), labels
