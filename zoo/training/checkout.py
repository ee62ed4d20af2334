"""The git checkout that the code runs from, if there is one: its commit, and its changes."""

import shutil
import subprocess
from pathlib import Path

import zoo

SHAPING = ("zoo", "datamodules", "conf")  # folders; other files shape no run


def commit() -> str | None:
    """The commit, with + where files that shape a run differ from it; None outside a checkout."""
    sha = _git("rev-parse", "--short=10", "HEAD").strip()
    return sha + ("+" if changed_files() else "") if sha else None


def changed_files() -> list[str]:
    """The files that shape a run and differ from the commit, new ones included."""
    lines = _git("status", "--porcelain", "--untracked-files=all", "--", *SHAPING).splitlines()
    return [line[3:] for line in lines]


def refuse_changes() -> None:
    """Raise ValueError where a run could not be repeated from the commit that it would name."""
    if files := changed_files():
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        raise ValueError(
            f"{files[0]}{more} differs from the commit, so a score could not be repeated from it: "
            "commit or stash the changes first"
        )


def _git(*arguments: str) -> str:
    """What git says of the checkout; nothing where there is none."""
    here = Path(zoo.__file__).parents[1]
    if not (here / ".git").exists() or shutil.which("git") is None:
        return ""
    command = ["git", "--no-optional-locks", "-C", str(here), *arguments]
    return subprocess.run(command, capture_output=True, text=True).stdout
