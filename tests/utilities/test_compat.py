"""The private names of libraries that we touch are there and do what we take them to do."""

import ast
import re
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobRuntime
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer
from pytorch_lightning import Callback, LightningModule
from pytorch_lightning.demos.boring_classes import BoringModel

import zoo
from tests.data import bare_trainer
from zoo.catalog.compose import own_hydra
from zoo.catalog.parsing import parse
from zoo.utilities import compat

ROOT = Path(zoo.__file__).resolve().parents[1]
FILES = [path for room in ("zoo", "datamodules") for path in sorted((ROOT / room).rglob("*.py"))]
USES = ast.Attribute | ast.ImportFrom | ast.alias
DOCUMENTED = {"_replace", "_asdict", "_fields", "_exit"}  # a NamedTuple's, and os'


def names(node):
    """The names in a node of a syntax tree, of a module each part."""
    words = (getattr(node, key, None) for key in ("attr", "id", "name", "module"))
    return {part for word in words if word for part in word.split(".")}


def test_private_names_of_libraries_are_touched_here_alone():
    """Attributes that begin with one underscore, and imports of and from such modules."""
    nodes = [(path, node) for path in FILES for node in ast.walk(ast.parse(path.read_text()))]
    own = DOCUMENTED | {path.stem for path in FILES}
    for _, node in nodes:
        stored = isinstance(getattr(node, "ctx", None), ast.Store)
        own |= names(node) if stored or isinstance(node, ast.FunctionDef | ast.ClassDef) else set()
    found = {(path.name, name) for path, node in nodes if isinstance(node, USES)
             for name in names(node) - own if re.match("_[^_]", name)}  # fmt: skip
    assert {name for path, name in found if path == "compat.py"} >= {"_internal", "_trainer"}
    assert {path for path, _ in found} == {"compat.py"}


def test_the_cpu_says_whether_it_multiplies_bf16():
    flags = {"avx512_bf16", "amx_bf16"}
    try:
        with open("/proc/cpuinfo") as file:
            wanted = bool(flags & {word for line in file for word in line.split()})
    except OSError:
        pytest.skip("flags are read from Linux alone")
    assert compat.cpu_multiplies_bf16() == wanted


def test_a_scan_is_a_running_sum():
    numbers = torch.arange(4.0)
    total, sums = compat.scan(lambda s, x: (s + x, s + x), torch.zeros(()), numbers, False)
    assert (total, sums.tolist()) == (6, [0, 1, 3, 6])


def test_a_module_has_no_trainer_until_it_is_attached():
    module, trainer = LightningModule(), bare_trainer()
    assert compat.trainer_of(module) is None
    module.trainer = trainer
    assert compat.trainer_of(module) is trainer


def test_the_results_of_an_epoch_are_a_list():
    assert compat.epoch_results(bare_trainer()) == []


def test_a_trainer_says_whether_validation_is_next():
    class Asking(Callback):
        def on_train_batch_end(self, trainer, *_):
            answers.append(compat.validates_next(trainer))

    answers: list[bool] = []
    options = {"limit_train_batches": 4, "max_epochs": 1, "val_check_interval": 2}
    bare_trainer(callbacks=[Asking()], **options).fit(BoringModel())
    assert answers == [False, True, False, True]


def test_processes_have_a_store(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'a'}", rank=0, world_size=1)
    try:
        compat.process_store().set("key", "value")
        assert compat.process_store().get("key") == b"value"
    finally:
        dist.destroy_process_group()


def test_a_program_loses_its_guards():
    program = torch.export.export(torch.nn.Linear(2, 1), (torch.zeros(1, 2),))
    compat.drop_guards(program)
    assert program._guards_code == []


def test_hydra_completes_a_line():
    with own_hydra():
        loader = GlobalHydra.instance().config_loader()
        assert compat.complete_line(loader, "model=char") == ["model=char_rnn"]


def test_hydra_splits_a_sweep():
    swept = parse(["seed=1,2", "ema=null"])
    assert compat.split_sweep(swept) == [["seed=1", "ema=null"], ["seed=2", "ema=null"]]


def test_hydra_is_as_it_was_and_looks_for_its_plugins_once():
    """What the caller's program stored in it stays, and what is set within goes."""
    JobRuntime.instance().set("name", "theirs")
    OmegaConf.register_new_resolver("theirs", lambda: 1, replace=True)
    ConfigStore.instance().store("theirs", {"a": 1}, provider="a test")
    before, resolvers = dict(Singleton._instances), {*BaseContainer._resolvers}
    plugins = []
    for _ in range(2):
        with compat.hydra_of_its_own():
            assert not GlobalHydra.instance().is_initialized()
            assert OmegaConf.has_resolver("theirs")
            plugins.append(Plugins.instance())
            assert {"theirs.yaml", "hydra"} <= {*ConfigStore.instance().repo}
            JobRuntime.instance().set("name", "ours")
            OmegaConf.register_new_resolver("ours", lambda: 2)
        assert JobRuntime.instance().get("name") == "theirs"
        assert {*BaseContainer._resolvers} == resolvers
        lasting = {kind: Singleton._instances[kind] for kind in before}
        assert all(lasting[kind] is one for kind, one in before.items())
    assert plugins[0] is plugins[1] is Plugins.instance()
    OmegaConf.clear_resolver("theirs")
