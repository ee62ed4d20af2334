"""A run's scores beside its baseline's and its target."""

from collections.abc import Mapping
from typing import Any

from zoo.figures.kinds import Table
from zoo.utilities.scores import format_range, format_score, is_part

LOWER_IS_BETTER = (
    "loss", "perplexity", "bits", "nats", "error", "bce", "mse", "mae", "distance", "frechet",
)  # fmt: skip


def comparison(results: dict[str, Any]) -> Table:
    """Baseline, model and target on one metric, each with what there is to say of it."""
    metric = headline(results)
    if not metric:
        return Table((), ())
    beside_baseline, beside_model = _winner(metric, results)
    name = results.get("model", "model")
    rows = [
        (name, format_score(metric, results[metric]), interval_of(metric, results), beside_model)
    ]
    if (baseline := results.get(f"baseline/{metric}")) is not None:
        name = results.get("baseline", "baseline")
        rows.insert(0, (name, format_score(metric, baseline), "", beside_baseline))
    if (target := _target(results)).get("metric") == metric:
        rows.append(("target", bar(metric, target), "", _verdict(results[metric], results)))
    return Table(("", metric, "95 % interval", ""), rows)


def describe_score(results: dict[str, Any]) -> str:
    """The metric to compare, its value and its interval in one line."""
    if not (metric := headline(results)):
        return "none"
    interval = interval_of(metric, results)
    return f"{metric} {format_score(metric, results[metric])}" + (f" ({interval})" * bool(interval))


def headline(results: Mapping[str, Any]) -> str:
    """The metric to compare: the target's, else the baseline's, else a test metric, or none."""
    beside = [key for key in results if key.startswith("baseline/test/")]
    compared = [key.removeprefix("baseline/") for key in beside]
    scored = sorted(tested_metrics(results), key=lambda metric: metric.endswith("/loss"))
    candidates = [_target(results).get("metric", ""), *compared, *scored]
    return next((metric for metric in candidates if results.get(metric) is not None), "")


def tested_metrics(results: Mapping[str, Any]) -> list[str]:
    return [key for key in results if key.startswith(("test/", "test_")) and not is_part(key)]


def _target(results: Mapping[str, Any]) -> dict[str, Any]:
    return results.get("target") or {}


def interval_of(metric: str, results: dict[str, Any]) -> str:
    low, high = results.get(f"{metric}/low"), results.get(f"{metric}/high")
    if low is None or high is None:
        return ""
    return format_range(metric, low, high)


def _winner(metric: str, results: dict[str, Any]) -> tuple[str, str]:
    """What to say beside the baseline and beside the model."""
    model, baseline = results[metric], results.get(f"baseline/{metric}")
    if baseline is None:
        return "", ""
    low, high = results.get(f"{metric}/low"), results.get(f"{metric}/high")
    close = low is not None and high is not None and low <= baseline <= high
    within = ", but within the model's interval" if close else ""
    if model == baseline:
        return "", "as good as the baseline"
    if (model < baseline) == _lower_is_better(metric, results):
        return "", f"better than the baseline{within}"
    return f"the baseline wins{within}", ""


def loses(results: dict[str, Any]) -> bool:
    """Whether the baseline is better than the model."""
    metric = headline(results)
    return bool(metric) and bool(_winner(metric, results)[0])


def _lower_is_better(metric: str, results: dict[str, Any]) -> bool:
    target = _target(results)
    return "at_most" in target if target.get("metric") == metric else lower_is_better(metric)


def lower_is_better(metric: str) -> bool:
    """Which way a metric goes, where no target says it."""
    return any(word in metric for word in LOWER_IS_BETTER)


def bar(metric: str, target: Mapping[str, Any]) -> str:
    """The bar of a target in words."""
    if (low := target.get("at_least")) is not None:
        return f"at least {format_score(metric, low)}"
    return f"at most {format_score(metric, target['at_most'])}"


def reaches(value: float, target: Mapping[str, Any]) -> bool:
    """Whether a score is within the bar."""
    low, high = target.get("at_least"), target.get("at_most")
    return (low is None or value >= low) and (high is None or value <= high)


def _verdict(value: float, results: dict[str, Any]) -> str:
    if results.get("smoke"):
        return "not judged: a smoke run"
    return "met" if reaches(value, _target(results)) else "missed"
