"""The handlers that a run installs remember a signal, and leave as they came."""

import os
import signal

import pytest

from zoo.distributed.signals import HANDLED, Signals


@pytest.fixture
def signals():
    before = [signal.getsignal(number) for number in HANDLED]
    found = Signals()
    found.install()
    assert [signal.getsignal(number) for number in HANDLED] != before
    yield found
    found.restore()
    assert [signal.getsignal(number) for number in HANDLED] == before


@pytest.mark.parametrize("number", HANDLED)
def test_a_signal_is_remembered_and_nothing_else_happens(number, signals):
    assert signals.received == 0
    os.kill(os.getpid(), number)
    assert signals.received == number


def test_a_second_interruption_does_not_wait(signals, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
