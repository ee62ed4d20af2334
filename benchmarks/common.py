"""A B A B: two sides of a comparison in turn, the ratio round by round, its median and spread."""

import json
import os
from collections.abc import Callable
from statistics import median
from typing import TypedDict

ROUNDS = 5


class Row(TypedDict):
    """One comparison: ours over the peer's rate, the lowest and highest round beside the median."""

    ratio: float
    peer: str
    low: float
    high: float
    ours_rate: float
    peer_rate: float


def compare(peer: str, ours: Callable[[], float], theirs: Callable[[], float]) -> Row:
    """Time both sides `ROUNDS` times in turn; each gives its rate. One round before is left out."""
    ours(), theirs()
    rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
    ratios = [mine / other for mine, other in rounds]
    return {
        "ratio": round(median(ratios), 3),
        "peer": peer,
        "low": round(min(ratios), 3),
        "high": round(max(ratios), 3),
        "ours_rate": round(median(mine for mine, _ in rounds), 1),
        "peer_rate": round(median(other for _, other in rounds), 1),
    }


def show(rows: dict[str, Row], unit: str) -> None:
    """A table, and as the last line one JSON object."""
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {ROUNDS} rounds in turn, {unit}")
    for name, row in rows.items():
        spread = f"{row['low']:.2f} to {row['high']:.2f}"
        rates = f"{row['ours_rate']:,.0f} against {row['peer_rate']:,.0f}"
        print(f"{name:<34} {row['ratio']:>6.2f} x {row['peer']:<24} ({spread})  {rates}")
    print(json.dumps(rows))
