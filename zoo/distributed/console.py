"""What a run says on stderr, once for all of its processes."""

from rich.console import Console

from zoo.distributed.environment import rank

console = Console(stderr=True, highlight=False, quiet=rank() > 0)
