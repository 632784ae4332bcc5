"""A minimal raw format: text files with one number each."""

from pathlib import Path, PurePath

import numpy as np

from msg3d.errors import DataError, SkipFile


def parse(name, content, scale=1.0, log=None):
    """Parse `NAME.txt`, which contains one number, to a sample."""
    if log is not None:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(name + "\n")
    text = content.decode()
    if text == "empty":
        raise SkipFile("no body")
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{text!r} is not a number", kind="number", line=1) from None
    keypoint = np.full((1, 2, 3, 3), value * scale, dtype=np.float32)
    stem = PurePath(name).stem
    return [{"frame_dir": stem, "label": 0, "total_frames": 2, "keypoint": keypoint}]


def folder(path, count=10):
    """Create a folder with files of the numbers from 1 to `count`."""
    path.mkdir()
    for number in range(count):
        (path / f"{number:03d}.txt").write_text(str(number + 1), encoding="utf-8")
    return path


def values(parsed):
    """Return the number of each sample, by sample id."""
    samples = parsed.samples
    return {sample["frame_dir"]: sample["keypoint"][0, 0, 0, 0] for sample in samples}
