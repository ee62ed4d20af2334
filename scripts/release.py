"""Make the weights of runs those that go by name: zoo/weights/<model>.<data>, and docs/zoo.md.

    python scripts/release.py [--default] RUN...

The tensors are written in 8 bits a number (zoo/pretrained/quantize.py), scored again on the whole
test split, and kept so unless the score leaves the interval that it had; else in 16, or 32.
--default: the model's bare name means these.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from zoo.catalog.compose import compose
from zoo.config import schema
from zoo.pretrained import model_card, store
from zoo.pretrained.load import attach, load
from zoo.pretrained.quantize import Bits
from zoo.training import card, evaluate
from zoo.training.evaluator import Evaluator
from zoo.training.run import Run

SIZES: tuple[Bits, ...] = (8, 16, 32)
FOLDER = store.FOLDER


def main() -> None:
    parser = ArgumentParser(description="\n".join((__doc__ or "").splitlines()[:1]))
    parser.add_argument("--default", action="store_true", help="the model's name means these")
    parser.add_argument("runs", nargs="+", type=Path)
    args = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for folder in args.runs:
        with evaluate.quiet():
            release(Run(folder), args.default)
    (FOLDER.parents[1] / "docs" / "zoo.md").write_text(model_card.page(), encoding="utf-8")


def release(run: Run, default: bool) -> None:
    """Write one run's weights and card."""
    results = run.results
    assert not results["smoke"], f"{run.folder} is a smoke run"
    config = compose([f"experiment={results['experiment']}", f"seed={results['seed']}"])
    model, data = open_run(run, config)
    test_config = {**config, "trainer": {**config["trainer"], "precision": "32-true"}}
    evaluator = Evaluator(test_config) if test_config["evaluator"] else None
    scores = evaluate.test(test_config, model, data, evaluator)
    full_card = {**card.make_card(config, results, scores, model, data), "default": default}
    seed = f" seed={results['seed']}" if results["seed"] else ""
    full_card["command"] = f"zoo train experiment={results['experiment']}{seed}"
    path = FOLDER / f"{full_card['name']}{store.ENDING}"
    for bits in SIZES:
        store.save(model, full_card, path, bits)
        reloaded = load(path)
        new_scores = evaluate.test(test_config, reloaded, data, evaluator)
        if is_unchanged(full_card["score"], scores, new_scores):
            break
    store.save(reloaded, {**full_card, "metrics": new_scores}, path, bits)
    score_text = model_card.score({"score": full_card["score"], "metrics": new_scores})
    print(f"{full_card['name']}: {model_card.score(full_card)}; in {bits} bits {score_text}")


def open_run(run: Run, config: dict[str, Any]) -> tuple[Any, Any]:
    """The run's model, with what tells novelty, and the data that its input was fitted on."""
    data = schema.build(config["data"], "data")
    data.prepare_data()
    data.setup("test")
    model = load(run.folder)
    old, new = model.card["info"]["input"], data.info["input"]
    assert {key: new[key] for key in old} == old, f"{run.folder}: it has learned from other data"
    attach(model, data.input, data.info)
    config["model"] = model.card["model"]
    model.novelty = card.novelty(model, data)
    return model, data


def is_unchanged(metric: str, first: dict[str, float], second: dict[str, float]) -> bool:
    """Whether a score is where it was: in the first's interval, else within a hundredth of it."""
    low, high = first.get(f"{metric}/low"), first.get(f"{metric}/high")
    if low is None or high is None:
        return abs(second[metric] - first[metric]) <= 0.01 * abs(first[metric])
    return low <= second[metric] <= high


if __name__ == "__main__":
    main()
