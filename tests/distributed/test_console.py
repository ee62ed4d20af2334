"""What people read on a terminal is what there is, letter for letter."""

import ast
import io
from pathlib import Path
from threading import Thread

import zoo
from datamodules.utilities.console import silence
from zoo.distributed.console import make_console, make_progress


def test_no_text_is_taken_for_markup():
    screen = io.StringIO()
    console = make_console(file=screen, width=80)
    for text in ("logger=[csv,tensorboard]", "pets/x[/b]", "[red]", ":smile:"):
        console.print(text)
        console.rule(text)
        with make_progress(make_console(file=screen, force_terminal=True, width=80)) as progress:
            progress.add_task(text)
        assert screen.getvalue().count(text) >= 3


def test_one_place_makes_consoles():
    for path in Path(zoo.__file__).parent.rglob("*.py"):
        names = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert path.name == "console.py" or not names & {"Console", "Prompt"}, path


def test_a_thread_that_is_silenced_prints_nothing():
    screen = io.StringIO()
    console = make_console(file=screen, force_terminal=True)
    with silence(), make_progress(console) as progress:
        console.print("lost")
        progress.add_task("lost")
        thread = Thread(target=console.print, args=("said",))
        thread.start()
        thread.join()
    console.print("said")
    assert "lost" not in screen.getvalue()
    assert screen.getvalue().count("said") == 2
