"""What does lossy compression cost? Write a grey data set as it looks after JPEG.

    python -m scripts.jpeg fashion_mnist jpeg --quality 75
    zoo train experiment=fashion_mnist_image_cnn data.source=jpeg

Pictures are compressed and opened again one by one; the folder gets IDX .gz files, training first
(validation is carved from it again, in the same way).
"""

import argparse
import gzip
import io
from pathlib import Path

import numpy as np
from PIL import Image

import zoo


def compress(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture (H, W), uint8, as it looks after JPEG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def to_idx(array: np.ndarray) -> bytes:
    """A gzipped IDX file of unsigned bytes."""
    shape = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + shape + array.tobytes(), 1)


def write(name: str, folder: Path, quality: int, source: str | None = None) -> float:
    """Write the data set; return the mean absolute change of a pixel, in levels of 255."""
    folder.mkdir(parents=True)
    data = zoo.create_data(name, source=source)
    data.setup("fit")
    changes = []
    for prefix, splits in {"train": ("train", "val"), "t10k": ("test",)}.items():
        arrays = [data.arrays(split) for split in splits]
        pixels, labels = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
        after = np.stack([compress(picture[:, :, 0], quality) for picture in pixels])
        changes.append(np.abs(after - pixels[..., 0].astype(int)).mean())
        (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(to_idx(after))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(to_idx(labels.astype(np.uint8)))
    return float(np.mean(changes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="a grey data set of the catalog")
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--quality", type=int, default=75, help="of JPEG, 1 to 95 (default 75)")
    args = parser.parse_args()
    change = write(args.data, args.folder, args.quality)
    print(f"{args.folder}: pixels change by {change:.2f} of 255 levels in the mean")


if __name__ == "__main__":
    main()
