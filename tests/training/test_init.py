"""`init=`: a run that starts from other weights; what is taken, starts anew, and is refused."""

import pytest
import torch

import zoo
from tests.data import SMALL
from zoo.catalog.compose import compose


@pytest.fixture
def start(trained):
    """A small run on digits, to start from."""
    return trained("image_cnn", **SMALL)


def test_model_arguments_and_input_are_the_cards_classes_are_the_datas(start, tiny, capsys):
    run = zoo.train(
        data="image_folder", init=str(start.folder), trainer={"max_epochs": 1}, baseline=None,
        **{f"data.{key}": value for key, value in tiny("image_folder").items()},
        **{"model.optimizer.lr": 1e-9},
    )  # fmt: skip
    assert "new       head.bias, head.weight" in capsys.readouterr().err
    assert (run.config["model"]["widths"], run.model.hparams["num_classes"]) == ([4, 8], 2)
    assert run.model.classes == ["bright", "dark"]
    assert vars(run.model.input) == vars(start.model.input)
    assert run.model.card["seen"] == {"digits": "mnist", "image_folder": None}
    moved = run.model.state_dict()  # at this rate nothing moves but statistics
    for name, value in start.model.state_dict().items():
        if "head" not in name and "running" not in name and "batches" not in name:
            torch.testing.assert_close(moved[name], value, atol=1e-6, rtol=0)


def test_it_goes_on_at_a_tenth_of_the_rate_unless_told_otherwise(start):
    began = start.config["model"]["optimizer"]["lr"]
    for asked, expected in (([], began / 10), (["model.optimizer.lr=0.3"], 0.3)):
        config = compose([f"init={start.folder}", *asked])
        assert config["model"]["optimizer"]["lr"] == pytest.approx(expected)


def test_the_same_classes_keep_the_head(start, capsys):
    """Fine-tuned on more of the same: nothing starts anew; the rate is the user's."""
    rate = {"model.optimizer.lr": 1e-9}
    run = zoo.train("image_cnn", **SMALL, init=str(start.folder), **rate, name="b")
    assert "new  " not in capsys.readouterr().err
    found, wanted = (one.model.state_dict()["head.weight"] for one in (run, start))
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)
    assert run.config["target"] is None  # another start, another score


@pytest.mark.parametrize(("words", "said"), [
    (["init=image_cnn.mnits"], "no weights named 'image_cnn.mnits'"),
    (["init=nowhere/at/all"], "no weights at nowhere/at/all"),
    (["init={start}", "model=gan"], "init={start} is a image_cnn; leave model= out"),
    (["init={start}", "data=negated_reviews"], "choose other data"),
    (["init={start}", "model.widths=[4,9]"], "does not fit its model: "),
    (["init={start}", "model.num_classes=7"], "the data have 10 and the model's file 10"),
])  # fmt: skip
def test_what_does_not_fit_is_one_line(words, said, start, command, tmp_path):
    words = [word.format(start=start.folder) for word in words]
    line = command.failed("train", *words, "trainer=smoke", "baseline=null")
    assert said.format(start=start.folder) in line
    assert not list(tmp_path.rglob("checkpoints"))  # nothing left behind
