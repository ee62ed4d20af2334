"""The text of a file or folder of a user's."""

from pathlib import Path

from datamodules.sources.files import TEXTS, find_files


def read(path: Path) -> str:
    """A text file, or those of a folder one after another: UTF-8, lines end in \\n, no mark.

    Raises:
        FileNotFoundError: there is no .txt file in the folder.
        ValueError: a file is not UTF-8; the message names the byte.
    """
    if path.is_dir():
        files = find_files(path, TEXTS).samples
        if not files:
            raise FileNotFoundError(f"no .txt file in {path}: give a text file as data.source")
        return "".join(read(file) for file in files)
    data = path.read_bytes()
    try:
        text = data.decode().removeprefix("\N{BYTE ORDER MARK}")
    except UnicodeDecodeError as error:
        byte, place = data[error.start], error.start
        raise ValueError(
            f"{path} is not UTF-8: byte {place:,} is 0x{byte:02x}; save it as UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
