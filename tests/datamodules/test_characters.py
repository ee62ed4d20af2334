"""Text as streams that go on from batch to batch (S84, S85), and what may be wrong with a file."""

from itertools import pairwise

import numpy as np
import pytest
import torch

import zoo
from datamodules.bundled.python_source import modules
from datamodules.characters import by_files, by_place, chunks
from datamodules.inputs.characters import CharacterInput
from datamodules.loading.batches import Batches
from datamodules.sources.text_file import read
from tests.conftest import REAL
from tests.data import missing, opened, refused

OWN = {"batch_size": 4, "length": 8, "validation": 0.1, "test": 0.2}


@pytest.fixture
def own(tmp_path):
    """The datamodule of a text file of one's own."""

    def make(text, **overrides):
        path = tmp_path / "mine.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return opened("characters", source=str(path), **{**OWN, **overrides})

    return make


# --- streams --------------------------------------------------------------------------------------


def test_the_layout_is_the_one_that_is_drawn_in_the_file():
    """Two streams of twelve characters in chunks of three."""
    inputs, targets = chunks(np.arange(13), 2, 3, drop=True)
    assert inputs.tolist() == [[0, 1, 2], [6, 7, 8], [3, 4, 5], [9, 10, 11]]
    assert targets.tolist() == (inputs + 1).tolist()


def test_a_row_goes_on_where_the_same_row_of_the_batch_before_it_stopped(own):
    """S84, S85: with the real loader, over a whole epoch, and in the order of the text."""
    data = own("".join(map(chr, range(200, 1200))), batch_size=4, length=8)
    batches = [data.batch(batch.tensors, None) for batch in data.batches("train")]
    inputs, targets = (torch.stack(parts) for parts in zip(*batches, strict=True))  # (C, B, T)
    assert torch.equal(targets[:, :, :-1], inputs[:, :, 1:])
    assert torch.equal(inputs[1:, :, 0], targets[:-1, :, -1])
    streams = inputs.transpose(0, 1).flatten()  # stream after stream
    assert torch.equal(streams, torch.from_numpy(data.arrays("train")[: len(streams)]).long())
    assert len(streams) > len(data.arrays("train")) - 4 * 8 - 1


@pytest.mark.parametrize("count", [2, 3, 31, 32, 33, 34, 65, 100, 257])
@pytest.mark.parametrize("streams", [1, 4, 7])
def test_evaluation_predicts_each_character_but_the_first_exactly_once(count, streams):
    ids = np.arange(1, count + 1)
    inputs, targets = chunks(ids, streams, 8, drop=False)
    assert sorted(targets[targets > 0].tolist()) == list(range(2, count + 1))
    assert (targets[targets > 0] == inputs[targets > 0] + 1).all()


def test_two_ranks_together_have_the_streams_of_one():
    """Row 50: rank r keeps streams r * B / W ... of each batch."""
    data = tuple(torch.from_numpy(array) for array in chunks(np.arange(1000), 4, 8, drop=True))
    alone, one, other = (
        [batch.tensors[0] for batch in Batches(data, 4, rank=rank, world_size=size)]
        for rank, size in ((0, 1), (0, 2), (1, 2))
    )
    assert torch.equal(torch.stack(alone), torch.cat([torch.stack(one), torch.stack(other)], 1))
    for batch, following in pairwise(other):
        assert torch.equal(batch[:, -1] + 1, following[:, 0])


def test_training_on_part_of_it_takes_the_first_chunks(own):
    """S07: nested, and the same text for what is no neural network."""
    text = "".join(map(chr, range(200, 1200)))
    whole, part = own(text), own(text, train_samples=10)
    assert len(part.arrays("train")) == 10 * 8 + 1
    assert np.array_equal(part.arrays("train"), whole.arrays("train")[:81])
    assert part.info["samples"]["train"] == 8  # two batches of four streams
    assert len(part.arrays("test")) == len(whole.arrays("test"))


# --- splits ---------------------------------------------------------------------------------------


def test_ones_own_text_ends_in_validation_and_test():
    text = "".join(map(chr, range(100, 1100)))
    parts = by_place(text, validation=0.1, test=0.2)
    assert parts["train"] + parts["val"] + parts["test"] == text
    assert (len(parts["val"]), len(parts["test"])) == (100, 200)


def test_the_embedded_text_is_split_by_whole_files():
    files = [chr(200 + i) * 100 for i in range(20)]
    parts = by_files(files, validation=0.1, test=0.1)
    letters = [set(part) for part in parts.values()]
    assert sum(map(len, letters)) == len(set.union(*letters)) == 20
    assert [len(parts[split]) for split in ("train", "val", "test")] == [1600, 200, 200]


def test_the_embedded_text_is_about_a_million_characters_of_code():
    text = "".join(modules())
    assert 900_000 < len(text) < 1_300_000
    assert text.count("def ") > 1000


@pytest.mark.parametrize("name", ["python_source", "python_docs"])
def test_the_embedded_text_says_which_python_it_is_of(name, monkeypatch):
    data = zoo.create_data(name)
    here = data.origin()
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert data.origin().startswith(f"{name} of Python 3.99.0")
    assert data.origin() != here


# --- the input ------------------------------------------------------------------------------------


def test_ids_are_padding_unknown_and_then_the_alphabet():
    reader = CharacterInput.fit("cab")
    assert reader.characters == "abc"
    assert reader(["abcx", "b"]).tolist() == [[2, 3, 4, 1], [3, 0, 0, 0]]
    assert reader.restore(reader(["abcx", "b"])) == ["abc\ufffd", "b"]
    assert reader.vocabulary_size == 5


def test_the_vocabulary_is_that_of_the_training_text(own):
    data = own("ab" * 800 + "c" * 400)
    assert data.input.characters == "ab"
    assert data.info["vocabulary_size"] == 4
    assert set(data.arrays("test").tolist()) == {1}


def test_a_large_alphabet_keeps_its_ids(own):
    data = own(text := "".join(map(chr, range(0x4E00, 0x4E00 + 1000))))
    assert data.input.decode(data.arrays("train")) == text[:700]


@pytest.mark.parametrize("raws", ["", [], ["a", ""]])
def test_an_empty_text_is_refused(raws):
    refused("an empty text was given|the list is empty", CharacterInput(characters="ab"), raws)


# --- what may be wrong with a file ----------------------------------------------------------------


def test_bytes_that_are_not_utf8_are_named(own):
    """Row 20."""
    refused(r"mine\.txt is not UTF-8: byte 5 is 0xff", own, b"abcd\n\xffabc")


def test_a_mark_is_dropped_and_lines_end_in_one_way(tmp_path):
    """Row 20: a byte order mark, lines of Windows and of old Macs, and NUL, which is kept."""
    (tmp_path / "a.txt").write_bytes("\ufeffa\r\nb\rc\0\n".encode())
    assert read(tmp_path / "a.txt") == "a\nb\nc\0\n"


def test_a_folder_is_its_files_one_after_another_or_named_if_there_are_none(tmp_path):
    missing(r"no \.txt file in", read, tmp_path)
    for name, text in {"b.txt": "2", "a.txt": "1", "c.md": "3"}.items():
        (tmp_path / name).write_text(text)
    assert read(tmp_path) == "12"


def test_a_text_shorter_than_its_chunks_names_both_lengths(own):
    """Row 21."""
    refused(r"70 characters .* 64 need 257", own, "ab" * 50, length=64)


@pytest.mark.parametrize("text", ["", "a" * 1000])
def test_an_alphabet_of_fewer_than_two_is_refused(text, own):
    """Row 21; row 20: an empty file."""
    refused("two or more are needed", own, text)


def test_a_python_without_its_source_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    missing("no source of the standard library", modules)


@pytest.mark.real
def test_the_last_tenth_of_shakespeare_is_test():
    data = opened("tinyshakespeare")
    with open(f"{REAL}/tinyshakespeare/input.txt", encoding="utf-8") as file:
        text = file.read()
    assert data.info["vocabulary_size"] == 65 + 2
    assert data.input.decode(data.arrays("test")) == text[-111_539:]
    assert data.input.decode(data.arrays("train")) == text[: len(data.arrays("train"))]


def test_what_a_folder_holds_besides_texts_is_counted(tmp_path):
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "1.txt").write_text("ab" * 2000)
    (folder / "notes.md").write_text("none")
    assert opened("characters", source=str(folder), **OWN).info["passed_over"] == ["1 .md"]
