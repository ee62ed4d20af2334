"""What unsettles a figure, and what does not."""

import pytest

from zoo.catalog.compose import compose
from zoo.training import digest
from zoo.training.definitions import Code

FIT = '''"""Fit."""

from zoo import tools
from zoo.models import Model


def work(config):
    """Do it."""
    print("on it")
    model = Model(config)
    return tools.scaled(model.forward(2))


def unreached():
    return 1
'''
TOOLS = """import math as m

from datamodules import half


def scaled(x: float) -> float:
    if x < 0:
        raise ValueError(f"{x} is below zero")
    return m.sqrt(x) * half.HALF
"""
MODELS = """from zoo.base import Base


class Model(Base):
    def forward(self, x):
        return x + self.more

    def figures(self):
        return {}
"""
BASE = "class Base:\n    more = 1\n\n\nclass Other:\n    pass\n"
TREE = {
    "zoo/fit.py": FIT, "zoo/tools.py": TOOLS, "zoo/models.py": MODELS, "zoo/base.py": BASE,
    "datamodules/half.py": "HALF = 0.5\n",
}  # fmt: skip


@pytest.fixture
def texts(tmp_path_factory):
    """The forms of what a tree's `work` reaches, with some of its files changed."""

    def read(changes=(), root="zoo.fit.work"):
        folder = tmp_path_factory.mktemp("tree")
        for name, text in (TREE | dict(changes)).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return Code(folder, {"figures"}).texts([root])

    return read


def changed(file, *words):
    """A file with each first of two words replaced by the second."""
    text = TREE[file]
    for old, new in zip(words[::2], words[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    return {file: text}


RENAMED = ("from zoo import tools", "from zoo.rooms.maths import scaled", "tools.scaled", "scaled")
BASE_ALIAS = ("from zoo.base import Base", "import zoo.rooms.base_model as b", "(Base)", "(b.Base)")
LOCAL = (
    "from zoo import tools\n", "", '    print("on it")', "    from zoo import tools as others",
    "tools.scaled", "others.scaled",
)  # fmt: skip
SAME = {
    "a function moves to another module": {
        **changed("zoo/fit.py", *RENAMED), "zoo/tools.py": "", "zoo/rooms/maths.py": TOOLS,
    },
    "a module is split": {
        "zoo/base.py": "", "zoo/rooms/base_model.py": "class Base:\n    more = 1\n",
        **changed("zoo/models.py", *BASE_ALIAS),
    },
    "an import is made inside the function, under another name": changed("zoo/fit.py", *LOCAL),
    "a re-export stands between": {
        "zoo/rooms/__init__.py": "from zoo.base import Base as Base\n",
        **changed("zoo/models.py", "zoo.base", "zoo.rooms"),
    },
    "another library's alias": changed("zoo/tools.py", "math as m", "math", "m.s", "math.s"),
    "the order of definitions": {
        "zoo/base.py": "class Other:\n    pass\n\n\nclass Base:\n    more = 1\n"
    },
    "a comment": changed("datamodules/half.py", "0.5", "0.5  # of it"),
    "a docstring": changed("zoo/fit.py", "Do it.", "Do all of it."),
    "a type": changed("zoo/tools.py", "x: float", "x"),
    "the text of an error": changed("zoo/tools.py", "below zero", "too small"),
    "what is printed": changed("zoo/fit.py", "on it", "working"),
    "what is not reached": changed("zoo/fit.py", "return 1", "return 2"),
    "what a leaf does": changed("zoo/models.py", "return {}", "return {1: 2}"),
}  # fmt: skip
OTHER = {
    "a constant behind two imports": changed("datamodules/half.py", "0.5", "0.25"),
    "an operator behind two imports": changed("zoo/tools.py", ") * half", ") / half"),
    "a method": changed("zoo/models.py", "x + self", "x - self"),
    "a base class": changed("zoo/base.py", "more = 1", "more = 2"),
    "a condition for an error": changed("zoo/tools.py", "x < 0", "x <= 0"),
    "a function of another library": changed("zoo/tools.py", "import math as", "import cmath as"),
    "another definition of the same name": {
        "datamodules/other.py": "HALF = 0.5 + 0\n",
        **changed("zoo/tools.py", "datamodules import half", "datamodules import other as half"),
    },
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME)
def test_what_decides_no_number_unsettles_no_figure(texts, changes):
    assert texts(changes) == texts()


@pytest.mark.parametrize("changes", OTHER.values(), ids=OTHER)
def test_what_decides_a_number_does(texts, changes):
    assert texts(changes) != texts()


def test_a_root_that_moves_unsettles_none(texts):
    assert texts({"zoo/rooms/fit.py": FIT}, "zoo.rooms.fit.work") == texts()


def test_a_name_of_the_functions_own_hides_the_modules(texts):
    """`tools` is an argument here, no module: what it would have named is not reached."""
    found = texts({"zoo/fit.py": FIT.replace("def work(config):", "def work(config, tools):")})
    assert [any(one in form for form in found) for one in ("def scaled", "class Base")] == [0, 1]


def test_a_kernel_beside_its_module_counts(texts):
    module = {"datamodules/half.py": "HALF = kernel(__file__)\n"}
    one, other = ({**module, "datamodules/half.cpp": text} for text in ("int x = 1;", "int x = 2;"))
    assert texts(one) != texts(other)


def test_a_root_that_is_not_there_is_named(texts):
    with pytest.raises(LookupError, match=r"zoo\.fit\.works"):
        texts(root="zoo.fit.works")


def test_all_roots_and_leaves_are_there():
    """A definition that moves takes its place in the constants of digest.py along."""
    for name in (*digest.ROOTS, *(leaf for leaf in digest.LEAVES if "." in leaf)):
        assert digest.code().find(name)[0], f"{name} has moved: see zoo/training/digest.py"


@pytest.fixture(scope="module")
def config():
    return compose(["experiment=text_cnn"])


def test_the_config_and_the_seeds_count_but_not_what_shapes_no_score(config):
    before = digest.digest([config], [0])
    for configs, seeds in (([config], [0, 1]), ([{**config, "ema": 0.9}], [0])):
        assert digest.digest(configs, seeds) != before
    assert digest.digest([{**config, "save_every": 1, "seed": 3, "target": None}], [0]) == before


def test_weights_that_a_config_names_count_by_their_content(config, tmp_path, monkeypatch):
    """A classifier that starts from released vectors has another score from others."""
    monkeypatch.setattr(digest, "WEIGHTS", tmp_path)
    started = {**config, "model": {**config["model"], "vectors": "cbow.mine"}}
    found = set()
    for content in (b"one", b"other"):
        (tmp_path / "cbow.mine.safetensors").write_bytes(content)
        found.add(digest.digest([started], [0]))
    assert len(found) == 2


def test_a_class_counts_by_its_name_and_not_by_its_module():
    one, moved, other = (digest._bare({"_target_": f"zoo.{n}"}) for n in ("a.M", "b.M", "a.N"))
    assert one == moved != other
