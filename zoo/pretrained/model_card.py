"""Cards as people read them: a line, a page for one model, a page for all that are released."""

from collections.abc import Mapping
from typing import Any

from zoo.pretrained import store
from zoo.utilities.scores import format_range, format_score, is_part

HEADER = ("weights", "data", "metric", "score", "baseline", "size")

Card = Mapping[str, Any]


def rows() -> list[tuple[str, ...]]:
    """Name, data, metric, score, baseline and size of each of the released weights."""
    table: list[tuple[str, ...]] = []
    for name, path in store.released().items():
        card, size = store.read(path), f"{path.stat().st_size / 1e6:.1f} MB"
        judged = card["score"].removeprefix("test/"), score(card), baseline_score(card)
        table.append((name, card["choices"]["data"], *judged, size))
    return table


def score(card: Card, metric: str | None = None) -> str:
    """A metric of a card with its interval; the one that it is judged by when None."""
    metric = metric or card["score"]
    value = card["metrics"].get(metric)
    if value is None:
        return ""
    low, high = (card["metrics"].get(f"{metric}/{end}") for end in ("low", "high"))
    interval = "" if low is None else f" ({format_range(metric, low, high)})"
    return format_score(metric, value) + interval


def baseline_score(card: Card) -> str:
    """The baseline's score on the same metric."""
    value = card["baseline"].get(f"baseline/{card['score']}")
    return "" if value is None else format_score(card["score"], value)


def describe(card: Card) -> list[tuple[str, str]]:
    """The facts of a card as (name, value)."""
    metrics = [m for m in card["metrics"] if not is_part(m)]
    size = " x ".join(map(str, card.get("flops_input", []))) or "a number"
    baseline = card["baseline"].get("baseline", "")
    entries = [
        *((metric.removeprefix("test/"), score(card, metric)) for metric in metrics),
        ("baseline", f"{baseline_score(card)} ({baseline})" if baseline_score(card) else ""),
        ("data seen", ", ".join(_family(name, of) for name, of in card["seen"].items())),
        ("licence of the data", card["licence"] or "not stated"),
        ("limits", card["limits"] or "not stated"),
        ("parameters", f"{card['parameters']:,}"),
        ("FLOPs a sample", f"{card['flops']:,} (for {size})" if "flops" in card else ""),
        ("receptive field", card.get("receptive_field")),
        ("trained by", f"`{card['command']}`, seed {card['seed']}, commit {card['commit']}"),
        ("in", f"{card['train_seconds'] / 60:.1f} minutes, {card['precision']}"),
    ]
    return [(name, value) for name, value in entries if value]


def _family(name: str, parent: str | None) -> str:
    return f"{name} (a part of {parent}'s training split)" if parent else name


def readme(card: Card) -> str:
    """The page of one model, with the head that the Hugging Face hub reads."""
    return (
        "---\nlibrary_name: lightning-zoo\ntags: [pytorch-lightning, lightning-zoo]\n---\n"
        f"# {card['name']}\n\n{_describe_in_table(card)}\n"
        '```python\nimport zoo\n\nmodel = zoo.load("this folder")\nprint(model.predict(...))\n```\n'
    )


def page() -> str:
    """docs/zoo.md: every released model."""
    head = (
        "# The zoo\n\nWeights that come with the package and load without a network:\n"
        '`zoo.load("image_cnn.mnist")`, `zoo predict image_cnn.mnist picture.png`.\n'
        "A model's bare name means the weights that are marked as its default.\n\n"
        "Written by `zoo list weights --markdown` from the cards in zoo/weights; `zoo test NAME`\n"
        "scores one again. Scores are of the test split, with 95 % intervals.\n\n"
        "Classifiers warn of an input that is unlike their training data\n"
        "(zoo/metrics/novelty.py). It is caught where it is of another kind, such as a photograph\n"
        "given to a network of digits, and missed where it is nearly alike, such as a letter\n"
        "among digits; networks that have seen much variety, such as those of CIFAR-10 or of long\n"
        "reviews, are hard to surprise.\n\n"
    )
    links = [(f"[{name}](#{name.replace('.', '')})", *rest) for name, *rest in rows()]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in links)
    sections = (_section(name, store.read(path)) for name, path in store.released().items())
    top = f"| {' | '.join(HEADER)} |\n|---|---|---|---|---|---|\n{lines}\n"
    return head + top + "\n".join(sections)


def _section(name: str, card: Card) -> str:
    default = f", the default of `{card['choices']['model']}`" if card.get("default") else ""
    return f"## {name}\n\n{card['choices']['data']}{default}\n\n{_describe_in_table(card)}"


def _describe_in_table(card: Card) -> str:
    rows = (f"| {key} | {value} |\n" for key, value in describe(card))
    return "| | |\n|---|---|\n" + "".join(rows)
