"""Make the weights of a run those that `zoo.load` takes by name: zoo/weights/<model>.<data>.

    python scripts/release.py [--default] RUN...

The tensors are written in half precision, scored again on the whole test split, and kept so unless
the score leaves the interval of the run's own. --default: the model's bare name means these.
"""

from argparse import ArgumentParser
from pathlib import Path

from zoo import cards, catalog
from zoo.training import card, evaluate
from zoo.training.run import Run

FOLDER = Path(cards.__file__).with_name("weights")


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--default", action="store_true")
    parser.add_argument("runs", nargs="+", type=Path)
    given = parser.parse_args()
    for folder in given.runs:
        release(Run(folder), given.default)


def release(run: Run, default: bool) -> None:
    """Write one run's weights and card."""
    results = run.results
    assert not results["smoke"], f"{run.folder} is a smoke run"
    config = catalog.compose([f"experiment={results['experiment']}", f"seed={results['seed']}"])
    with evaluate.quiet():
        model = cards.load(run.folder)
        data = evaluate.opened(config, model)
        config["model"] = model.card["model"]
        model.novelty = card.novelty(model, data)
        scores = evaluate.test(config["trainer"] | {"precision": "32-true"}, model, data)
        told = card.card(config, results, scores, model, data, None) | {"default": default}
        for half in (True, False):
            cards.save(model, told, FOLDER / f"{told['name']}.safetensors", half)
            again = cards.load(FOLDER / f"{told['name']}.safetensors")
            data.trainer = None
            scored = evaluate.test(config["trainer"] | {"precision": "32-true"}, again, data)
            if same(told["score"], scores, scored):
                break
    told |= {"metrics": scored, "half": half}
    cards.save(again, told, FOLDER / f"{told['name']}.safetensors", half)
    print(told["name"], told["score"], results[told["score"]], scored[told["score"]], half)


def same(metric: str, first: dict, second: dict) -> bool:
    """Whether a score stayed where it was: in the first's interval, or within a hundredth."""
    low, high = first.get(f"{metric}/low"), first.get(f"{metric}/high")
    if low is None:
        return abs(second[metric] - first[metric]) <= 0.01 * abs(first[metric])
    return low <= second[metric] <= high


if __name__ == "__main__":
    main()
