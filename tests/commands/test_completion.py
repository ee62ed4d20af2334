"""Completion: what a line may go on with, in a shell that runs our script, without torch."""

import subprocess
import sys

import pytest

from tests.data import python
from zoo.commands.completion import SCRIPTS, complete
from zoo.commands.main import verbs


@pytest.mark.parametrize(("line", "said"), {
    "zoo tr": ["train"], "zoo ": verbs(), "zoo trian mod": [], "zoo show char_": ["char_rnn"],
    "zoo train mod": ["mode=", "model.", "model="],
    "zoo train trainer.max_s": ["trainer.max_steps="],
    "zoo train seed=1,2 -m model.drop": ["model.dropout="],
    "zoo train model=image_c": ["model=image_cnn", "model=image_cnn_2017"],
    "zoo train seed=1 experiment=gan_": ["experiment=gan_conditional"],
    "zoo train -m model=gan model.noi": ["model.noise="], "zoo train --mul": ["--multirun"],
    "zoo auto data=image_f": ["data=image_folder"],
    "zoo train hydra/launcher=j": ["hydra/launcher=joblib"], "zoo reproduce image_m": ["image_mlp"],
}.items())  # fmt: skip
def test_a_line_goes_on_as_it_may(line, said):
    assert complete(line) == said


def test_a_folder_of_configs_is_completed_from(tmp_path, command):
    (tmp_path / "mine/model").mkdir(parents=True)
    (tmp_path / "mine/model/tall.yaml").write_text("width: 3\n")
    line = "zoo train --config-dir mine model=tal"
    assert command.ran("completion", "--line", line) == "model=tall\n"
    for wrong in ("zoo train --config-dir=nowhere model=", "zoo x"):
        assert command.ran("completion", "--line", wrong) in ("", "\n")


def test_completing_imports_neither_torch_nor_lightning():
    check = (
        "import sys; from zoo.commands.main import main; "
        "main(['completion', '--line', 'zoo train model=image_m']); "
        "assert not {'torch', 'pytorch_lightning', 'rich', 'pydantic'} & set(sys.modules)"
    )
    assert python("-c", check) == "model=image_mlp\n"


@pytest.mark.parametrize(("line", "breaks", "said"), [
    ("zoo train model=image_m", "=", ["image_mlp"]), ("zoo train mode", "=", ["mode=", "model."]),
    ("zoo train model=image_m", "", ["model=image_mlp"]), ("zoo tr", "=", ["train"]),
])  # fmt: skip
def test_bash_is_given_what_stands_behind_its_word_break(line, breaks, said, command):
    """bash replaces what follows the last sign of COMP_WORDBREAKS alone."""
    script = f"""
        compopt() {{ :; }}
        zoo() {{ {sys.executable} -m zoo "$@"; }}
        {command.ran("completion", "bash")}
        COMP_WORDBREAKS=$' {breaks}'; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
        _zoo_complete; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert ({*done.stdout.split()} >= {*said}, done.stderr) == (True, "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_has_a_script_that_asks_for_the_line(shell, command):
    script = command.ran("completion", shell)
    assert "zoo completion --line" in script
    assert command.refused("completion")
