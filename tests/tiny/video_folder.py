"""Class folders of clips of many sizes: brightening and darkening ones, as videos and pictures."""

from pathlib import Path

import av
import numpy as np
from PIL import Image


def write(folder: Path) -> dict[str, object]:
    """Write 40 clips in two class folders: mp4, avi and folders of PNG pictures."""
    random = np.random.default_rng(0)
    for name, way in (("brighter", 1), ("darker", -1)):
        (folder / name).mkdir(parents=True)
        for i in range(20):
            count, *size = random.integers((4, 8, 8), (9, 20, 20)) * (1, 2, 2)
            levels = np.linspace(40, 200, count)[::way, None, None, None]
            noise = random.normal(0, 8, (count, *size, 3))
            clip = (levels + noise).clip(0, 255).astype(np.uint8)
            if i % 3:
                video(folder / name / f"{i}.{'mp4' if i % 3 == 1 else 'avi'}", clip)
            else:
                pictures(folder / name / str(i), clip)
    return {"source": str(folder), "frames": 4, "image_size": 16, "batch_size": 8}


def video(path: Path, clip: np.ndarray, codec="mpeg4", rate=10, turn=0) -> None:
    """Write frames (T, H, W, 3), uint8, with even H and W, as a video."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"qmin": "1", "qmax": "2"})
        stream.height, stream.width = clip.shape[1:3]
        stream.set_display_rotation(turn)
        container.start_encoding()
        for frame in clip:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode())


def pictures(folder: Path, clip: np.ndarray) -> None:
    """Write frames as a folder of PNG files."""
    folder.mkdir()
    for i, frame in enumerate(clip):
        Image.fromarray(frame).save(folder / f"{i:03}.png")
