"""The search for the best predictor of one's own data, and predictors.

`zoo.auto` is the room and the function that does the search: importing a module of the room makes
it an attribute of `zoo`, so that the room has to be called.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A package that is called as `zoo.commands.auto.auto` is."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        import zoo

        return zoo.__getattr__("auto")(*args, **options)


sys.modules[__name__].__class__ = _Room
