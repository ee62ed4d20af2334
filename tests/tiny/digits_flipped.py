"""Digits are embedded: there is nothing to write."""

from tests.tiny.digits import write

__all__ = ["write"]
