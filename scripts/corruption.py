"""Seeded damage to the bytes of a file, as disks, networks and other programs do it, or worse."""

import struct
import zlib
from random import Random

HEADER = 160  # bytes, which half of the damage is done to
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WORDS = [
    *(b",", b"\t", b";", b"|", b'"', b'""', b"'", b"\\", b"\n", b"\r", b"\r\n", b"\0", b" ", b"{"),
    *(b"}", b"[" * 2000, b":", b"null", b"NaN", b"inf", b"-1", b"1e999", b"9" * 5000, b"0x10"),
    *(b"\xed\xa0\x80", b"\xff", b"\xef\xbb\xbf", b"\xfe\xff", b"\xc2\x85", b"\xe2\x80\xa8"),
    *(b"..", b"/", b"~", b"=", b"file,label", b"a" * 70_000, b"\xcc\x81" * 3000, b"<br", b"sep=;"),
]


def corrupt(data: bytes, random: Random, is_text: bool) -> bytes:
    """A file with one to eight faults."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = random.choice(TEXT if is_text and random.random() < 0.6 else BYTES)(data, random)
    return data


def seal_png(data: bytes) -> bytes:
    """A PNG with the checksums that its chunks should have, so that a reader goes on."""
    result, place = data[:8], 8
    while place + 12 <= len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        body = data[place + 4 : place + 8 + size]
        result += struct.pack(">I", size) + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + size
    return result + data[place:]


def _place(data: bytes, random: Random) -> int:
    """Where: as often in the header as anywhere."""
    return random.randrange(max(min(len(data), random.choice((HEADER, len(data)))), 1))


def _block(data: bytes, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, start + random.choice((1, 4, 16, 256, 4096))


def _flip(data: bytes, random: Random) -> bytes:
    place = _place(data, random)
    byte = (data[place] if data else 0) ^ 1 << random.randrange(8)
    return data[:place] + bytes([byte]) + data[place + 1 :]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _remove(data: bytes, random: Random) -> bytes:
    start, end = _block(data, random)
    return data[:start] + data[end:]


def _repeat(data: bytes, random: Random) -> bytes:
    start, end = _block(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 50)) + data[end:]


def _swap(data: bytes, random: Random) -> bytes:
    start, end = _block(data, random)
    other = random.randrange(len(data) + 1)
    return data[:start] + data[other : other + end - start] + data[end:]


def _number(data: bytes, random: Random) -> bytes:
    """A number that stands for none, for all or for less than none."""
    place, size = _place(data, random), random.choice((1, 2, 4, 8))
    number = random.choice(NUMBERS) & (1 << 8 * size) - 1
    return (
        data[:place]
        + number.to_bytes(size, random.choice(("big", "little")))
        + data[place + size :]
    )


def _insert(data: bytes, random: Random) -> bytes:
    place = _place(data, random)
    return data[:place] + random.choice(WORDS) + data[place + random.randrange(3) :]


def _exchange(data: bytes, random: Random) -> bytes:
    """One separator for another, everywhere."""
    old, new = random.sample((b",", b"\t", b";", b"\n", b" ", b'"', b"\r\n"), 2)
    return data.replace(old, new)


BYTES = (_flip, _flip, _cut, _remove, _repeat, _swap, _number, _number)
TEXT = (_insert, _insert, _insert, _exchange)
