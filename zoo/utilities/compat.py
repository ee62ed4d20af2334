"""The private names of libraries that we touch, each until its library has a public one.

A test calls every function here, so that a release that changes one of them is named by it; another
finds private names elsewhere. Each says with which versions it was tried.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import unpack_from
from typing import Any

WANDB_SETTINGS = {"x_transaction_log_flush_interval": 1}  # seconds; wandb 0.31.0


@contextmanager
def hydra_of_its_own() -> Iterator[None]:
    """Hydra as at the start of a program, and afterwards as it was.

    Its plugins, for which it looks once in a process, and the configs that they and the caller's
    program have stored stay.
    """
    from hydra._internal.sources_registry import SourcesRegistry  # hydra-core 1.3.8
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins
    from hydra.core.singleton import Singleton
    from omegaconf.basecontainer import BaseContainer  # omegaconf 2.3.1

    def lasting() -> dict[Any, Any]:
        kinds = (Plugins, SourcesRegistry, ConfigStore)
        return {kind: one for kind, one in Singleton._instances.items() if kind in kinds}

    instances, resolvers = Singleton._instances, BaseContainer._resolvers
    Singleton._instances, BaseContainer._resolvers = lasting(), {**resolvers}
    try:
        yield
    finally:
        instances.update(lasting())
        Singleton._instances, BaseContainer._resolvers = instances, resolvers


def split_sweep(overrides: list[Any]) -> list[list[str]]:
    """The jobs of Hydra's basic sweeper: every combination of the values of parsed overrides."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # hydra-core 1.3.8

    return [list(job) for job in BasicSweeper.split_arguments(overrides, None)[0]]


def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has instructions for products of bfloat16: avx512_bf16, or amx_bf16."""
    import torch

    cpu = torch.cpu  # torch 2.14.1
    return cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported()


def unscale_before_step(optimizer: Any) -> Any:
    """A fused optimiser to which a gradient scaler gives gradients in their own unit.

    It could divide them by the scale itself, and of one that can Lightning clips no gradients in
    mixed precision, bfloat16 among it, which has no scale.
    """
    optimizer._step_supports_amp_scaling = False  # torch 2.14.1
    return optimizer


def scan(combine: Any, start: Any, inputs: Any, reverse: bool) -> tuple[Any, Any]:
    """torch's scan, which torch.onnx knows as ONNX's Scan."""
    from torch._higher_order_ops.scan import scan as torch_scan  # torch 2.14.1, onnxscript 0.7.2

    carry, outputs = torch_scan(combine, start, inputs, reverse=reverse)
    return carry, outputs


def trainer_of(model: Any) -> Any:
    """The Trainer that a module is attached to, or None, where its `trainer` raises an error."""
    return model._trainer  # pytorch-lightning 2.6.6


def wandb_rows(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a wandb run's own file, as JSON by metric: those that were written whole."""
    from wandb.proto import wandb_internal_pb2  # wandb 0.31.0

    kind: Any = vars(wandb_internal_pb2)["Record"]
    for data in _log_records(file.read_bytes()):
        record = kind.FromString(data)
        if record.HasField("history"):
            items = record.history.item
            yield {item.key or "/".join(item.nested_key): item.value_json for item in items}


def _log_records(data: bytes, at: int = 7, block: int = 1 << 15) -> Iterator[bytes]:
    """The records of a log in LevelDB's format: pieces with a head of 7 bytes, none over a block.

    Args:
        at: where they begin.
    """
    record = b""
    while at + 7 <= len(data):
        _, size, kind = unpack_from("<IHB", data, at)
        if block - at % block < 7:  # too little for a head
            at += block - at % block
            continue
        if at + 7 + size > len(data):
            return
        record += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a whole record, or its last piece
            yield record
            record = b""


def epoch_results(trainer: Any) -> list[Any]:
    """Lightning's running results of the training metrics of this epoch."""
    return list(trainer.fit_loop.epoch_loop._results.values())  # pytorch-lightning 2.6.6


def validates_next(trainer: Any) -> bool:
    """Whether validation follows the batch that was trained on last."""
    loop, fetcher = trainer.fit_loop.epoch_loop, trainer.fit_loop._data_fetcher
    return bool(loop._should_check_val_fx(fetcher))  # pytorch-lightning 2.6.6


def close_epochs(trainer: Any) -> None:
    """Let a run that goes on do what follows its checkpoint, also where its steps or time are over.

    Lightning's loops are not entered then, and the row of the epoch's metrics would be missing.
    """
    loop, epochs = trainer.fit_loop, trainer.fit_loop.epoch_progress  # pytorch-lightning 2.6.6
    _go_on(loop, lambda: epochs.current.processed < epochs.current.ready)
    _go_on(loop.epoch_loop, lambda: loop.epoch_loop.restarting and validates_next(trainer))


def _go_on(loop: Any, is_open: Callable[[], bool]) -> None:
    """Let one of Lightning's loops not be done while something is open."""
    kind = type(loop)
    done = property(lambda self: kind.done.fget(self) and not is_open())
    loop.__class__ = type(kind.__name__, (kind,), {"done": done})


def process_store() -> Any:
    """The key-value store that all processes of a group share."""
    import torch.distributed as dist

    return dist.distributed_c10d._get_default_store()  # torch 2.14.1


def drop_guards(program: Any) -> None:
    """Let an exported program take sizes that torch.export's guards refuse; we compare those."""
    program._guards_code = []  # torch 2.14.1


def uncompile(layer: Any) -> None:
    """Let a copy of a layer run as it was written: what was compiled is bound to the original."""
    vars(layer).pop("_compiled_call_impl", None)  # torch 2.14.1, of layer.compile()
    if "dynamo_ctx" in vars(layer):  # of torch.compile(layer)
        vars(layer)["forward"] = layer._orig_mod


def complete_line(loader: Any, line: str) -> list[str]:
    """How Hydra would go on with a command line that ends where the cursor is."""
    from hydra.plugins.completion_plugin import DefaultCompletionPlugin  # hydra-core 1.3.8

    return list(DefaultCompletionPlugin(loader)._query("train", line))
