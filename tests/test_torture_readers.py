"""Damaged files are a value or one line each, and what is worse is found (reliability, B)."""

from pathlib import Path

import pytest

from scripts import torture_readers
from scripts.torture_samples import GROUPS, Sample


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_fifty_damaged_files_are_a_value_or_one_line(group):
    assert [number for number, outcome in torture_readers.outcomes_of(group, 50)
            if outcome not in ("value", "refused")] == []  # fmt: skip


def test_a_seed_damages_a_file_in_one_way_and_the_first_of_each_are_faultless():
    samples = [Sample("a", bytes(range(256)), Path.read_bytes), Sample("b", b"words", Path.exists)]
    files = [torture_readers.damaged("idx", samples, number)[1] for number in range(200)]
    assert files[:2] == [sample.data for sample in samples]
    assert files == [torture_readers.damaged("idx", samples, n)[1] for n in range(200)]
    assert len(set(files)) > 150


def memory(path):
    raise ValueError("no") from MemoryError()


def lines(path):
    raise ValueError("one\ntwo")


def other(path):
    return {}[path]


@pytest.mark.parametrize(("read", "outcome"), [
    (Path.exists, "value"), (lambda path: int("x"), "refused"), (lines, "says 'one\\ntwo'"),
    (memory, "asks for more than 1 GiB"), (other, "KeyError: PosixPath('a')"),
])  # fmt: skip
def test_how_reading_ends_is_told_apart(read, outcome):
    assert torture_readers.attempt(Sample("a", b"", read), Path("a")) == outcome


def test_a_crash_is_one_file_and_the_next_child_goes_on(monkeypatch, tmp_path):
    """A child is a program that says which file it reads, and dies or hangs over the third."""
    program = tmp_path / "child"
    program.write_text(
        "#!/bin/sh\nfor i in $(seq $4 $(($5 - 1))); do echo $i; "
        '[ $i = 2 ] && kill -SEGV $$; [ $i = 4 ] && exec sleep 60; echo "$i value"; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(torture_readers.sys, "executable", str(program))
    monkeypatch.setattr(torture_readers, "HANGS", 1)
    outcomes = dict(torture_readers.outcomes_of("idx", 6))
    assert outcomes[2] == "ends the process: -11"
    assert outcomes[4] == "hangs for 1 s"
    assert [number for number, outcome in outcomes.items() if outcome == "value"] == [0, 1, 3, 5]
