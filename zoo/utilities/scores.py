"""How a score is written."""

PERCENT = ("accuracy", "precision", "recall", "f1", "neighbours", "coverage", "analogy")


def format_score(metric: str, value: float) -> str:
    """A score as it is read: shares as per cent, others with four digits."""
    if is_share(metric):
        return f"{100 * value:.2f} %"
    return f"{value:.4g}"


def format_range(metric: str, low: float, high: float) -> str:
    """A range of scores; the per cent sign stands once."""
    return f"{format_score(metric, low).removesuffix(' %')} to {format_score(metric, high)}"


def is_share(metric: str) -> bool:
    """Whether it is a share between 0 and 1, of which more is better."""
    return any(word in metric for word in PERCENT)


def is_part(metric: str) -> bool:
    """Whether it is a part of another metric, as test/analogy/family is of test/analogy."""
    return metric.count("/") > 1
