"""Moving digits are embedded: there is nothing to write."""

from tests.tiny.moving_digits import write

__all__ = ["write"]
