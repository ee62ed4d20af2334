"""How a table of cells is shown on the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.figures.kinds import Table


def print_table(table: "Table", title: str | None = None, width: int | None = None) -> None:
    """Print it with numbers to the right; a long cell is folded, and none of it is cut off.

    Args:
        width: characters of it where no terminal says how wide it is.
    """
    from rich.table import Table as RichTable

    from zoo.distributed.console import WIDTH, make_output
    from zoo.figures.table import numeric_columns

    grid = RichTable(title=title, title_justify="left")
    for column, is_number in zip(table.header, numeric_columns(table), strict=True):
        grid.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*row)
    make_output(width or WIDTH).print(grid)
