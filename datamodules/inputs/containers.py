"""Files of streams, as PyAV opens them."""

import struct
from typing import Any


def open_container(file: Any, formats: str) -> Any:
    """Open a file of video or sound.

    Args:
        file: open for reading bytes.
        formats: what it may be, by libav's names: it opens playlists and texts, too.
    """
    import av

    return av.open(file, options={"format_whitelist": formats}, metadata_errors="replace")


def videos(container: Any) -> list[Any]:
    """The streams of moving pictures: the cover of an album is none."""
    from av.stream import Disposition

    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]


def avi_chunks(file: Any, stream: int) -> int:
    """How many chunks of a stream an AVI holds, those included that are empty or repeat a frame.

    Args:
        file: open for reading bytes; the headers of all its chunks are read.
        stream: its number, which stands in the names of its chunks: 00dc, 00db.
    """
    end, count, place = file.seek(0, 2), 0, 0
    while place + 8 <= end:
        file.seek(place)
        name, size = struct.unpack("<4sI", file.read(8))
        if name in (b"RIFF", b"LIST"):
            place += 12  # into it
            continue
        place += 8 + size + size % 2
        if place > end + size % 2 or not name.strip(b"\0"):
            break
        count += name[:2] == b"%02d" % stream and name[2:] in (b"dc", b"db")
    return count
