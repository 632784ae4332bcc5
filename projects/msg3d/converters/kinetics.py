"""Converter for Kinetics-skeleton (Yan et al., ST-GCN, AAAI 2018).

The release contains a JSON file per clip in `kinetics_train/` and `kinetics_val/` (see
`formats.kinetics_skeleton`). `kinetics_train_label.json` and `kinetics_val_label.json`
give the split and class of each clip (`kinetics_lists.py`).

Coordinates are unchanged: fractions of the image with y down. The authors of ST-GCN
subtract 0.5. The authors of 2s-AGCN and MS-G3D also turn y upwards. `CenterPose2D`
supports both. The authors' arrays begin with an empty frame, which is omitted here.
"""

from functools import partial
from pathlib import PurePosixPath

from ..errors import SkipFile
from ..formats.kinetics_skeleton import person_rows, read_clip
from ..io import StrPath
from ..io.json_data import read_json
from ..skeletons import layout_meta
from .convert import convert
from .kinetics_lists import class_names, find_label_lists, read_label_lists, with_labels

LAYOUT = "openpose"
UNIT = "normalized"


def parse_clip(
    path: str, content: bytes, persons: str = "rank", max_persons: int = 2
) -> list[dict]:
    """Parse the `.json` file of a Kinetics-skeleton clip.

    Args:
        path: path of the file. The file name without the suffix is the id of the clip.
        content: content of the file.
        persons, max_persons: see `formats.kinetics_skeleton.person_rows`.

    Returns:
        A list of one sample, dict(frame_dir, total_frames, keypoint float32
        [M, T, 18, 2], keypoint_score float32 [M, T, 18], img_shape, class_name,
        label_index, notes). `with_labels` adds the label.

    Raises:
        DataError: an entry is missing or invalid.
        SkipFile: the file is a label list, or no person is detected.
    """
    if path.endswith("_label.json"):
        raise SkipFile("label list, not a clip")
    clip = read_clip(read_json(content))
    sample = dict(
        frame_dir=PurePosixPath(path).stem,
        total_frames=clip.frames,
        img_shape=(1, 1),
        class_name=clip.label,
        label_index=clip.label_index,
        **person_rows(clip, persons, max_persons),
    )
    return [sample]


def convert_kinetics(
    raw: StrPath,
    out: StrPath,
    allow_bad: bool = False,
    jobs: int | None = None,
    persons: str = "rank",
    max_persons: int = 2,
    lists: StrPath | None = None,
) -> dict:
    """Convert Kinetics-skeleton to an annotation file, and write a report.

    Args:
        raw: folder or archive of the release.
        out: path of the annotation file. The report is written next to it.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.
        persons, max_persons: see `formats.kinetics_skeleton.person_rows`.
        lists: folder with the label lists; None if they are in `raw`.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or a label list cannot be read.
    """
    paths = find_label_lists(raw if lists is None else lists)
    entries = read_label_lists(paths)
    classes = class_names(entries)
    listed = {clip: entry for side in entries.values() for clip, entry in side.items()}
    unlisted = next((side for side, clips in entries.items() if not clips), None)

    def splits(samples: list[dict]) -> dict:
        """Assign clips that are in no list to the side whose list is missing."""
        names = [sample["frame_dir"] for sample in samples]
        train, val = (
            [
                name
                for name in names
                if name in entries[side] or (side == unlisted and name not in listed)
            ]
            for side in ("train", "val")
        )
        return {"kinetics": (train, val)}

    return convert(
        raw,
        ".json",
        partial(parse_clip, persons=persons, max_persons=max_persons),
        out,
        complete=partial(
            with_labels, listed=listed, unlisted=unlisted, classes=classes
        ),
        splits=splits,
        split_names=lambda _: ("train", "val"),
        meta=lambda _: dict(
            classes=classes,
            layout=LAYOUT,
            units=UNIT,
            persons=persons,
            **layout_meta(LAYOUT),
        ),
        units=UNIT,
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=sum(entry["has_skeleton"] for entry in listed.values()),
        released=f"in the label {'lists' if len(paths) > 1 else 'list'}",
        used=paths.values(),
    )
