"""Which one-line changes of the code do the quick tests notice? Draw some, and try each.

    python -m scripts.mutants --seed 0 --count 30 [--jobs N] [--map FILE] [--out FILE]
    python -m scripts.mutants --list tests/mutants.json

Each is put into a copy of this tree. The tests of its room come first; a test that fails there,
again there, and not in an unchanged copy has killed it, as has what ends pytest or takes too long.
--list tries those of a list again, and ends with 1 where one is gone, or was killed and now lives.

--map: JSON, or .gz of it, of an earlier run of the tests: {"seconds": {test: s}, "lines": {file:
{line: [places in seconds]}}}, with the tests that passed and the lines that each ran. Only tests
that can see a mutant are run then, those of the smallest files first, and as many as --patience
allows; how many were left out stands in the list.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts import sites

ROOT = Path(__file__).resolve().parent.parent
QUICK = "not slow and not real"
TESTS_VARIABLE = "MUTANT_TESTS"  # the variable that names the file of the tests to run, one a line
EVERYWHERE = ("test_catalog", "test_commands")  # their tests run experiments from end to end
START, SLOWER = 60, 4  # seconds until pytest runs; how much slower a test may be than in the map
OTHERS = 2  # the last stage: tests that are not of a mutant's room
TIMEOUT, ENDED = "timeout", "pytest ended"
UNCOPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "runs", "build")
Killers = dict[sites.Mutant, str | None]  # mutants, and the tests that killed them before


class Judge:
    """Runs the tests on changed copies of a tree."""

    def __init__(
        self, folder: Path, patience: float, coverage: dict[str, Any], killers: Killers
    ) -> None:
        self.folder = folder
        self.killers = killers
        self.patience = patience
        self.seconds: dict[str, float] = coverage.get("seconds", {})
        self.lines: dict[str, dict[str, list[int]]] = coverage.get("lines", {})
        paths = sorted((ROOT / "tests").rglob("test_*.py"))
        self.files = {path.relative_to(ROOT).as_posix(): path for path in paths}
        self.unfit: set[str] = set()  # tests that fail by themselves
        self.unchanged = folder / "unchanged"
        shutil.copytree(ROOT, self.unchanged, ignore=UNCOPIED)

    def verdict(self, mutant: sites.Mutant) -> dict[str, Any]:
        """An entry of the list: the mutant, and the test that kills it, or null."""
        tree = self.folder / mutant.rank(0)[:16]
        shutil.copytree(self.unchanged, tree, ignore=UNCOPIED)
        path = tree / mutant.file
        path.write_bytes(mutant.applied(path.read_bytes()))
        try:
            return mutant.identity | self.killer(mutant, tree)
        finally:
            shutil.rmtree(tree, ignore_errors=True)

    def killer(self, mutant: sites.Mutant, tree: Path) -> dict[str, Any]:
        """The first test that fails because of a mutant; else how many were left out."""
        before = self.killers[mutant]
        stages = {file: stage(path, mutant.file, before) for file, path in self.files.items()}
        tests, left_out = self.affordable(self.suspects(mutant, stages))
        for number in sorted(set(stages.values())):
            rest = [test for test in tests if stages[file_of(test)] == number]
            while rest := [test for test in rest if not {test, file_of(test)} & self.unfit]:
                failed = self.failure(tree, rest)
                if failed is None:
                    break
                if failed in (TIMEOUT, ENDED) or self.is_to_blame(failed, tree):
                    return {"killed_by": failed}
                self.unfit.add(failed)
        return {"killed_by": None} | ({"left_out": left_out} if left_out else {})

    def is_to_blame(self, test: str, tree: Path) -> bool:
        """Whether the change of a tree is why a test fails there."""
        flags = [] if "::" in test else ["--collect-only"]  # a file that is not even read
        passes = test in self.seconds or not self.failure(self.unchanged, [test], flags)
        return passes and bool(self.failure(tree, [test], flags))

    def suspects(self, mutant: sites.Mutant, stages: dict[str, int]) -> list[str]:
        """The tests that may kill a mutant, the nearest first; without a map, whole files."""
        if not self.lines:
            return sorted(stages, key=lambda file: stages[file])
        covering = self.covering(mutant)
        near = {file for file in stages if stages[file] < OTHERS}
        files = near & set(map(file_of, covering))  # whole: a test may judge what another one made
        if not covering:  # it runs at import, or in another process
            files = near | {file for file in stages if Path(file).stem in EVERYWHERE}
        tests = {*covering, *(test for test in self.seconds if file_of(test) in files)}
        cost: dict[str, float] = defaultdict(float)
        for test in tests:
            cost[file_of(test)] += self.seconds[test]
        return sorted(tests, key=lambda one: (stages[file_of(one)], cost[file_of(one)], one))

    def covering(self, mutant: sites.Mutant) -> list[str]:
        """The tests that run what a mutant changes."""
        lines = self.lines.get(mutant.file, {})
        matter = map(str, mutant.matters) if mutant.matters else lines
        places = {place for line in matter for place in lines.get(line, [])}
        names = list(self.seconds)
        return [names[place] for place in sorted(places)]

    def affordable(self, tests: list[str]) -> tuple[list[str], int]:
        """The first tests that fit into the patience, and how many others there are."""
        chosen_tests: list[str] = []
        seconds = 0.0
        for test in tests:
            seconds += self.seconds.get(test, 0)
            if seconds <= self.patience or not chosen_tests:
                chosen_tests.append(test)
        return chosen_tests, len(tests) - len(chosen_tests)

    def failure(self, tree: Path, tests: list[str], flags: Iterable[str] = ()) -> str | None:
        """The first test that fails in a tree."""
        with TemporaryDirectory(dir=self.folder) as folder:
            list_file = Path(folder) / "tests"
            list_file.write_text("\n".join(tests))
            path = os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])
            expected = sum(self.seconds.get(test, 0) for test in tests) or self.patience
            process = subprocess.Popen(
                [*self.command(tests), *flags, f"--basetemp={folder}/temporary"], cwd=tree,
                env={**os.environ, "PYTHONPATH": path, TESTS_VARIABLE: str(list_file)},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True,
            )  # fmt: skip
            try:
                output, _ = process.communicate(timeout=START + SLOWER * expected)
            except subprocess.TimeoutExpired:
                return TIMEOUT
            finally:
                end(process)
        if failed := re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE):
            return failed[1]
        return None if process.returncode in (0, 5) else ENDED  # 5: there is no such test

    def command(self, tests: list[str]) -> list[str]:
        """What runs tests, or those of whole files, until one fails."""
        files = dict.fromkeys(map(file_of, tests))
        flags = ["-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-p", "scripts.mutants"]
        without = [f"--deselect={test}" for test in sorted(self.unfit)]
        return [sys.executable, "-m", "pytest", *flags, "-m", QUICK, *without, *files]


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Of the tests that pytest finds, keep those chosen, their files in the order of the choice."""
    tests = Path(os.environ[TESTS_VARIABLE]).read_text().splitlines()
    files = list(dict.fromkeys(map(file_of, tests)))
    selected = [item for item in items if {item.nodeid, file_of(item.nodeid)} & set(tests)]
    items[:] = sorted(selected, key=lambda item: files.index(file_of(item.nodeid)))


def file_of(test: str) -> str:
    return test.partition("::")[0]


def stage(test: Path, file: str, killer: str | None = None) -> int:
    """When a file of tests is run: 0 has the module's name, or the test that killed it before."""
    module, text = Path(file).with_suffix(""), test.read_text()
    name_match = re.search(r"::(\w+)", killer or "")
    if module.name in test.stem or (name_match and f"def {name_match[1]}(" in text):
        return 0
    imports = rf"(?m)^\s*(from|import) [\w., ()]*\b{module.name}\b"
    near = module.parent.name == test.parent.name or re.search(imports, text)
    return 1 if near else OTHERS


# --- the command ----------------------------------------------------------------------------------


def read(path: Path) -> Any:
    """A JSON file, packed or not."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def judge_all(killers: Killers, args: argparse.Namespace) -> dict[sites.Mutant, dict[str, Any]]:
    """The entries of some mutants, written as they come."""
    entries: dict[sites.Mutant, dict[str, Any]] = {}
    with TemporaryDirectory() as folder, ThreadPoolExecutor(args.jobs) as pool:
        coverage = read(args.map) if args.map else {}
        judge = Judge(Path(folder), args.patience, coverage, killers)
        waiting = {pool.submit(judge.verdict, mutant): mutant for mutant in killers}
        for future in as_completed(waiting):
            mutant = waiting[future]
            entries[mutant] = future.result()
            fate = entries[mutant]["killed_by"] or "lives"
            print(f"{mutant.file}:{mutant.line}  {mutant.after}\n    {fate}", flush=True)
            if args.out:
                ready_entries = [entries[mutant] for mutant in killers if mutant in entries]
                args.out.write_text(json.dumps(ready_entries, indent=1, ensure_ascii=False) + "\n")
    return entries


def again(entries: list[dict[str, Any]], args: argparse.Namespace) -> int:
    """Try those of a list; how many of them are gone, or were killed then and live now."""
    all_mutants = sites.mutants(ROOT)
    pairs = [(entry, sites.find(entry, all_mutants)) for entry in entries]
    results = judge_all({mutant: entry["killed_by"] for entry, mutant in pairs if mutant}, args)
    worse = 0
    for entry, mutant in pairs:
        if mutant is None:
            print(f"gone: {entry['definition']}: {entry['before']} -> {entry['after']}")
        elif entry["killed_by"] and not results[mutant]["killed_by"]:
            print(f"lives now: {mutant.file}:{mutant.line}  {mutant.after}")
        else:
            continue
        worse += 1
    return worse


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--list", type=Path, help="a list of before, instead of a draw")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--map", type=Path, help="which tests run which lines")
    parser.add_argument("--patience", type=float, default=600, help="seconds of tests for a mutant")
    parser.add_argument("--out", type=Path, help="where to write the list")
    args = parser.parse_args()
    if args.list:
        return int(again(read(args.list), args) > 0)
    sample = sites.draw(sites.mutants(ROOT), args.seed, args.count)
    entries = judge_all(dict.fromkeys(sample), args).values()
    print(f"{sum(bool(entry['killed_by']) for entry in entries)} of {len(entries)} are killed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
