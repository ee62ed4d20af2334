"""Score weights on their own test split or on other data.

zoo test image_cnn.mnist                 released weights, on the data that their card names
zoo test image_cnn.mnist data=digits     on other data with the same classes
zoo test runs/image_cnn/a                a run's
zoo test pets.safetensors data=image_folder data.source=PATH
zoo test runs/auto/pets/a                the predictor that `zoo auto` ended with
"""

import json
from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME|RUN|WEIGHTS", help="a name of `zoo list weights`, a run or a file"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="of data and trainer")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> None:
    from zoo.automl.load import find
    from zoo.automl.test import evaluate

    scores, config, card = evaluate(find(args.name), args.overrides)
    if args.json:
        print(json.dumps({"weights": card["name"], "data": config["choices"]["data"], **scores}))
        return
    print_table(card, config["choices"]["data"], scores)


def print_table(card: dict, data: str, scores: dict) -> None:
    """Each metric here, beside what the card says."""
    from rich.table import Column, Table

    from zoo.distributed.console import make_output
    from zoo.pretrained import model_card

    columns = Column("metric", no_wrap=True), f"on {data}", "the card says"
    table = Table(*columns, title=card["name"], title_justify="left")
    for metric in scores:
        if not metric.endswith(("/low", "/high")):
            here = model_card.score({"metrics": scores}, metric)
            table.add_row(metric, here, model_card.score(card, metric))
    make_output(None).print(table)
