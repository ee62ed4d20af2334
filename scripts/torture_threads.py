"""Ask one model in many threads at once: `make torture ARGS=threads`, some ten minutes.

    python -m scripts.torture_threads

threads: 8 threads ask each of eight released models 1,000 times for samples of their data, and now
and then for what a layer gives; each answer is compared with the one that was given alone. Half the
time the model is in train mode, in which each call has a copy; threads take turns all the time.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import zoo

THREADS, ASKED, SAMPLES = 8, 1000, 7
OTHERS = 20  # every so many predictions a layer is asked
MODELS = (
    "text_cnn.negated_reviews", "text_lstm.negated_reviews", "image_cnn.digits",
    "sound_classifier.plucked_strings", "video_conv3d.moving_digits", "cbow.python_docs",
    "char_rnn.python_source", "autoencoder.digits",
)  # fmt: skip


def threads(names: tuple[str, ...] = MODELS, asked: int = ASKED) -> Iterator[tuple[str, bool]]:
    """Whether an answer is the one that the model gives alone, of all that threads were given.

    Args:
        asked: predictions a thread.
    """
    for name in names:
        for good in ask(name, asked):
            yield f"{name} in {THREADS} threads", good


def ask(name: str, asked: int) -> list[bool]:
    """Whether each answer to all threads was that of its own question."""
    model = zoo.load(name)
    data = zoo.create_data(model.card["choices"]["data"], limit=100)
    data.prepare_data()
    data.setup("fit")
    raws = list(data.input.restore(data.samples("test", SAMPLES)[0]))
    layer = [path for path, _ in model.named_children()][-1]

    def answer(number: int, of_layer: bool) -> str:
        raw = raws[number % len(raws)]
        return repr(model.features([raw], [layer]) if of_layer else model.predict([raw]))

    def compare(thread: int) -> list[bool]:
        outcomes = []
        for i in range(asked // 2):
            for of_layer in (False, True)[: 1 + (i % OTHERS == 0)]:
                number = (i * (thread + 1) + thread) % len(raws)
                outcomes.append(answer(number, of_layer) == alone[number, of_layer])
        return outcomes

    alone: dict[Any, str] = {
        (i, kind): answer(i, kind) for i in range(len(raws)) for kind in (False, True)
    }
    assert len(set(alone.values())) > SAMPLES, "samples that are answered alike show nothing"
    before, _ = sys.getswitchinterval(), sys.setswitchinterval(1e-5)
    outcomes: list[bool] = []
    try:
        for training in (False, True):
            model.train(training)
            with ThreadPoolExecutor(THREADS) as pool:
                outcomes += [good for part in pool.map(compare, range(THREADS)) for good in part]
            outcomes += [part.training == training for part in model.modules()]
    finally:
        sys.setswitchinterval(before)
    return outcomes


def main() -> int:
    """Print how many answers were right; return 1 if one was not."""
    failed = 0
    for name in MODELS:
        outcomes = ask(name, ASKED)
        print(f"{name}: {outcomes.count(False)} of {len(outcomes):,} differ", flush=True)
        failed += outcomes.count(False)
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
