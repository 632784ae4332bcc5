"""Reader for the text files of Ultralytics YOLO pose models, one per frame (`save_txt=True`).

Each line is a person with COCO joints: class, box, joints, and optionally confidence and
track id. Coordinates are fractions of the image. The visibility v is missing for models
without it:

    class cx cy w h  x y v  x y v ...  [confidence] [track id]

Files are named `VIDEO_12.txt`. Frames without a person have no file.
"""

import re

import numpy as np

from ..errors import DataError
from ..skeletons.units import check_image_unit
from .base import Format, ReadOptions, Sample, Source
from .persons import JOINTS

# Numbers per line without confidence and track id -> numbers per joint
LENGTHS = {5 + len(JOINTS) * numbers: numbers for numbers in (2, 3)}
NUMBER = rb"-?\d+(\.\d+)?([eE][-+]?\d+)?"
LINE = re.compile(rb"\s*\d+(\s+" + NUMBER + rb"){%d,}\s*" % (min(LENGTHS) - 1))


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    poses, scores, identities = [], [], []
    for line, text in enumerate(source.content.splitlines(), start=1):
        cells = text.split()
        if not cells:
            continue
        try:
            values = [float(cell) for cell in cells]
        except ValueError as error:
            raise DataError(f"{error}", kind="number", line=line) from error
        length = max((n for n in LENGTHS if n <= len(values)), default=0)
        rest = cells[length:]
        if not length or len(rest) > 2 or not np.isfinite(values).all():
            raise DataError(
                f"the line has {len(values)} numbers, expected class, box, and {len(JOINTS)} "
                "joints with 2 or 3 numbers each",
                kind="shape",
                line=line,
            )
        joints = np.reshape(values[5:length], (len(JOINTS), -1)).astype(np.float32)
        poses.append(joints[:, :2])
        visible = joints[:, 2] if joints.shape[1] == 3 else joints.any(axis=1)
        scores.append(visible.astype(np.float32))
        tracked = bool(rest) and rest[-1].isdigit() and len(rest[-1]) < 16
        identities.append(int(rest[-1]) if tracked else None)
    positions = np.array(poses, np.float32).reshape(-1, len(JOINTS), 2)
    check_image_unit(float(np.abs(positions).max(initial=0)), "normalized")
    return [
        {
            "frame_dir": source.id,
            "poses": positions,
            "scores": np.array(scores, np.float32).reshape(-1, len(JOINTS)),
            "identities": identities,
            "layout": "coco",
            "unit": "normalized",
            "form": "yolo_text",
        }
    ]


FORMAT = Format(
    name="yolo_text",
    title="Ultralytics YOLO text files (folder with one file per frame)",
    keeps="joints, visibility, track ids",
    suffixes=(".txt",),
    detect=lambda source: bool(LINE.fullmatch(source.first_line)),
    read=_read,
    frames=True,
)
