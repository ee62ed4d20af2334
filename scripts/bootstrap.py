"""Make .venv and install the zoo into it: python3 scripts/bootstrap.py [dev]

The Makefile calls it before anything is installed, with whatever python3 there is. So it uses the
standard library alone, and is written such that Python 3.6 can read it and say what is wrong.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UNFINISHED = "unfinished"  # lies in a .venv of ours until its first install has succeeded
DISK_GB = 7  # torch's default Linux build, its CUDA libraries, and everything else
UNREACHABLE = r"NewConnectionError|name resolution|[Tt]imed? ?out|ProxyError|SSLError|[Cc]onnection"


def refuse(message):
    """Say in one line what the user can mend, and stop."""
    line = " ".join(message.split())
    sys.stderr.write(f"error: {line}\n")
    raise SystemExit(2)


def check_python():
    """Refuse an old Python, naming a newer one where there is one."""
    if sys.version_info >= (3, 10):
        return
    names = [f"python3.{minor}" for minor in range(15, 9, -1)]
    newer = next(filter(shutil.which, names), "python3.12")
    found = ".".join(map(str, sys.version_info[:3]))
    refuse(f"zoo needs Python 3.10 or newer, {sys.executable} is {found}: add PYTHON={newer}")


def check_modules():
    """Refuse a Python whose distribution has split off what makes a virtual environment."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        refuse(
            f"{sys.executable} has no module {missing[0]!r}: install it "
            "(on Debian and Ubuntu: apt install python3-venv)"
        )


def check_disk():
    """Refuse what would fill the disk after minutes of downloading."""
    has_torch = any(VENV.glob("lib/python*/site-packages/torch"))
    needed = 1 if has_torch or sys.platform != "linux" else DISK_GB
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < needed:
        refuse(
            f"{ROOT} has {free:.1f} GB free and installing takes about {needed}: free some, or "
            "make .venv yourself and install a CPU build of torch and torchvision into it first"
        )


def lock(file):
    """Wait until no other bootstrap in this folder runs; closing the file unlocks it."""
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)


def discard_unfinished():
    """Remove a .venv whose first install failed or was killed; nobody else's, and no whole one."""
    if (VENV / UNFINISHED).exists():
        shutil.rmtree(str(VENV))


def create():
    """Make an empty .venv, marked as unfinished."""
    print(
        f"Making .venv with {sys.executable} and installing torch and the rest into it, once. "
        f"torch's default Linux build takes some minutes and {DISK_GB} GB of disk; "
        "pip's own settings, index and cache are used.",
        flush=True,
    )
    VENV.mkdir()
    (VENV / UNFINISHED).touch()
    made = run(sys.executable, "-m", "venv", str(VENV))
    if made.returncode:
        discard_unfinished()
        refuse(f"python -m venv failed: {(made.stderr or 'it said nothing').strip()}")


def run(*command):
    """Run a command without input; keep what it says on stderr."""
    return subprocess.run(
        command,
        cwd=str(ROOT),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def install(extra):
    """Install the zoo, editable, with or without an extra."""
    python = str(VENV / "bin" / "python")
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    target = f".[{extra}]" if extra else "."
    pip = run(python, "-m", "pip", "install", "--no-input", *quiet, "-e", target)
    if pip.returncode:
        discard_unfinished()
        refuse(reason(pip.stderr, pip.returncode))
    if (VENV / UNFINISHED).exists():
        (VENV / UNFINISHED).unlink()


def reason(log, code):
    """Find the one line to say in what a failing pip has written."""
    if "No space left" in log:
        return "the disk became full; .venv, the temporary folder and pip's cache all need room"
    if "No module named pip" in log:
        return ".venv has no pip: run `.venv/bin/python -m ensurepip`, or remove .venv"
    if re.search(UNREACHABLE, log):
        return (
            "pip could not reach its index: mend the network, or pip's settings (pip config list)"
        )
    sys.stderr.write(log.rstrip() + "\n")
    return [f"pip ended with {code}", *re.findall(r"ERROR: (.*)", log)][-1]


def main(extra=""):
    """Make .venv where there is none, and bring what is installed in it up to date."""
    check_python()
    check_modules()
    try:
        with open(__file__, "a") as file:
            lock(file)
            discard_unfinished()
            check_disk()
            if not VENV.exists():
                create()
            install(extra)
    except OSError as error:
        refuse(f"{error}: if .venv is broken, remove it and try again")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: the next call starts anew\n")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
