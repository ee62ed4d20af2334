"""Write a model as one file that runs without the zoo: ONNX, or a program of torch.export.

Nothing is taken on trust: the file is read back, by onnxruntime or by torch, and compared with the
model at several sizes of each axis that varies. Only a file that agrees gets its name.
"""

import json
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from zoo.pretrained.export_spec import ExportSpec, InputSpec
from zoo.utilities.compat import drop_guards
from zoo.utilities.errors import Failure
from zoo.utilities.files import PART, replacing
from zoo.utilities.modes import in_eval_mode

TOLERANCE = 1e-4  # largest difference, in float32
METADATA_FILE = "zoo.json"  # in a .pt2 file, what ONNX keeps as metadata


@dataclass(frozen=True)
class ExportReport:
    """A file that was written: its inputs, where it was compared, and the largest difference."""

    path: Path
    inputs: dict[str, InputSpec]
    compared: list[dict[str, int]]
    difference: float


class Program(nn.Module):
    """A function of a model as a module of its own, which is what torch traces."""

    def __init__(self, model: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


def export(model: Any, path: str | Path) -> ExportReport:
    """Write a model that lies on the CPU to PATH.onnx or PATH.pt2 (torch.export), and compare.

    Raises:
        ValueError: another ending.
        ModuleNotFoundError: the packages of the extra `export` are not installed.
        Failure: it cannot be exported, or the file differs from the model; none is left then.
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} ends in {path.suffix!r}: {' or '.join(FORMATS)} is wanted")
    write, read = FORMATS[path.suffix]
    if path.suffix == ".onnx" and not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))):
        raise ModuleNotFoundError(
            "ONNX is written by the packages onnx and onnxscript and read by onnxruntime: "
            'pip install "lightning-zoo[export]"'
        )
    model = in_eval_mode(model)
    plan = model.export_spec()
    part_path = path.with_name(f"{path.stem}{PART}{path.suffix}")
    with replacing(path, part_path) as part, torch.no_grad():
        with as_failure(f"{type(model).__name__} cannot be written"):
            write(trace(model, plan), plan, describe_model(model, plan), part)
            program = read(part)
        differences = [compare(plan, program, sizes) for sizes in plan.test_sizes()]
    return ExportReport(path, plan.inputs, plan.test_sizes(), max(differences))


def trace(model: Any, plan: ExportSpec) -> Any:
    """Trace the function of a model as a program of torch.export.

    Raises:
        Failure: torch cannot trace it, and why.
    """
    axes = tuple(dict.fromkeys(e.dynamic_axes(), Dim.DYNAMIC) for e in plan.inputs.values())
    module = Program(model, plan.function).eval()
    with as_failure(f"{type(model).__name__} cannot be exported"):
        program = torch.export.export(module, plan.example_inputs(), dynamic_shapes=(axes,))
    drop_guards(program)  # which refuse sizes at which some map is one pixel
    return program


@contextmanager
def as_failure(what: str) -> Iterator[None]:
    """Turn whatever torch or onnxruntime raises into a Failure of one line.

    Raises:
        Failure: what went wrong, and the first line of why.
    """
    try:
        yield
    except (Failure, OSError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise Failure(f"{what}: {reason}") from error


def compare(plan: ExportSpec, program: Callable[..., Any], sizes: dict[str, int]) -> float:
    """The largest difference between a program and the function it was made of.

    Raises:
        Failure: it is too large.
    """
    where = ", ".join(f"{name} {size}" for name, size in sizes.items())
    inputs = plan.draw(sizes)
    with as_failure(f"the file does not run at {where}"):
        outputs = as_tuple(program(*inputs))
    pairs = zip(outputs, as_tuple(plan.function(*inputs)), strict=True)
    worst = max((distance(*pair) for pair in pairs), key=lambda d: (math.isnan(d), d))
    if not worst <= TOLERANCE:
        raise Failure(f"the file differs from the model by {worst:.3g} at {where}")
    return worst


def distance(first: Tensor, second: Tensor) -> float:
    """The largest difference of two tensors, infinite where their shapes differ."""
    return float((first - second).abs().max()) if first.shape == second.shape else math.inf


def as_tuple(outputs: Any) -> tuple[Tensor, ...]:
    return tuple(outputs) if isinstance(outputs, tuple | list) else (outputs,)


def describe_model(model: Any, plan: ExportSpec) -> dict[str, Any]:
    """The metadata of a file: names, classes, and the input that makes a batch of raw data."""
    metadata = {"inputs": list(plan.inputs), "outputs": list(plan.outputs)}
    if model.classes is not None:
        metadata["classes"] = list(model.classes)
    if model.input is not None:
        metadata["input"] = model.input.config()
    return metadata


def write_onnx(program: Any, plan: ExportSpec, metadata: dict[str, Any], path: Path) -> None:
    """Write ONNX, in one file, with the metadata as properties, each in JSON."""
    names = (tuple(entry.dynamic_axes() for entry in plan.inputs.values()),)
    with warnings.catch_warnings():  # it warns where two inputs have an axis in common, as ours do
        warnings.filterwarnings("ignore", "# The axis name")
        file = torch.onnx.export(
            program,
            input_names=list(plan.inputs),
            output_names=list(plan.outputs),
            dynamic_shapes=names,
            dynamo=True,
            verbose=False,  # it chats on stdout
        )
    assert file is not None
    properties = {key: json.dumps(value) for key, value in metadata.items()}
    file.model.metadata_props.update(properties)
    file.save(path, external_data=False)


def write_torch(program: Any, plan: ExportSpec, metadata: dict[str, Any], path: Path) -> None:
    """Write a program of torch.export, with the metadata as `zoo.json`."""
    torch.export.save(program, path, extra_files={METADATA_FILE: json.dumps(metadata)})


def read_onnx(path: Path) -> Callable[..., Any]:
    """A file as a function, by onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its errors are raised; it would print them as well
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]

    def function(*inputs: Tensor) -> tuple[Tensor, ...]:
        feeds = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}
        return tuple(map(torch.from_numpy, session.run(None, feeds)))

    return function


def read_torch(path: Path) -> Callable[..., Any]:
    """A file as a function, by torch."""
    return torch.export.load(path).module()


FORMATS: dict[str, tuple[Callable[..., None], Callable[[Path], Callable[..., Any]]]] = {
    ".onnx": (write_onnx, read_onnx),
    ".pt2": (write_torch, read_torch),
}
