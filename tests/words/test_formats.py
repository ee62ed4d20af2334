"""Word vectors to start from, and Kim's four ways to use them (S62, S65)."""

import gzip
import io
from contextlib import suppress
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from torch.testing import assert_close

import zoo
from tests.data import missing, refused
from zoo.nn.embedding import REACH, SequenceEmbedding
from zoo.words import formats
from zoo.words.keyed_vectors import Neighbours

WORDS = ["film", "good", "bad", "naïve"]
GIVEN = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)


def text(head="4 6\n"):
    rows = zip(WORDS, GIVEN.tolist(), strict=True)
    return (head + "".join(f"{w} {' '.join(map(str, row))}\n" for w, row in rows)).encode()


def binary():
    rows = zip(WORDS, GIVEN, strict=True)
    return b"4 6\n" + b"".join(w.encode() + b" " + row.tobytes() + b"\n" for w, row in rows)


def zipped(**files):
    """An archive as the sites of such vectors have them."""
    data = io.BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


FORMS = {
    "headed.txt": text(), "glove.vec": text(""), "packed.txt.gz": gzip.compress(text()),
    "vectors.bin": binary(), "vectors.bin.gz": gzip.compress(binary()),
    "tabs.txt": text("").replace(b" ", b"\t"), "tab.vec": text().replace(b"film ", b"film\t"),
    "mark.txt": b"\xef\xbb\xbf" + text(), "mark.vec": b"\xef\xbb\xbf" + text(""),
    "blank.txt": text() + b"\n \r\n", "crlf.txt": text("").replace(b"\n", b" \r\n"),
    "wide.txt": text("").replace(b" ", b"   "), "no_end.txt": text("").rstrip(b"\n"),
    "glove.zip": zipped(**{"__MACOSX/._a.txt": b"", "a.txt": text("")}),
    "vectors.zip": zipped(**{"folder/": b"", "folder/a.bin": binary()}),
    "twice.txt": text("") + b"film 1 2 3 4 5 6\n",
}  # fmt: skip
SPACED = [". . .", " ", "at name@domain.com", "new york", "", "a b", "in 2022", "x yor", "naïve"]
SPACED += ["日 本"]


def spaced(form, end=b"\n"):
    """A file whose words hold spaces, rows ending as word2vec.c's do or as gensim's."""
    table = np.random.default_rng(1).normal(size=(len(SPACED), 6)).astype(np.float32)
    if form == "bin":
        rows = zip(SPACED, table, strict=True)
        data = b"".join(word.encode() + b" " + row.tobytes() + end for word, row in rows)
        return b"%d 6\n" % len(SPACED) + data, table
    rows = zip(SPACED, table.tolist(), strict=True)
    return "".join(f"{w} {' '.join(map(str, row))}\n" for w, row in rows).encode(), table


@pytest.mark.parametrize(("form", "end"), [("txt", b""), ("bin", b"\n"), ("bin", b"")])
def test_words_with_spaces_are_read_as_they_are(tmp_path, form, end):
    """GloVe's 840B has some, and gensim writes any, which it cannot read again itself."""
    data, table = spaced(form, end)
    (tmp_path / f"a.{form}").write_bytes(data)
    vocabulary, vectors = formats.load(tmp_path / f"a.{form}")
    assert vocabulary == SPACED
    np.testing.assert_array_equal(vectors, table)


@pytest.mark.parametrize("size", [3, 4, 50])
@pytest.mark.parametrize("binary", [False, True])
def test_what_gensim_writes_of_words_with_spaces_is_read(tmp_path, binary, size):
    draw = np.random.default_rng(size)
    parts = ["new", "york", "a", "of", ".", "the", "é", "2022", "x"]
    words = sorted({" ".join(draw.choice(parts, draw.integers(1, 5))) for _ in range(300)})
    peer, path = KeyedVectors(size), tmp_path / ("peer.bin" if binary else "peer.txt")
    peer.add_vectors(words, draw.normal(size=(len(words), size)).astype(np.float32))
    peer.save_word2vec_format(str(path), binary=binary)
    vocabulary, vectors = formats.load(path)
    assert vocabulary == peer.index_to_key
    np.testing.assert_array_equal(vectors, peer.vectors)


@pytest.mark.parametrize("name", ["a.txt", "a.bin", "a.txt.gz", "a.zip"])
def test_a_file_cut_or_changed_anywhere_is_read_or_refused_in_one_line(tmp_path, name):
    data = {**FORMS, "a.txt": text(), "a.bin": spaced("bin")[0], "a.txt.gz": gzip.compress(text()),
            "a.zip": zipped(**{"a.txt": text()})}[name]  # fmt: skip
    draw, path = np.random.default_rng(0), tmp_path / name
    for _ in range(100):
        changed = bytearray(data[: draw.integers(len(data) + 1)])
        for place in draw.integers(len(changed), size=draw.integers(3)) if changed else ():
            changed[place] = draw.integers(256)
        path.write_bytes(changed)
        with suppress(ValueError):
            words, vectors = formats.load(path)
            assert vectors.shape[0] == len(words)
            assert np.isfinite(vectors).all()


@pytest.mark.parametrize("name", FORMS)
def test_word2vec_files_of_each_form_are_read(tmp_path, name):
    (tmp_path / name).write_bytes(FORMS[name])
    found = formats.read(str(tmp_path / name), ["bad", "naïve", "unheard"], 6)
    assert list(found) == ["bad", "naïve"]
    np.testing.assert_array_equal(found["naïve"], GIVEN[3])


@pytest.mark.parametrize("name", ["ours.bin", "ours.txt", "ours.vec", "ours.bin.gz", "ours.txt.gz"])
def test_what_is_written_is_read_by_gensim_and_by_us(tmp_path, name):
    """S62, S64: to the last bit, in both forms, packed or not; nothing else is left there."""
    path = formats.write(tmp_path / name, WORDS, GIVEN)
    peer = KeyedVectors.load_word2vec_format(str(path), binary=".bin" in name)
    vocabulary, table = formats.load(path)
    assert peer.index_to_key == vocabulary == WORDS
    np.testing.assert_array_equal(peer.vectors, GIVEN)
    np.testing.assert_array_equal(table, GIVEN)
    before = path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == [name]
    with pytest.raises(UnicodeEncodeError):
        formats.write(path, ["film", "\ud800", "bad", "good"], GIVEN)
    assert path.read_bytes() == before  # it stays as it was
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_writing_the_same_twice_gives_the_same_bytes(tmp_path):
    one, two = (formats.write(tmp_path / name, WORDS, GIVEN) for name in ("a.bin.gz", "b.bin.gz"))
    assert one.read_bytes() == two.read_bytes()


UNWRITTEN = {
    r"a\.npy should end in \.txt, \.vec, \.bin, or these and \.gz": ("a.npy", WORDS, GIVEN),
    "a.gz should end in": ("a.gz", WORDS, GIVEN), "0 words": ("a.bin", [], GIVEN[:0]),
    r"3 words and vectors \(4, 6\): one each is wanted": ("a.bin", WORDS[:3], GIVEN),
    "'new york' has white space in it": ("a.bin", ["new york", *WORDS[1:]], GIVEN),
}  # fmt: skip


@pytest.mark.parametrize(("said", "given"), UNWRITTEN.items())
def test_what_cannot_be_written_is_said(tmp_path, said, given):
    refused(said, formats.write, tmp_path / given[0], *given[1:])
    assert not [*tmp_path.iterdir()]


@pytest.fixture(scope="module")
def cbow():
    return zoo.load("cbow.python_docs")


def test_a_cbow_gives_and_writes_its_vectors(tmp_path, cbow):
    """S62, S64: gensim answers from the file what the model answers."""
    path = cbow.save_word2vec_format(tmp_path / "cbow.bin")
    peer = KeyedVectors.load_word2vec_format(str(path), binary=True)
    found = cbow.most_similar("class")
    assert [word for word, _ in peer.most_similar("class")] == [word for word, _ in found]
    assert Neighbours(*formats.load(path)).most_similar("class") == found
    given = formats.read("cbow.python_docs", ["class", "qqqq"], 100)
    row = cbow.vectors.weight[cbow.input.ids][cbow.input.vocabulary.index("class")]
    np.testing.assert_array_equal(given["class"], row.detach())


@pytest.mark.parametrize("more", [(), ("-o", "some.txt.gz")])
def test_the_command_exports_vectors_in_word2vecs_formats(tmp_path, command, cbow, more):
    """S62."""
    out = command.ran("export", "cbow.python_docs", "--format", "word2vec", *more)
    (written,) = tmp_path.iterdir()
    assert written.name == (more[1] if more else "cbow.python_docs.bin")
    assert f"written   {written.name} (" in out
    assert "words     4,998, each with 100 numbers" in out
    vocabulary, table = formats.load(written)
    assert vocabulary == cbow.input.vocabulary
    np.testing.assert_array_equal(table, cbow.word_vectors()[1])


def test_the_command_says_what_has_no_vectors_and_what_ending_is_wanted(command):
    asked = ("--format", "word2vec", "-o")
    err = command.refused("export", "image_cnn.digits", *asked, "a.bin")
    said = "ImageCNN has no word vectors; take a model such as cbow"
    assert err == f"zoo: --format word2vec: {said}\n"
    err = command.refused("export", "cbow.python_docs", *asked, "a.onnx")
    assert "should end in .txt, .vec, .bin, or these and .gz" in err


DAMAGED = [
    ("cut.bin", binary()[:-20], "cut.bin ends at byte 105, in word 4 of 4: fetch it again"),
    ("odd.bin", b"\x80abc\n", "odd.bin begins with .*binary vectors begin with 'words dim"),
    ("odd.txt", b"4 6\nfilm 1 2 x\n", "line 2 of .*odd.txt is no word and its numbers"),
    ("short.txt", b"film 1 2\n", r"vectors of 2 numbers \('film'\) and model.embedding is 6"),
    ("few.txt", text().replace(b"4 6", b"5 6"), "few.txt has 4 words of 5"),
    ("many.txt", text().replace(b"4 6", b"3 6"), "many.txt has 4 words of 3"),
    ("wide.txt", text().replace(b"4 6", b"4 7"), "line 2 of .*wide.txt has 6 numbers of 7"),
    ("nan.txt", b"good 1 2 nan 4 5 6\n", "line 1 of .*nan.txt has numbers that are not finite"),
    ("mark.txt", b"\xef\xbb\xbfgood 1 2 nan 4 5 6\n", "line 1 of .*mark.txt has numbers that"),
    ("more.bin", binary() + binary()[4:], "more.bin goes on after the 4 words"),
    ("less.bin", binary().replace(b"4 6", b"5 6"), "less.bin ends at byte 125, in word 5 of 5"),
    ("cut.txt.gz", gzip.compress(text())[:-20], "cut.txt.gz is damaged after 0 words"),
    ("not.txt.gz", text(), "not.txt.gz is damaged after 0 words"),
    ("inf.txt", b"good 1 2 3 4 5 1e99\n", "line 1 of .*inf.txt has numbers that are not finite"),
    ("cut.txt", text("")[:-30], "line 4 of .*cut.txt (has [45] numbers of 6|is no word and its)"),
    ("long.txt", text("") + b"more 1.5 2 3 4 5 6 7\n", "line 5 of .*long.txt has more than 6 numb"),
    ("list.txt", b"good\nfilm\n", "line 1 of .*list.txt is no word and its numbers"),
    ("text.bin", text(), "text.bin is text, no binary file: call it .txt"),
    ("model.bin", b"\xba\x16\x4f\x2f\x0c\0", "is a model of fastText: give the .vec file"),
    ("huge.bin", b"4 999999999\nfilm ", "huge.bin begins with .*binary vectors begin with"),
    ("not.zip", text(), "not.zip is damaged after 0 words"),
    ("none.zip", zipped(readme=b""), r"none.zip holds 0 files of vectors \(readme\): unpack it"),
    ("two.zip", zipped(**{"a.txt": b"", "b.txt": b""}), r"holds 2 .* \(a.txt, b.txt\): unpack"),
    ("cut.zip", zipped(**{"a.txt": text()})[:-30], "cut.zip is damaged after 0 words"),
    ("other.txt", b"chat 1 2 3 4 5 6\n", "knows none of the 4 words"),
    ("empty.txt", b"", "knows none of the 4 words"),
]


@pytest.mark.parametrize(("name", "data", "said"), DAMAGED)
def test_a_damaged_file_is_one_clear_line(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    refused(said, formats.read, str(tmp_path / name), WORDS, 6)


def test_what_is_not_there_or_has_no_vectors_is_said():
    missing(r"no word vectors at nowhere\.bin", formats.read, "nowhere.bin", WORDS, 6)
    said = "is a ImageCNN, which has no word vectors"
    refused(said, formats.read, "image_cnn.digits", WORDS, 6)


# Kim's four ways


def steps(tmp_path, embeddings):
    path = tmp_path / "given.bin"
    path.write_bytes(binary())
    found = SequenceEmbedding(6, None, 6, embeddings=embeddings, source=str(path))
    found.load_vectors(["good", "unheard", "film", "naïve"])
    return found


@pytest.mark.parametrize("way", ["static", "non_static", "multichannel"])
def test_the_table_starts_from_the_vectors_at_the_spread_of_a_random_one(tmp_path, way, capsys):
    torch.manual_seed(0)
    found = steps(tmp_path, way)
    table = found.read.weight.detach()
    given = torch.from_numpy(GIVEN[[1, 0, 3]])
    scaled = table[[2, 4, 5]]
    assert_close(scaled / scaled.norm(), given / given.norm())
    assert_close(scaled.square().mean().sqrt().item(), REACH / 3**0.5)
    assert table[0].eq(0).all()
    assert table[3].abs().max() <= REACH  # unheard: at random
    assert "3 of 4 words are in " in capsys.readouterr().err


@pytest.mark.parametrize(("way", "learns"), [("static", 0), ("non_static", 1), ("multichannel", 1)])
def test_what_stays_and_what_learns(tmp_path, way, learns):
    found = steps(tmp_path, way)
    before = {name: p.clone() for name, p in found.state_dict().items()}
    out = found(torch.tensor([[2, 3, 0]]))
    assert out.shape == (1, 3, found.width)
    assert found.width == (12 if way == "multichannel" else 6)
    assert out[0, 2].eq(0).all()  # padding, in both channels
    learning = [p for p in found.parameters() if p.requires_grad]
    assert len(learning) == learns
    if learning:
        out.square().sum().backward()
        torch.optim.SGD(learning, 1.0).step()
    changed = {n for n, p in found.state_dict().items() if not torch.equal(p, before[n])}
    assert changed == ({"read.weight"} if learns else set())


def test_a_table_is_begun_once(tmp_path):
    """So a run that starts from trained weights, init=, keeps what they learned."""
    found = steps(tmp_path, "non_static")
    with torch.no_grad():
        found.read.weight += 1
    kept = found.read.weight.clone()
    again = SequenceEmbedding(6, None, 6, embeddings="non_static", source="gone.bin")
    again.load_state_dict(found.state_dict())
    again.load_vectors(["good"])
    assert torch.equal(again.read.weight, kept)


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_vectors_and_the_way_of_using_them_go_together(name):
    said = "static, non_static and multichannel start from"
    refused(said, zoo.create_model, name, embeddings="random", vectors="x.bin")
    refused(said, zoo.create_model, name, embeddings="static", vectors=None)
    numbers = {"vocabulary_size": None, "features": 3, "vectors": "x.bin"}
    said = "series of numbers, from none"
    refused(said, zoo.create_model, name, embeddings="static", **numbers)


@pytest.mark.parametrize("name", ["text_cnn", "text_lstm"])
def test_a_model_trains_from_vectors_and_loads_without_them(tmp_path, name):
    path = tmp_path / "given.bin"
    path.write_bytes(binary())
    sizes = {"embedding": 6, "embeddings": "multichannel", "vectors": "given.bin"}
    run = zoo.train(name, trainer="smoke", model=sizes)
    path.unlink()
    model = zoo.load(run.folder)
    fixed = model.steps.fixed.weight[model.input.vocabulary.index("bad") + 2]
    given = torch.from_numpy(GIVEN[2])
    torch.testing.assert_close(fixed / fixed.norm(), given / given.norm())
    assert model.predict("a good film")[0]["label"] in model.classes
