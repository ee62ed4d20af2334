"""Scripts beside the zoo: JPEG on a data set, the net, mutants, README's picture."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from scripts import jpeg, mutants, net, readme_picture, sites, torture_threads
from tests.data import opened
from tests.tiny import fashion_mnist

COMMITTED = Path(__file__).resolve().parent.parent / "docs" / "zoo.png"


def test_a_data_set_after_jpeg_is_read_again_with_its_labels(tmp_path):
    source = fashion_mnist.write(tmp_path / "fashion")["source"]
    change = jpeg.write("fashion_mnist", tmp_path / "jpeg", 75, source=source)
    given = [{"source": str(tmp_path / name), "batch_size": 8} for name in ("fashion", "jpeg")]
    before, after = (opened("fashion_mnist", **one) for one in given)
    assert after.info["samples"] == before.info["samples"]
    (pixels, labels), (lossy, same) = before.arrays("test"), after.arrays("test")
    np.testing.assert_array_equal(labels, same)
    assert 0 < np.abs(lossy.astype(int) - pixels).mean() < 40
    assert change > 0


def test_a_picture_is_what_its_jpeg_shows():
    picture = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=40)
    np.testing.assert_array_equal(jpeg.compress(picture, 40), np.asarray(Image.open(file)))


def test_a_net_names_what_is_other_and_gone_and_lets_the_new_be():
    before = {name: {"weights": "1", "scores": "2"} for name in ("equal", "gone", "other")}
    after = {**before, "other": {"weights": "1", "scores": "3"}, "new": {}}
    after["equal"] = {**before["equal"], "test/f1": "4"}
    del after["gone"]
    said = ["gone: is gone", "other: other scores"]
    assert list(net.differences(before, after)) == said


def test_a_net_knows_the_data_of_every_experiment():
    found = {name: net.data_of(name) for name in zoo.list_experiments()}
    assert set(found.values()) <= set(zoo.list_data())
    assert (found["image_cnn"], found["mnist_gan"]) == ("digits", "mnist")


def test_a_sheet_has_each_picture_at_its_place_in_full_range():
    pictures = [np.full((2, 2), 7.0), np.array([[3.0, 5.0], [3.0, 5.0]])]
    (left, right) = np.split(readme_picture.sheet(pictures, columns=2, gap=1), 2, axis=1)
    assert left.shape == right.shape == (4, 4)
    assert np.isnan(left[0]).all()
    np.testing.assert_array_equal(right[1:3, 1:3], [[0, 1], [0, 1]])


@pytest.mark.slow
def test_the_picture_of_readme_is_drawn(tmp_path):
    readme_picture.main(tmp_path / "zoo.png")
    with Image.open(tmp_path / "zoo.png") as drawn, Image.open(COMMITTED) as committed:
        assert drawn.size == committed.size


# --- mutants --------------------------------------------------------------------------------------

CODE = '''"""A module of which the docstring has no -1 + 1."""
SIZE: Annotated[int, 1 + 1] = 2 * 3


class Pictures:
    def shrink(self, x, by: int = 2):
        if by < 1 or not x:
            raise ValueError("by " + str(1 - by))
        return x[:, 1:].sum(dim=-1) - by


if __name__ == "__main__":
    print(1 + 1)
'''
CHANGES = {
    "SIZE: Annotated[int, 1 + 1] = 2 / 3",
    "def shrink(self, x, by: int = 3):",
    "if by <= 1 or not x:",
    "if by < 2 or not x:",
    "if by < 1 or x:",
    "if False:",
    "return x[:, 2:].sum(dim=-1) - by",
    "return x[:, 1:].sum(dim=0) - by",
    "return x[:, 1:].sum(dim=-1) + by",
}


@pytest.fixture
def tree(tmp_path):
    """One module in a room."""
    path = tmp_path / "zoo" / "room" / "pictures.py"
    path.parent.mkdir(parents=True)
    path.write_text(CODE)
    return tmp_path


def test_a_mutant_changes_code_and_no_message_annotation_or_program(tree):
    found = sites.mutants(tree)
    assert {mutant.after for mutant in found} == CHANGES
    assert {mutant.definition for mutant in found} == {"SIZE", "Pictures.shrink"}
    for mutant in found:
        text = mutant.applied(CODE.encode()).decode()
        assert text == CODE.replace(mutant.before, mutant.after)


def test_the_same_mutants_are_drawn_wherever_a_module_is(tree):
    drawn = sites.draw(sites.mutants(tree), seed=0, count=6)
    assert {mutant.kind for mutant in drawn} == {"sign", "bound", "axis", "default", "check", "not"}
    (tree / "datamodules").mkdir()
    (tree / "zoo/room/pictures.py").rename(tree / "datamodules/images.py")
    assert sites.draw(sites.mutants(tree), seed=0, count=6) == drawn
    assert sites.draw(sites.mutants(tree), seed=1, count=6) != drawn


def test_a_mutant_of_a_list_is_found_again_and_one_of_deleted_code_is_gone(tree, monkeypatch):
    listed = [{**mutant.identity, "killed_by": "a test"} for mutant in sites.mutants(tree)]
    other = CODE.replace(" - by", " - to.by").replace("2 * 3", "6")
    (tree / "zoo/room/pictures.py").write_text(other)
    found = [sites.find(entry, sites.mutants(tree)) for entry in listed]
    assert [entry["definition"] for entry in listed if not found[listed.index(entry)]] == ["SIZE"]
    monkeypatch.setattr(mutants, "ROOT", tree)
    for killed, missed in (("a test", 1), (None, len(listed))):
        verdict = {"killed_by": killed}
        monkeypatch.setattr(mutants, "judge_all", lambda some, _, v=verdict: dict.fromkeys(some, v))
        assert mutants.again(listed, None) == missed


def test_only_tests_that_see_a_mutant_are_suspected_and_those_of_its_room_first(tree, monkeypatch):
    (tree / "tests").mkdir()
    (tree / "tests/test_pictures.py").touch(), (tree / "tests/test_all.py").touch()
    names = ["tests/test_all.py::a", "tests/test_all.py::b", "tests/test_pictures.py::c"]
    seen = {"seconds": dict(zip(names, (1.0, 0.1, 9.0), strict=True))}
    seen["lines"] = {"zoo/room/pictures.py": {"9": [0, 2]}}
    monkeypatch.setattr(mutants, "ROOT", tree)
    evaluator = mutants.Judge(tree / "copies", 9.5, seen, {})
    last = next(mutant for mutant in sites.mutants(tree) if mutant.line == 9)
    rooms = {"tests/test_pictures.py": 0, "tests/test_all.py": mutants.OTHERS}
    tests = evaluator.suspects(last, rooms)
    assert tests == [names[2], names[0]]
    assert evaluator.affordable(tests) == (tests[:1], 1)


def test_a_file_of_tests_comes_before_others_by_its_name_its_room_or_what_it_imports(tmp_path):
    texts = {
        "test_pictures.py": "", "room/test_x.py": "", "test_y.py": "from zoo.room import pictures",
        "test_z.py": "from zoo import picture",
    }  # fmt: skip
    (tmp_path / "room").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    stages = [mutants.stage(tmp_path / name, "zoo/room/pictures.py") for name in texts]
    assert stages == [0, 1, 1, 2]
    (tmp_path / "test_z.py").write_text("def test_that(): ...")
    assert mutants.stage(tmp_path / "test_z.py", "zoo/x.py", "tests/test_old.py::test_that[1]") == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", torture_threads.MODELS)
def test_threads_that_ask_one_model_get_their_own_answers(name):
    """100 predictions a thread; `make torture ARGS=threads` asks ten times as often."""
    outcomes = torture_threads.ask(name, asked=100)
    assert (all(outcomes), len(outcomes) > 800) == (True, True)
