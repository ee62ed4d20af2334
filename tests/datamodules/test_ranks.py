"""Keras' integer form of IMDB, and the folders of aclImdb_v1 (S66)."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

import zoo

WORDS = ["the", "film", "wasn't", "bad", "good"]
READ = {"x_train": [[1, 2, 5], [1, 2, 4]] * 10, "x_test": [[3, 4], [3, 5]] * 2}
LABELS = {"y_train": [1, 0] * 10, "y_test": [1, 0] * 2}


def lists(rows):
    """An array of lists, as the file has them."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def old(array):
    """The bytes of an npy file as NumPy wrote them when the file was made: pickle protocol 2."""
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(file, header)
    new = pickle.dumps(array, protocol=2)
    return file.getvalue() + new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


@pytest.fixture
def folder(tmp_path):
    """The two files of Keras."""
    index = {word: rank for rank, word in enumerate(WORDS, 1)}
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(index))
    arrays = {name: lists(rows) for name, rows in READ.items()}
    np.savez(tmp_path / "imdb.npz", **arrays, **{k: np.array(v) for k, v in LABELS.items()})
    return tmp_path


def opened(folder):
    data = zoo.create_data("labelled_text", source=str(folder), batch_size=4)
    data.setup("fit")
    return data


def test_integers_are_the_words_that_they_stand_for(folder):
    data = opened(folder)
    texts, labels = data.arrays("test")
    assert list(texts) == ["wasn't bad", "wasn't good"] * 2
    assert labels.tolist() == LABELS["y_test"]
    assert data.facts["classes"] == ["neg", "pos"]
    assert data.facts["samples"] == {"train": 18, "val": 2, "test": 4}


def test_a_file_of_numpys_first_decade_is_read(folder):
    with zipfile.ZipFile(folder / "imdb.npz", "w") as archive:
        for name, rows in READ.items():
            archive.writestr(f"{name}.npy", old(lists(rows)))
        for name, labels in LABELS.items():
            file = io.BytesIO()
            np.save(file, np.array(labels))
            archive.writestr(f"{name}.npy", file.getvalue())
    assert list(opened(folder).arrays("test")[0]) == ["wasn't bad", "wasn't good"] * 2


class Trap:
    """What a pickle may do, were it let."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_that_would_do_more_than_lists_does_nothing(folder):
    trap = np.empty(20, object)
    trap[:] = [Trap(str(folder / "caught")) for _ in range(20)]
    np.savez(folder / "imdb.npz", **{**LABELS, "x_train": trap, "x_test": lists(READ["x_test"])})
    with pytest.raises(ValueError, match=r"imdb\.npz has the rank "):
        opened(folder)
    assert not (folder / "caught").exists()


def test_a_missing_index_a_strange_rank_and_a_missing_part_are_named(folder):
    arrays = {name: lists(rows) for name, rows in READ.items()}
    np.savez(folder / "imdb.npz", **LABELS, **{**arrays, "x_test": lists([[1], [9]])})
    with pytest.raises(ValueError, match=r"imdb\.npz has the rank 9, which the word index has not"):
        opened(folder)
    np.savez(folder / "imdb.npz", **LABELS, **{**arrays, "x_test": lists([1, 2, 3, 4])})
    with pytest.raises(
        ValueError, match=r"imdb\.npz has 1 for a review: a list of ranks is wanted"
    ):
        opened(folder)
    np.savez(folder / "imdb.npz", **LABELS, **{**arrays, "x_test": lists([[1], [2]])})
    with pytest.raises(ValueError, match="has 2 texts in test, and another number of labels"):
        opened(folder)
    np.savez(folder / "imdb.npz", x_train=arrays["x_train"])
    with pytest.raises(ValueError, match="holds x_train: x_train and y_train are needed"):
        opened(folder)
    (folder / "imdb_word_index.json").unlink()
    with pytest.raises(ValueError, match=r"has no imdb_word_index\.json beside its \.npz"):
        opened(folder)


def test_the_folders_of_aclimdb_are_read_without_their_unlabelled_reviews(tmp_path):
    for place in ("train/neg", "train/pos", "train/unsup", "test/neg", "test/pos"):
        (tmp_path / place).mkdir(parents=True)
        for i in range(10):
            (tmp_path / place / f"{i}_7.txt").write_text(f"{place} review<br />{i}")
    (tmp_path / "imdb.vocab").write_text("the\n")
    (tmp_path / "train" / "urls_pos.txt").write_text("an address\n")
    data = opened(tmp_path)
    assert data.facts["classes"] == ["neg", "pos"]
    assert data.facts["samples"] == {"train": 18, "val": 2, "test": 20}
