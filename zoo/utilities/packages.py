"""Whether `datamodules` is the zoo's package, not a folder of that name beside a user's script."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def check_datamodules() -> None:
    """Refuse to go on where Python would import another package `datamodules` than the zoo's.

    `python script.py` and `python -m zoo` look for packages in the script's or the working folder
    first.

    Raises:
        ImportError: another one comes first.
    """
    spec = find_spec("datamodules")
    if spec is None:
        return  # the import itself says so
    path = Path(spec.origin or next(iter(spec.submodule_search_locations or [""])))
    path = path.parent if path.name == "__init__.py" else path
    if path.resolve() != Path(__file__).resolve().parents[2] / "datamodules":
        raise ImportError(
            f"{path} is imported instead of the zoo's own package datamodules: rename it, or start "
            "Python in another folder"
        )
