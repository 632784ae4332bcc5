"""NTU RGB+D 60 and 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2020).

The skeletons are one text file per sample, `SsssCcccPpppRrrrAaaa.skeleton`: setup,
camera, performer, replication, and action. NTU RGB+D 60 consists of setups 1 to 17 with
actions 1 to 60.

- `xsub`: 20 performers train, 53 of NTU RGB+D 120.
- `xview`, of 60: cameras 2 and 3 train, camera 1 tests.
- `xset`, of 120: setups with even numbers train.

Each body is followed by its tracking id. Frames without any body are kept.
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from ..errors import DataError, SkipFile
from ..formats.ntu_skeleton import LAYOUT, keep_bodies, read_bodies
from ..io import StrPath
from ..skeletons import layout_meta
from .convert import Splits, convert
from .ntu_actions import ACTIONS
from .ntu_lists import LISTED, SAMPLE, find_lists, read_lists, with_lists

SUFFIX = ".skeleton"
FIELDS = {"setup": 32, "camera": 3, "performer": 106, "replication": 2, "action": 120}
# The rules by which CTR-GCN and PYSKL remove chairs, reflections, and passers-by.
# MS-G3D removes nothing.
FEW_FRAMES = 11
MAX_WIDTH = 0.8  # of the height
MAX_WIDE_FRAMES = 0.69754  # of all frames
TOO_SHORT = f"bodies left out as noise: seen in {FEW_FRAMES} frames or fewer"
TOO_WIDE = "bodies left out as noise: too wide for their height in most frames"


class Benchmark(NamedTuple):
    """The extent of one of the two data sets, and its performers that train by `xsub`."""

    title: str
    files: int
    setups: int
    actions: int
    training_performers: frozenset[int]


_OF_60 = (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
_OF_120 = (
    *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83),
    *(84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103),
)
BENCHMARKS = {
    "ntu60": Benchmark("NTU RGB+D 60", 56880, 17, 60, frozenset(_OF_60)),
    "ntu120": Benchmark("NTU RGB+D 120", 114480, 32, 120, frozenset(_OF_60 + _OF_120)),
}


class Name(NamedTuple):
    """The numbers in `SsssCcccPpppRrrrAaaa`."""

    setup: int
    camera: int
    performer: int
    replication: int
    action: int


def read_name(stem: str) -> Name:
    """Parse a name: `S001C002P003R002A013` -> (1, 2, 3, 2, 13).

    Raises:
        DataError: another form, or a number that the data sets do not contain.
    """
    if not SAMPLE.fullmatch(stem):
        raise DataError(
            f"the file name is not of the form SsssCcccPpppRrrrAaaa{SUFFIX}",
            kind="file-name",
        )
    name = Name(*(int(stem[place + 1 : place + 4]) for place in range(0, 20, 4)))
    for (field, last), number in zip(FIELDS.items(), name, strict=True):
        if not 1 <= number <= last:
            raise DataError(
                f"the file name contains {field} {number}, expected 1 to {last}",
                kind="file-name",
                field=field,
            )
    return name


def parse_sequence(
    path: str,
    content: bytes,
    benchmark: str,
    missing: tuple[str, ...] = (),
    denoise: bool = False,
    max_persons: int = 2,
) -> list[dict]:
    """Parse a `.skeleton` file.

    Args:
        path: path of the file; the last part is the name of the sample.
        content: see `formats.ntu_skeleton`.
        benchmark: key of BENCHMARKS.
        missing: names of samples to skip.
        denoise: remove noise with `remove_noise`, and sort bodies by motion.
        max_persons: maximum number of bodies, 0 for all. The bodies of most energy are
            kept, as MS-G3D does, or with `denoise` those of most motion.

    Returns:
        A list of one sample, dict(frame_dir, label = action - 1, total_frames, keypoint
        float32 [M, T, 25, 3], notes).

    Raises:
        DataError: the name or a line is not as expected.
        SkipFile: not of this benchmark, listed as missing, or without any body.
    """
    stem = PurePosixPath(path).name.removesuffix(SUFFIX)
    name, part = read_name(stem), BENCHMARKS[benchmark]
    if name.setup > part.setups or name.action > part.actions:
        raise SkipFile(f"not of {part.title}")
    if stem in missing:
        raise SkipFile(_why_listed(content))
    keypoint, notes = read_bodies(content)
    if denoise:
        keypoint, noise = remove_noise(keypoint)
        notes.update(noise)
    bodies = len(keypoint)
    keep = max_persons or bodies
    keypoint = keypoint[:keep] if denoise else keep_bodies(keypoint, keep)
    if bodies > keep:
        notes[f"bodies left out beyond {max_persons} persons"] = bodies - keep
    sample = {
        "frame_dir": stem,
        "label": name.action - 1,
        "total_frames": keypoint.shape[1],
        "keypoint": keypoint,
        "notes": notes,
    }
    return [sample]


def _why_listed(content: bytes) -> str:
    try:
        read_bodies(content)
    except SkipFile:
        return LISTED
    except DataError:
        return f"{LISTED}, and damaged"
    return f"{LISTED}, though a body is in it"


def remove_noise(keypoint: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """Remove the bodies that are probably not persons, as CTR-GCN and PYSKL do.

    If there are several bodies,

    1. a body in 11 frames or fewer is removed, unless all are;
    2. a frame is wide if the joints' range in x is above 0.8 of that in y; a body is
       removed if 0.69754 or more of its frames are wide, unless it is the last;
    3. the others are sorted by motion, largest first: the sum of the variances of x, y,
       and z over all joints and frames; with or without the wide frames, whichever is
       less.

    Args:
        keypoint: [B, T, V, 3], in the order of the file, zero where a body is absent.

    Returns:
        [B', T, V, 3], and reason -> number of removed bodies.
    """
    if len(keypoint) < 2:
        return keypoint, {}
    present = [body[body.any(axis=(1, 2))].astype(np.float64) for body in keypoint]
    bodies = [body for body, frames in enumerate(present) if len(frames) > FEW_FRAMES]
    if not bodies:
        bodies = list(range(len(present)))
    short = len(present) - len(bodies)

    motion = {body: _motion(present[body]) for body in bodies}
    if len(bodies) > 1:
        for body in list(bodies):
            wide = _is_wide(present[body])
            if len(bodies) > 1 and wide.mean() >= MAX_WIDE_FRAMES:
                bodies.remove(body)
            elif wide.any() and not wide.all():
                motion[body] = min(motion[body], _motion(present[body][~wide]))
    many = len(present) - short - len(bodies)
    bodies.sort(
        key=motion.__getitem__, reverse=True
    )  # equals stay in the order of the file
    notes = {what: n for what, n in ((TOO_SHORT, short), (TOO_WIDE, many)) if n}
    return keypoint[bodies], notes


def _motion(frames: np.ndarray) -> float:
    return float(frames.reshape(-1, 3).var(axis=0).sum())


def _is_wide(frames: np.ndarray) -> np.ndarray:
    width, height = np.ptp(frames[..., :2], axis=1).T
    return width > MAX_WIDTH * height


def make_splits(samples: list[dict], benchmark: str) -> Splits:
    """Return protocol -> (train ids, val ids); see the module's docstring."""
    part = BENCHMARKS[benchmark]
    names = {sample["frame_dir"]: read_name(sample["frame_dir"]) for sample in samples}

    def by(trains: Callable[[Name], bool]) -> tuple[list[str], list[str]]:
        return (
            [stem for stem, name in names.items() if trains(name)],
            [stem for stem, name in names.items() if not trains(name)],
        )

    splits = {"xsub": by(lambda name: name.performer in part.training_performers)}
    if benchmark == "ntu60":
        return {**splits, "xview": by(lambda name: name.camera in (2, 3))}
    return {**splits, "xset": by(lambda name: name.setup % 2 == 0)}


def convert_ntu(
    raw: StrPath,
    out: StrPath,
    benchmark: str,
    missing: Iterable[str] | None = None,
    denoise: bool = False,
    max_persons: int = 2,
    allow_bad: bool = False,
    jobs: int | None = None,
) -> dict:
    """Convert the skeletons to an annotation file, and report on it.

    Args:
        raw: folder of the files or of the zips they come in, or one such zip.
        out: annotation file; the report is written next to it.
        benchmark: key of BENCHMARKS; files of the other one are skipped.
        missing: lists of samples to skip; None for the published ones in `raw` or next
            to it. Samples without any body are always skipped.
        denoise, max_persons: see `parse_sequence`.
        allow_bad: write `out` even if files were refused.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or a list cannot be read, or `raw` contains no such file.
    """
    lists = find_lists(raw) if missing is None else list(missing)
    part = BENCHMARKS[benchmark]
    return convert(
        raw,
        SUFFIX,
        partial(
            parse_sequence,
            benchmark=benchmark,
            missing=read_lists(lists),
            denoise=denoise,
            max_persons=max_persons,
        ),
        out,
        splits=partial(make_splits, benchmark=benchmark),
        meta=lambda _: dict(
            classes=list(ACTIONS[: part.actions]), **layout_meta(LAYOUT)
        ),
        units="m",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=part.files,
        complete=partial(with_lists, lists=lists),
        used=lists,
    )
