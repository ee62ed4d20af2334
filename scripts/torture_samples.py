"""Valid small files of all kinds that the zoo reads, and what reads each."""

import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import soundfile
from PIL import Image

from datamodules.inputs import picture_file, sound_file, video_file
from datamodules.inputs.tokenizer import RULES
from datamodules.sources import idx, layouts
from scripts.corruption import seal_png
from zoo.words import formats

REVIEWS = [(f"a {word} film, no. {i}, isn't it", str(i % 2)) for i, word in enumerate(
    ["good", "bad", '""fine""', "caf\N{LATIN SMALL LETTER E WITH ACUTE}"] * 5
)]  # fmt: skip

LONGEST = 1000  # bytes of a path: systems take 4,096 of all of it


@dataclass(frozen=True)
class Sample:
    """A valid file."""

    name: str  # of the file
    data: bytes
    read: Callable[[Path], Any]
    is_text: bool = False
    seal: Callable[[bytes], bytes] | None = None  # makes checksums right again


def tables() -> list[Sample]:
    csv = "text,label\n" + "".join(f'"{words}",{label}\n' for words, label in REVIEWS)
    lines = "".join(f'{{"text": "{w.replace(chr(34), "")}", "label": {n}}}\n' for w, n in REVIEWS)
    files = {"a.csv": csv, "a.tsv": csv.replace(",", "\t"), "a.jsonl": lines}
    read = partial(_open, kind=layouts.TEXTS)
    return [Sample(name, data.encode(), read, is_text=True) for name, data in files.items()]


def layout() -> list[Sample]:
    folders = [f"{split}/{name}" for split in ("train", "test") for name in ("cat", "dog")]
    names = [f"{folder}/{i}.png" for folder in folders for i in range(3)]
    rows = "file,label\n" + "".join(f"{name},{name[-7:-6]}\n" for name in names)
    return [
        Sample("names", "\n".join(names).encode(), _open_folder, is_text=True),
        Sample("labels.csv", rows.encode(), partial(_open_table, names=names), is_text=True),
    ]


def _open(path: Path, kind: Any, broken: str = "error") -> Any:
    with TemporaryDirectory() as scratch:
        return layouts.open_source(path, Path(scratch), kind, broken=broken)


def _open_table(path: Path, names: Sequence[str]) -> Any:
    """A table beside the files that it names; without those that it does no longer."""
    for name in names:
        (path.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / name).touch()
    return _open(path, layouts.PICTURES, broken="skip")


def _open_folder(path: Path) -> Any:
    """A folder of files that bear the names of the lines of a file."""
    with TemporaryDirectory() as folder:
        for name in path.read_bytes().splitlines()[:100]:
            name = name.replace(b"\0", b"")[:LONGEST]
            parts = [part[:200] for part in name.split(b"/") if part.strip(b".")]
            place = Path(folder, *(part.decode(errors="surrogateescape") for part in parts))
            if not place.exists() and all(p.is_dir() for p in place.parents if p.exists()):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
        return _open(Path(folder), layouts.PICTURES)


def idx_files() -> list[Sample]:
    header = bytes([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 4])
    data = header + bytes(range(80))
    return [
        Sample("a-idx3-ubyte", data, idx.read),
        Sample("a-idx3-ubyte.gz", gzip.compress(data), idx.read),
        Sample("b-idx3-ubyte.gz", data, idx.read, seal=gzip.compress),
    ]


def vectors() -> list[Sample]:
    samples = []
    with TemporaryDirectory() as folder:
        for ending in (".txt", ".bin", ".vec"):
            table = np.random.default_rng(0).normal(size=(20, 8))
            names = [f"word{i}" for i in range(19)] + ["\N{GREEK SMALL LETTER LAMDA}"]
            data = formats.write(Path(folder, f"a{ending}"), names, table).read_bytes()
            samples.append(Sample(f"a{ending}", data, formats.load, is_text=ending != ".bin"))
    packed = Sample("a.txt.gz", samples[0].data, formats.load, is_text=True, seal=gzip.compress)
    return [*samples, packed]


def tokeniser() -> list[Sample]:
    hindi, combined = "\u0928\u092e\u0938\u094d\u0924\u0947", "Stra\xdfe cafe\u0301"
    content = f"It's 1,000.50 TIMES!<br />{combined} {hindi} " * 20

    def read(path: Path) -> Any:
        data = path.read_bytes().decode("utf-8", "surrogateescape")
        for rule in RULES.values():
            words = rule(data)
            assert rule(" ".join(words)) == words, "words of words are other words"
        return words

    return [Sample("a.txt", content.encode(), read, is_text=True)]


def pictures() -> list[Sample]:
    noise = np.random.default_rng(0).integers(0, 256, (24, 31, 3), np.uint8)
    colour, grey = Image.fromarray(noise), Image.fromarray(noise[..., 0])
    deep = Image.fromarray(noise[..., 0].astype(np.float32) / 255)
    frames: dict[str, Any] = {"save_all": True, "append_images": [grey, colour]}
    files = {
        "a.png": _picture(colour, "PNG"), "a.jpg": _picture(colour, "JPEG", exif=_exif()),
        "b.jpg": _picture(colour, "JPEG", progressive=True), "a.bmp": _picture(colour, "BMP"),
        "a.gif": _picture(grey, "GIF", **frames), "a.webp": _picture(colour, "WEBP"),
        "a.tif": _picture(colour, "TIFF"), "b.tif": _picture(deep, "TIFF"),
        "c.tif": _picture(colour, "TIFF", compression="tiff_lzw"),
        "d.tif": _picture(colour, "TIFF", compression="jpeg"),
        "a.ppm": _picture(colour, "PPM"), "b.ppm": b"P3 2 2 255\n" + b"9 99 255 " * 4,
        "a.avif": _picture(colour, "AVIF"), "a.jp2": _picture(colour, "JPEG2000"),
        "b.png": _picture(Image.fromarray(noise[..., 0].astype(np.uint16) * 200), "PNG"),
    }  # fmt: skip
    read = partial(picture_file.decode, image_size=8, channels=3)
    seals = {".png": seal_png}
    return [Sample(n, data, read, seal=seals.get(n[1:])) for n, data in files.items()]


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _picture(picture: Image.Image, kind: str, **options: Any) -> bytes:
    picture.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def sounds() -> list[Sample]:
    wave = 0.5 * np.sin(np.arange(4000) / 5)
    kinds = {
        "wav": ("WAV", "PCM_16"), "b.wav": ("WAV", "IMA_ADPCM"), "c.wav": ("WAV", "DOUBLE"),
        "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"),
        "mp3": ("MP3", "MPEG_LAYER_III"), "aiff": ("AIFF", "PCM_24"), "au": ("AU", "ULAW"),
        "caf": ("CAF", "ALAC_16"), "w64": ("W64", "MS_ADPCM"),
    }  # fmt: skip
    read = partial(sound_file.read, rate=8000, length=4000)
    samples = []
    for name, (kind, subtype) in kinds.items():
        soundfile.write(file := io.BytesIO(), wave, 16_000, subtype, format=kind)
        samples.append(Sample(f"a.{name}", file.getvalue(), read))
    for form, codec in (("ipod", "aac"), ("adts", "aac"), ("matroska", "ac3")):
        with av.open(file := io.BytesIO(), "w", format=form) as container:
            stream = container.add_stream(codec, rate=48_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], "fltp", "mono")
            frame.rate = 48_000
            container.mux([*stream.encode(frame), *stream.encode()])
        samples.append(Sample(f"a.{form}", file.getvalue(), read))
    return samples


def clips() -> list[Sample]:
    noise = np.random.default_rng(0).integers(0, 256, (8, 32, 48, 3), np.uint8)
    kinds = {
        "mp4": "libx264", "mov": "mpeg4", "avi": "mpeg4", "matroska": "mjpeg", "webm": "libvpx",
        "mpeg": "mpeg2video", "mpegts": "mpeg2video", "asf": "wmv2", "flv": "flv1", "3gp": "mpeg4",
    }  # fmt: skip
    read = partial(video_file.decode, image_size=8, channels=3, frames=4, rate=None)
    samples = []
    for form, codec in kinds.items():
        with av.open(file := io.BytesIO(), "w", format=form) as container:
            stream = container.add_stream(codec, rate=25, width=48, height=32)
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for frame in noise:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
            container.mux(stream.encode())
        samples.append(Sample(f"a.{form}", file.getvalue(), read))
    frames = [Image.fromarray(frame) for frame in noise]
    moving: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 40}
    animations = {"a.gif": "GIF", "a.webp": "WEBP"}
    return samples + [
        Sample(name, _picture(frames[0], kind, **moving), read) for name, kind in animations.items()
    ]


OURS, THEIRS = 20_000, 2_000  # mutations: of parsers of the zoo's own, and of those of libraries
GROUPS: dict[str, tuple[Callable[[], Sequence[Sample]], int]] = {
    "tables": (tables, OURS), "layouts": (layout, OURS), "idx": (idx_files, OURS),
    "vectors": (vectors, OURS), "words": (tokeniser, OURS), "pictures": (pictures, THEIRS),
    "sounds": (sounds, THEIRS), "clips": (clips, THEIRS),
}  # fmt: skip
