"""Make .venv and install the zoo into it: python3 scripts/bootstrap.py [dev]

The Makefile calls it before anything is installed, with whatever python3 there is. So it uses the
standard library alone, and is written such that Python 3.6 can read it and say what is wrong.
pip's own settings, index and cache are used.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UNFINISHED = "unfinished"  # lies in a .venv of ours until its first install has succeeded


def check_python():
    """Refuse an old Python, naming a newer one where there is one."""
    if sys.version_info < (3, 10):
        names = [f"python3.{minor}" for minor in range(15, 9, -1)]
        newer = next(filter(shutil.which, names), "python3.12")
        version = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"error: zoo needs Python 3.10 or newer, this is {version}: add PYTHON={newer}")


def run(*command):
    """Run a command without input; stop where it fails, having said why."""
    code = subprocess.call(command, cwd=str(ROOT), stdin=subprocess.DEVNULL)
    if code:
        sys.exit(f"error: installing ended with code {code}, see above: mend that and call again")


def create():
    """Make an empty .venv, marked as unfinished; an unfinished one is removed before."""
    if (VENV / UNFINISHED).exists():
        shutil.rmtree(str(VENV))
    if VENV.exists():
        return
    print("Making .venv, once: torch's default Linux build takes minutes and 7 GB.", flush=True)
    VENV.mkdir()
    (VENV / UNFINISHED).touch()
    run(sys.executable, "-m", "venv", str(VENV))


def install(extra):
    """Install the zoo, editable, with or without an extra."""
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    target = f".[{extra}]" if extra else "."
    run(str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input", *quiet, "-e", target)
    if (VENV / UNFINISHED).exists():
        (VENV / UNFINISHED).unlink()


def main(extra=""):
    """Make .venv where there is none, and bring what is installed in it up to date."""
    check_python()
    try:
        with open(__file__) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until no other one installs here
            create()
            install(extra)
    except OSError as error:
        sys.exit(f"error: {error}: if .venv is broken, remove it and call again")
    except KeyboardInterrupt:
        sys.exit("error: interrupted: the next call goes on, or starts anew")


if __name__ == "__main__":
    main(*sys.argv[1:])
