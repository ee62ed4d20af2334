"""The house as it was drawn: models in front, imports point down, starting costs nothing."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import yaml

from tests.data import python

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*ROOT.glob("zoo/**/*.py"), *ROOT.glob("datamodules/**/*.py")])
ROOMS = {  # from the lowest floor up; what stands in front, the models and the datamodules, is ""
    "zoo": (
        "utilities", "metrics", "figures", "config", "distributed", "pretrained", "catalog",
        "words", "nn", "", "baselines", "training", "automl", "pages", "demos", "commands",
    ),
    "datamodules": ("utilities", "transforms", "inputs", "sources", "bundled", "loading", ""),
}  # fmt: skip
SHARED = "datamodules.utilities"  # which compiles and draws, and knows neither data nor models
MEETING = ("training", "automl", "pages", "demos", "commands")  # the rooms that know both sides
LONG, LONGEST = 250, 400  # lines of a file, and of a model's


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def room_of(module):
    """Package and room of a module; a room's own __init__ stands in it."""
    package, *parts = module.split(".")
    inside = parts[0] if len(parts) > 1 or (ROOT / package / (parts or [""])[0]).is_dir() else ""
    return package, inside if parts else ""


def imports(module):
    """Our modules that a module imports, wherever in it, and be it for a type checker alone."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            full = (f"{node.module}.{one.name}" for one in node.names)
            found = {name if name in MODULES else node.module for name in full}
            yield from found & MODULES.keys() - ROOMS.keys() - {module}


INSIDE = [module for module in MODULES if module not in ("zoo", "zoo.__main__", "datamodules")]


@pytest.mark.parametrize("module", INSIDE)
def test_imports_point_down(module):
    package, room = room_of(module)
    for other in imports(module):
        its_package, its_room = room_of(other)
        if its_package != package:
            assert other.startswith(SHARED) or (package == "zoo" and room in MEETING), other
        else:
            floors = ROOMS[package]
            assert floors.index(its_room) <= floors.index(room), f"{module} imports {other}"


def test_no_import_goes_round_in_a_circle():
    TopologicalSorter({module: [*imports(module)] for module in INSIDE}).prepare()


@pytest.mark.parametrize(("package", "group"), [("zoo", "model"), ("datamodules", "data")])
def test_what_stands_in_front_is_what_the_catalog_names(package, group):
    """And is a room: a folder that no floor is given to would hold what nobody looks for."""
    files = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__", "__main__"}
    targets = set()
    for path in (ROOT / "conf" / group).glob("*.yaml"):
        section = yaml.safe_load(path.read_text())
        targets.add(section.get(group, section).get("_target_"))  # none in one that varies another
    assert files == {target.split(".")[1] for target in targets if target}
    rooms = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert rooms == {*ROOMS[package]} - {""}


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_file_can_be_read_at_a_sitting(path):
    is_model = path.parent == ROOT / "zoo"
    assert len(path.read_text().splitlines()) <= (LONGEST if is_model else LONG)


PICKLES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
FORBIDDEN = {"eval", "exec", "compile", "__import__"}  # called by name; model.eval() is no such


def test_nothing_unpickles_or_runs_text():
    """No pickle, no eval or exec, and torch.load opens tensors alone."""
    for path in [*FILES, ROOT / "hubconf.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not named & PICKLES, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in FORBIDDEN, f"{path}:{node.lineno}"
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("torch.load"):
                wanted = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert wanted.get("weights_only") == "True", path


STARTS = [f"import zoo.commands.main as m; m.main(['{word}'])" for word in ("--help", "list")]


@pytest.mark.parametrize("statement", ["import zoo", *STARTS])
def test_starting_imports_neither_torch_nor_hydra(statement):
    heavy = "{'torch', 'hydra', 'omegaconf', 'numpy', 'rich', 'pytorch_lightning'}"
    check = f"import sys; {statement}; assert not {heavy} & set(sys.modules), sys.modules.keys()"
    python("-c", check, cwd=ROOT)


SIDE_EFFECTS = """
import json, logging, os, random, sys, threading, warnings
import numpy, torch

def state():
    return {
        "environment": dict(os.environ),
        "seeds": [random.getstate()[1][:5], numpy.random.get_state()[1][:5].tolist(),
                  torch.initial_seed(), torch.get_rng_state()[:64].tolist()],
        "logging": [logging.root.level, [type(h).__name__ for h in logging.root.handlers],
                    logging.lastResort is None, sorted(logging.root.manager.loggerDict)],
        "threads": [torch.get_num_threads(), torch.get_num_interop_threads(),
                    threading.active_count()],
        "warnings": len(warnings.filters),
        "folder": os.getcwd(), "hooks": [sys.excepthook.__name__, sys.path[:]],
        "grad": torch.is_grad_enabled(), "dtype": str(torch.get_default_dtype()),
    }

before = state()
import zoo
[getattr(zoo, name) for name in ("list_models", "list_data", "load", "create_model", "__version__")]
zoo.list_models(), zoo.list_models(pretrained=True), zoo.list_data(), zoo.list_experiments()
after = state()
assert before == after, [(key, before[key], after[key]) for key in before if before != after]
"""


def test_importing_it_has_no_side_effects():
    """Seeds, environment, logging, threads and warnings are the caller's."""
    assert python("-c", SIDE_EFFECTS, cwd=ROOT) == ""
