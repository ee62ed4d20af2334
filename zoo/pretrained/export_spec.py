"""What is exported of a model, and the shapes of its inputs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

BATCH = (1, 2)


@dataclass(frozen=True)
class InputSpec:
    """An input of a program.

    Args:
        axes: their sizes; a name instead where the size may vary.
        below: ids are drawn from [0, below); None: numbers, from N(0, 1).
    """

    axes: tuple[int | str, ...]
    below: int | None = None

    def draw(self, sizes: dict[str, int], random: torch.Generator) -> Tensor:
        """Random values of that shape."""
        shape = [sizes[axis] if isinstance(axis, str) else axis for axis in self.axes]
        if self.below is None:
            return torch.randn(shape, generator=random)
        return torch.randint(self.below, shape, generator=random)

    def dynamic_axes(self) -> dict[int, str]:
        """The names of the axes that vary, by their position."""
        return {i: axis for i, axis in enumerate(self.axes) if isinstance(axis, str)}


@dataclass(frozen=True)
class ExportSpec:
    """What is exported of a model.

    Args:
        function: maps the inputs, by place, to a tensor or a tuple of tensors.
        inputs, outputs: their names.
        sizes: of the axes that vary the least size, and the one of the example that is traced.
    """

    function: Callable[..., Any]
    inputs: dict[str, InputSpec]
    outputs: tuple[str, ...]
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def draw(self, sizes: dict[str, int]) -> tuple[Tensor, ...]:
        """Inputs of the given sizes, the same each time."""
        random = torch.Generator().manual_seed(0)
        return tuple(entry.draw(sizes, random) for entry in self.inputs.values())

    def example_inputs(self) -> tuple[Tensor, ...]:
        """The inputs that are traced."""
        return self.draw({name: traced for name, (_, traced) in self._all_sizes().items()})

    def test_sizes(self) -> list[dict[str, int]]:
        """The sizes to compare at: all least, all larger than traced, each alone at its least."""
        least = {name: size for name, (size, _) in self._all_sizes().items()}
        more = {name: 2 * traced - 1 for name, (_, traced) in self._all_sizes().items()}
        alone = [{**more, name: size} for name, size in least.items()] if len(least) > 1 else []
        return [least, more, *alone]

    def _all_sizes(self) -> dict[str, tuple[int, int]]:
        return {"batch": BATCH, **self.sizes}
