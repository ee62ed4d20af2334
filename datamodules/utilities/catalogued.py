"""What a class of the catalog says that is made by hand without its arguments."""

from abc import ABCMeta
from inspect import Signature, signature
from typing import Any


class Catalogued(ABCMeta):
    """The type of classes whose arguments stand in conf/; `MAKER` makes one of its name."""

    MAKER: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make one.

        Raises:
            TypeError: arguments are missing or too many, and what would fill them in.
        """
        try:
            # Not super(): Lightning takes a frame that has a __class__ for that of a constructor.
            return type.__call__(cls, *args, **kwargs)
        except TypeError as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # in the constructor itself
                raise
            raise TypeError(f"{error}: use {cls.MAKER}, which has a value for each") from None

    @property
    def __signature__(cls) -> Signature:
        """That of the constructor, which `help` shows, not that of the call above."""
        return signature(cls.__init__.__get__(object()))  # type: ignore[misc]
