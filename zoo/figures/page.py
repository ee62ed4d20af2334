"""Pages of HTML that open from disk, from Jinja2 templates beside the code that fills them."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

SAFE = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def render(template: str, **values: Any) -> Markup:
    """Fill in a template, such as "training/report.html.j2"; all but Markup is escaped."""
    return Markup(_environment().get_template(template).render(values))


@cache
def _environment() -> Environment:
    from zoo.figures.html import draw
    from zoo.figures.table import table

    environment = Environment(
        loader=PackageLoader("zoo", ""), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    environment.globals |= {"draw": draw, "safe": Markup(SAFE), "style": Markup(style)}
    environment.globals["table"] = lambda picture: Markup(table(picture))
    return environment
