"""A file is written completely or not at all."""

import pytest

from zoo.utilities.files import replace, replacing


@pytest.mark.parametrize(("content", "data"), [("é\n", "é\n".encode()), (b"\xff", b"\xff")])
def test_text_is_utf8_and_bytes_are_as_they_are(content, data, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    replace(tmp_path / "a", content)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", data)]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_after_an_error_the_old_file_is_there_and_no_part(error, tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def write():
        with replacing(path) as part:
            part.write_text("new")
            assert (path.read_text(), part.name) == ("old", "a.part")
            raise error

    with pytest.raises(error):
        write()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


def test_the_part_may_have_a_name_of_its_own(tmp_path):
    with replacing(tmp_path / "a.pt2", tmp_path / "a.part.pt2") as part:
        part.write_text("new")
    assert part == tmp_path / "a.part.pt2"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.pt2", "new")]
