"""`python -m zoo` is the program `zoo`."""

from zoo.commands.main import main

if __name__ == "__main__":
    raise SystemExit(main())
