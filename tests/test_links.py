"""What README and the pages point at is there: links, headings, files; README tells the truth."""

import re
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
README = (ROOT / "README.md").read_text()
FILE = re.compile(r"(?<![\w/.-])(?:zoo|datamodules|conf|docs|tests|benchmarks|scripts)/[\w./]*\w\b")

# zoo.packages is a group of entry points
MODULE = re.compile(
    r"(?<![\w/.-])(zoo|datamodules)\.(?!md\b|png\b|packages\b)([a-z_]\w*)(?:\.(\w+))?"
)


def anchors(page):
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_resolves(page):
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not target.startswith("http"):
            name, _, anchor = target.partition("#")
            there = page.parent / name if name else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_module_that_a_page_names_is_there(page):
    """But for those of the topic of one's own, docs/ninth_topic.md."""
    for name in FILE.findall(page.read_text()):
        assert "mixer" in name or (ROOT / name).exists(), name
    for package, first, second in MODULE.findall(page.read_text()):
        room = ROOT / package / first
        there = room.is_dir() or room.with_suffix(".py").exists() or "mixer" in first
        assert there or first in zoo.__all__, first
        in_room = (room / second).with_suffix(".py").exists() if second else True
        assert not room.is_dir() or in_room, f"{package}.{first}.{second}"


def test_readme_counts_the_weights_and_its_picture_is_small():
    (count,) = re.findall(r"one of (\d+) models", README)
    assert int(count) == len(zoo.list_models(pretrained=True))
    assert (ROOT / "docs" / "zoo.png").stat().st_size < 150_000


def test_the_python_of_readme_prints_what_it_says(capsys):
    (block,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})
    assert f"# {capsys.readouterr().out}" == block.splitlines(keepends=True)[-1]
