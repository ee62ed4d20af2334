"""metrics.csv: one row a log call; opened again, it goes on (Lightning deletes its own)."""

import csv
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from zoo.utilities.files import replacing

Row = dict[str, str]


class CSVLogger(Logger):
    """Append metrics to <save_dir>/metrics.csv; a new metric becomes a new column.

    Args:
        save_dir: a folder; a relative one in a config is under the run's.
    """

    def __init__(self, *, save_dir: str) -> None:
        super().__init__()
        self.path = Path(save_dir) / "metrics.csv"
        rows = read(self.path)
        self.columns, self.rows = list(rows[0]) if rows else ["epoch", "step"], len(rows)

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any
    ) -> None:
        """Nothing: the run's config.yaml holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        row = {"step": str(step), **{name: f"{value:.7g}" for name, value in metrics.items()}}
        new = [name for name in row if name not in self.columns]
        if new or not self.path.exists():
            self.columns += new
            write(self.path, self.columns, read(self.path))
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)
        self.rows += 1


def read(path: Path) -> list[Row]:
    """The rows of a metrics file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: list[str], rows: list[Row]) -> None:
    """Write a whole metrics file in place of the one there."""
    with replacing(path) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def cut(path: Path, count: int) -> None:
    """Keep so many rows: those after them are of steps that are done again from a checkpoint."""
    rows = read(path)
    if len(rows) > count:
        write(path, list(rows[0]), rows[:count])
