"""The lecture from beginning to end: every topic on bundled data, and one page of it all.

`conf/lecture.yaml` lists the slides. The page, `runs/lecture/index.html`, and `docs/lecture.md` are
made from it; what the page shows of a slide is taken from the reports of its runs.
"""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from markupsafe import Markup
from omegaconf import OmegaConf

from zoo.catalog import registry
from zoo.catalog.compose import compose
from zoo.distributed.console import console, track
from zoo.figures.html import draw, render, table
from zoo.figures.kinds import Grid, Table
from zoo.training.comparison import comparison
from zoo.training.run import Run
from zoo.utilities.errors import Failure
from zoo.utilities.files import replace

FIGURE = re.compile(r'<figure class="[^"]*"><figcaption>(.*?)</figcaption>.*?</figure>', re.DOTALL)
AT_ONCE = 4  # processes; each takes about 1 GB


@dataclass(frozen=True)
class Slide:
    """What a slide says, the command that runs it, and what of its result is shown."""

    slides: str
    says: str
    command: str
    look: str
    shows: list[str] = field(default_factory=list)  # titles of the report; empty: it is not run

    @property
    def experiment(self) -> str | None:
        """The experiment that its command trains."""
        match = re.match(r"zoo train experiment=(\w+)", self.command)
        return match[1] if match else None


def slides() -> list[Slide]:
    """The slides, in the order of the lecture."""
    rows = OmegaConf.to_container(OmegaConf.load(registry.conf_folder() / "lecture.yaml"))
    return [Slide(**row) for row in rows]  # type: ignore[union-attr, arg-type]


def markdown() -> str:
    """docs/lecture.md."""
    head = (
        "# The lecture, slide by slide\n\n"
        "What is on a slide, the command that runs it, and what to look at. `make lecture` runs "
        "all that need\nneither a download nor your own data, in about 15 minutes on two cores, "
        "and makes one page of it.\nEach command is run by a test. The scores are in "
        "[results.md](results.md).\n\n"
        "| slide | what | command | look at |\n|---|---|---|---|\n"
    )
    rows = (f"| {s.slides} | {s.says} | `{s.command}` | {s.look} |\n" for s in slides())
    return head + "".join(rows)


def run(overrides: Sequence[str]) -> Path:
    """Run every slide that shows something, and write the page.

    Args:
        overrides: for every training, such as trainer=smoke; other overrides, other runs.

    Raises:
        ValueError: an override is wrong, before any work.
        Failure: a command failed; what it said last is in the message, the rest in its log.
    """
    commands = list(dict.fromkeys(slide.command for slide in slides() if slide.shows))
    for command in commands:
        if command.startswith("zoo train "):
            compose([*shlex.split(command)[2:], *overrides])  # a mistake ends it here
    digest = hashlib.sha256(" ".join(overrides).encode()).hexdigest()[:6]
    name = f"lecture-{digest}" if overrides else "lecture"
    folder = Path("runs").resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    workers, cores = _workers()
    with ThreadPoolExecutor(workers) as pool:
        futures = {
            pool.submit(_run_command, command, overrides, name, folder, cores // workers): command
            for command in commands
        }
        try:
            for future in track(as_completed(futures), "lecture", len(futures), console):
                future.result()
                console.print(f"done      {futures[future]}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    pairs = [(slide, _results(slide, name, folder) if slide.shows else []) for slide in slides()]
    values = {"page_title": "The lecture", "scores": _scores(name), "slides": pairs}
    replace(folder / "index.html", render("pages/lecture.html.j2", **values))
    return folder / "index.html"


def _workers() -> tuple[int, int]:
    """How many commands at a time, and the cores there are: small nets use one core best."""
    import torch

    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return (1 if torch.cuda.is_available() else cores), cores


def _run_command(
    command: str, overrides: Sequence[str], name: str, folder: Path, threads: int
) -> None:
    """One command in a process of its own; a training that is finished does nothing."""
    words = shlex.split(command)[1:]
    output = ["-o", str(_picture_path(folder, command))]
    words += [f"name={name}", *overrides] if words[0] == "train" else output
    log = folder / f"{_slug(command)}.log"
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with log.open("w") as file:
        process = subprocess.run(
            [sys.executable, "-m", "zoo", *words], stdout=file, stderr=file, env=environment
        )
    if process.returncode:
        last = (log.read_text().strip().splitlines() or [""])[-1]
        raise Failure(f"`{command}` ended with exit code {process.returncode}: {last} (see {log})")


def _slug(command: str) -> str:
    return re.sub(r"\W+", "-", command.removeprefix("zoo ")).strip("-")


def _picture_path(folder: Path, command: str) -> Path:
    return folder / f"{_slug(command)}.png"


# --- the page ------------------------------------------------------------------------------------


def _scores(name: str) -> Table:
    """One table of all topics: model, what stands beside it, and the bar."""
    rows = []
    for experiment in dict.fromkeys(s.experiment for s in slides() if s.shows and s.experiment):
        comparison_table = comparison(_run(experiment, name).results)
        scores = {label: score for label, score, *_ in comparison_table.rows}
        bar, model = scores.pop("target", ""), scores.popitem()[1]
        beside = [f"{score} ({label})" for label, score in scores.items()]
        rows.append((experiment, comparison_table.header[1], model, " ".join(beside), bar))
    return Table(("experiment", "metric", "score", "baseline", "bar"), rows)


def _run(experiment: str, name: str) -> Run:
    return Run(Path("runs").resolve() / experiment / name)


def _results(slide: Slide, name: str, folder: Path) -> Iterator[Markup]:
    """The comparison and the chosen figures of a run, or the picture that was drawn."""
    import numpy as np
    from PIL import Image

    if slide.experiment is None:
        with Image.open(_picture_path(folder, slide.command)) as picture:
            yield draw(slide.says, Grid([np.asarray(picture.convert("RGB"))]))
        details = "<details><summary>what it says</summary><pre>{}</pre></details>"
        log = folder / f"{_slug(slide.command)}.log"
        yield Markup(details).format(log.read_text("utf-8"))
        return
    run = _run(slide.experiment, name)
    yield table(comparison(run.results))
    report = (run.folder / "report.html").read_text("utf-8")
    figures = {unescape(m[1]): Markup(m[0]) for m in FIGURE.finditer(report)}
    yield from (figures[title] for title in slide.shows if title in figures)
