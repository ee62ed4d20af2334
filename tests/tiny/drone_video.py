"""drone_video as it is: videos in class folders, and a csv that names them without folders."""

from pathlib import Path

import numpy as np

from tests.tiny.video_folder import video

CLASSES = ["airplane", "bird", "drone", "helicopter"]


def write(folder: Path) -> dict[str, object]:
    """Write 32 training and 8 test clips, each class with a grey of its own."""
    random = np.random.default_rng(0)
    lines = ["split,label,file,distance,source"]
    for split, count in (("train", 8), ("test", 2)):
        for label, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                file = f"V_{name.upper()}_{split}_{i:03}.mp4"
                clip = random.normal(40 + 50 * label, 9, (9, 32, 32, 3)).clip(0, 255)
                video(folder / split / name / file, clip.astype(np.uint8))
                lines.append(f"{split},{name},{file},CLOSE,")
    (folder / "clips.csv").write_text("\n".join(lines))
    return {"source": str(folder), "frames": 4, "image_size": 16, "batch_size": 8}
