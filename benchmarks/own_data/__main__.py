"""Measure the cells that are asked for, and print the table of all."""

import sys
from argparse import ArgumentParser

import benchmarks.own_data as own_data
from benchmarks.own_data.cells import measure, plan, read
from benchmarks.own_data.methods import METHODS
from benchmarks.own_data.table import table


def main() -> None:
    parser = ArgumentParser(description=own_data.__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", metavar="DATA:SAMPLES")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), metavar="METHOD")
    parser.add_argument("--held-out", action="store_true", help="score other training samples")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(",")]
    failed = 0
    data = [] if args.table else args.data
    for cell in plan(data, seeds, args.minutes, args.methods, args.held_out):
        try:
            print(f"{cell.name}: {100 * measure(cell)['accuracy']:.1f} %", flush=True)
        except Exception as error:  # the other cells are measured all the same
            failed += 1
            print(f"{cell.name}: {type(error).__name__}: {error}", flush=True)
    if rows := read(args.minutes, args.held_out):
        print(table(rows))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
