"""The minutes that an auto run may take, over all of its starts."""

import json
from pathlib import Path
from threading import Lock
from time import monotonic

from zoo.utilities.files import replace

EVERY = 2.0  # seconds between two writes of what is used


class OutOfTime(Exception):
    """There is no time left for a candidate."""


class Clock:
    """Counts the seconds used, and keeps them in a file.

    Args:
        path: of that file.
        minutes: that there are in all.
    """

    def __init__(self, path: Path, minutes: float) -> None:
        self.path, self.seconds = path, 60 * minutes
        self.before = json.loads(path.read_text())["seconds"] if path.exists() else 0.0
        self.start = self.saved = monotonic()
        self.lock = Lock()  # folds of a pipeline are done in threads

    @property
    def used(self) -> float:
        """Seconds of all starts."""
        return float(self.before + monotonic() - self.start)

    @property
    def left(self) -> float:
        """Seconds; below 0 when they are used up."""
        return self.seconds - self.used

    def tick(self) -> None:
        """Write what is used, if it is some seconds ago that it was written."""
        if monotonic() - self.saved > EVERY:
            self.save()

    def save(self) -> None:
        with self.lock:
            self.saved = monotonic()
            replace(self.path, json.dumps({"seconds": round(self.used, 2)}))
