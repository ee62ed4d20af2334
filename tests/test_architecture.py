"""The house as it was drawn: imports point down, the spine stays thin, starting costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*ROOT.glob("zoo/**/*.py"), *ROOT.glob("datamodules/**/*.py")])
SPINE = ("zoo/errors.py", "zoo/schema.py", "zoo/catalog.py", "zoo/cards.py")
LOWEST = {
    "zoo.nn", "zoo.optim", "zoo.pictures", "zoo.drawing", "zoo.errors", "zoo.noise",
    "zoo.sequences", "zoo.frechet", "zoo.neighbours", "zoo.novelty", "zoo.schema", "zoo.cards",
    "zoo.shelf", "zoo.hub", "zoo.export", "zoo.recurrence", "zoo.synchronised", "zoo.hardware",
    "zoo.maps", "zoo.dropout", "zoo.supervised", "zoo.windows", "zoo.texts", "zoo.vectors",
    "zoo.packing", "zoo.word2vec", "zoo.alias", "zoo.exchange", "zoo.intrinsic", "zoo.word_vectors",
    "zoo.word_pictures", "zoo.labels",
    "datamodules.layouts", "datamodules.batches", "datamodules.sources", "datamodules.augment",
    "datamodules.memory", "datamodules.warp", "datamodules.native", "datamodules.standardise",
    "datamodules.flow", "datamodules.idx",
    "datamodules.tables", "datamodules.hub", "datamodules.corpus", "datamodules.documentation",
    "datamodules.documents", "datamodules.thinning",
}  # fmt: skip


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor(module):
    """Where a module stands in the house; None for the packages' own files."""
    if module in ("zoo", "zoo.__main__", "datamodules", "zoo.baselines"):
        return None
    if module in LOWEST or module.startswith("datamodules.inputs"):
        return 0
    for start, height in {"zoo.commands": 4, "zoo.training": 3, "zoo.pages": 3}.items():
        if module.startswith(start):
            return height
    return 2 if module == "zoo.catalog" else 1


def imports(path):
    """Our modules that a file imports, but for those that only a type checker reads."""
    tree = ast.parse(path.read_text())
    typing = [
        n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)
    ]
    skipped = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in skipped:
            package = node.module in ("zoo", "datamodules", "zoo.training", "zoo.pages")
            yield from (
                [f"{node.module}.{n.name}" for n in node.names] if package else [node.module]
            )


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_down(path):
    here = floor(module_of(path))
    for module in imports(path):
        if (
            here is None
            or not module.startswith(("zoo.", "datamodules."))
            or module == "zoo.__version__"
        ):
            continue
        there = floor(module)
        below = there is not None and (there < here or (there == here and here in (0, 2, 3, 4)))
        assert below, f"{module_of(path)} (floor {here}) imports {module} (floor {there})"


SHARED = "datamodules.native"  # which compiles, and knows neither data nor models


def test_models_and_datamodules_do_not_import_each_other():
    for path in FILES:
        module = module_of(path)
        if floor(module) in (0, 1):
            other = "datamodules" if module.startswith("zoo") else "zoo"
            found = [name for name in imports(path) if name.split(".")[0] == other]
            assert not {*found} - {SHARED}, module


def code_lines(path):
    """Lines that are neither blank nor comment nor docstring."""
    tree, text = ast.parse(path.read_text()), path.read_text().splitlines()
    owners = (
        n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)
    )
    docs = [n.body[0] for n in owners if ast.get_docstring(n, clean=False) is not None]
    quoted = {line for doc in docs for line in range(doc.lineno, doc.end_lineno + 1)}
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in quoted
        for number, line in enumerate(text, 1)
    )


def test_the_spine_does_not_outweigh_the_models():
    files = [ROOT / name for name in SPINE] + list(ROOT.glob("zoo/training/*.py"))
    files += [
        ROOT / f"datamodules/{name}.py" for name in ("sources", "layouts", "batches", "memory")
    ]
    others = {*FILES} - {*files} - {*ROOT.glob("zoo/commands/*")} - {*ROOT.glob("zoo/pages/*")}
    spine, models = sum(map(code_lines, files)), sum(map(code_lines, others))
    assert spine < 2600  # of them 400 for exact resume and processes
    assert spine < 0.6 * models


PICKLES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
FORBIDDEN = {"eval", "exec", "compile", "__import__"}  # called by name; model.eval() is no such


def test_nothing_unpickles_or_runs_text():
    """No pickle, no eval or exec, and torch.load opens tensors alone."""
    for path in [*FILES, ROOT / "hubconf.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not named & {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}, (
                    path
                )
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in FORBIDDEN, f"{path}:{node.lineno}"
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("torch.load"):
                wanted = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert wanted.get("weights_only") == "True", path


@pytest.mark.parametrize(
    "statement",
    [
        "import zoo",
        "import zoo.commands.main as m; m.main(['--help'])",
        "import zoo.commands.main as m; m.main(['list'])",
    ],
)
def test_starting_imports_neither_torch_nor_hydra(statement):
    heavy = "{'torch', 'hydra', 'omegaconf', 'numpy', 'rich', 'pytorch_lightning'}"
    check = f"import sys; {statement}; assert not {heavy} & set(sys.modules), sys.modules.keys()"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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
    done = subprocess.run(
        [sys.executable, "-c", SIDE_EFFECTS], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
