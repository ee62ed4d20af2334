"""SIGTERM and SIGINT while a model learns: remembered, and answered at the end of a step."""

import os
import signal
import threading
from types import FrameType
from typing import Any

HANDLED = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Which signal has come. Its handler does nothing else: no file, no message to a process."""

    def __init__(self) -> None:
        self.received = 0
        self.before: dict[int, Any] = {}

    def install(self) -> None:
        """Take the place of the handlers that are there, Lightning's among them."""
        if threading.current_thread() is threading.main_thread():
            self.before = {one: signal.signal(one, self.remember) for one in HANDLED}

    def restore(self) -> None:
        """Put them back."""
        for one, handler in self.before.items():
            signal.signal(one, handler)
        self.before = {}

    def remember(self, number: int, frame: FrameType | None) -> None:
        """Note the signal; a second Ctrl-C does not wait for the step to end."""
        if self.received == number == signal.SIGINT and "RANK" not in os.environ:
            raise KeyboardInterrupt
        self.received = number
