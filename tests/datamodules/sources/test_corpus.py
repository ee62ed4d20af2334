"""A text larger than memory as numbers in a file (S63)."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from datamodules.inputs.tokenizer import words
from datamodules.sources import corpus

ROOT = Path(__file__).resolve().parents[3]
TEXTS = ["the cat saw the dog", "", "a dog", "...", "the end of the cat"]


@pytest.fixture
def text(tmp_path, monkeypatch):
    """Five documents, counted in blocks of a few words."""
    monkeypatch.setattr(corpus, "BLOCK", 4)
    return corpus.number_words(TEXTS, tmp_path / "words")


def test_numbers_are_the_words_of_each_document(text):
    documents = [text.numbers[a:b] for a, b in zip(text.bounds, text.bounds[1:], strict=False)]
    assert [[text.lexicon[i] for i in one] for one in documents] == [words(one) for one in TEXTS]


def test_counts_are_those_of_the_documents_that_are_asked_for(text):
    for chosen in ([0, 1, 2, 3, 4], [4, 0], [3]):
        expected = Counter(word for i in chosen for word in words(TEXTS[i]))
        counts = text.counts(np.array(chosen))
        assert counts.tolist() == [expected[word] for word in text.lexicon]


def test_known_words_of_each_document_are_counted(text):
    ids = np.array([word in ("the", "dog") for word in text.lexicon], np.int32)
    assert text.count_known(ids).tolist() == [3, 0, 1, 0, 2]


def test_documents_are_written_with_gaps_and_the_end_is_filled_up(text, tmp_path):
    ids = np.array([0 if word == "saw" else i for i, word in enumerate(text.lexicon, 2)], np.int32)
    splits = {"train": np.array([4, 2, 0]), "val": np.array([0, 4])}
    unknown = corpus.write(tmp_path, text, ids, splits, 2)
    assert unknown == pytest.approx({"train": 1 / 12, "val": 1 / 10})
    written = np.load(tmp_path / "train_ids.npy")
    spelt = dict(zip(ids.tolist(), text.lexicon, strict=True)) | {0: "_"}
    assert [spelt[i] for i in written[:19].tolist()] == [
        "_", "_", "the", "end", "of", "the", "cat", "_", "_", "a", "dog", "_", "_",
        "the", "cat", "the", "dog", "_", "_",
    ]  # fmt: skip
    assert len(written) == 1000
    assert not written[19:].any()


def test_with_a_limit_only_documents_of_a_split_are_cut_into_words(tmp_path):
    texts = [f"w{i}" for i in range(40)]
    whole, splits = corpus.read(lambda: iter(texts), tmp_path / "a", 0.1, 0.1, None)
    few, chosen = corpus.read(lambda: iter(texts), tmp_path / "b", 0.1, 0.1, 2)
    assert (len(whole.lexicon), len(few.lexicon)) == (40, 6)
    for name, part in splits.items():
        assert part[:2].tolist() == chosen[name].tolist()


def test_the_place_after_so_many_words_and_the_histogram_go_through_blocks(monkeypatch):
    monkeypatch.setattr(corpus, "BLOCK", 3)
    ids = np.array([0, 0, 5, 0, 4, 5, 0, 0, 5])
    assert [corpus.until(ids, count) for count in (1, 2, 3, 4, 9)] == [3, 5, 6, 9, 9]
    assert corpus.histogram(ids, 7).tolist() == [5, 0, 0, 0, 1, 3, 0]


LIMITED = """
import resource, sys
from pathlib import Path
from datamodules.words import Words
from tests.datamodules.test_words import PLAIN

small, large = (Words(source=path, **{**PLAIN, "vocabulary_size": 20_000}) for path in sys.argv[1:])
small.prepare_data()  # what is imported and set up on the way is not the text's
now = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmData" in line)
resource.setrlimit(resource.RLIMIT_DATA, (now * 1024 + 32 * 2**20, resource.RLIM_INFINITY))
large.prepare_data()
try:
    [*Path(sys.argv[2]).read_text().split()]
except MemoryError:
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    large.setup("fit")
    print(sum(large.info["samples"].values()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of data is Linux's")
@pytest.mark.parametrize("gap", ["\n\n", " "], ids=["paragraphs", "one line"])
def test_a_text_many_times_as_large_as_the_memory_is_read(gap, tmp_path):
    """With 32 MB to spare, 50 MB of text, whose words would take 500 MB."""
    random, path, small = np.random.default_rng(0), tmp_path / "large.txt", tmp_path / "small.txt"
    with path.open("w") as file:
        for numbers in random.geometric(0.001, (20_000, 500)).tolist():
            file.write(" ".join(f"w{i}" for i in numbers) + gap)
    small.write_text("\n\n".join("a b c d e f g h" for _ in range(200)))
    told = [sys.executable, "-c", LIMITED, str(small), str(path)]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 9_999_000 < int(done.stdout.split()[-1]) <= 10_000_000  # but for words of no train text
