"""On data of one's own: what `zoo train` learns, `zoo auto`, the strong baseline and fastText.

    python -m benchmarks.own_data mnist:600 imdb:1000        these, 5 seeds, 10 minutes each
    python -m benchmarks.own_data --table                    the table of what has been measured
    python -m benchmarks.own_data mnist:300 --held-out --methods baseline default "default seed=7"

So many training samples of a data set of the catalog, others with each seed, are written as a user
would have them, a folder or a table with its test split; each method has as many minutes. A cell,
a JSON file in runs/own_data/, is not measured again. fastText (extra `bench`) is for texts; its
autotune has the minutes. Overrides may follow all but fastText, for comparisons that choose
settings: these are made with --held-out, which scores other training samples of the set, and does
not read its test split.
"""
