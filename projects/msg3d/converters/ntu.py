"""NTU RGB+D 60 and 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2020).

The skeletons are one text file a sample, `SsssCcccPpppRrrrAaaa.skeleton`: setup, camera,
performer, replication and action; 25 joints of Kinect v2 in metres, in the camera's
coordinates. NTU RGB+D 60 are setups 1 to 17 with actions 1 to 60.

- `xsub`: 20 performers train, 53 of NTU RGB+D 120.
- `xview`, of 60: cameras 2 and 3 train, camera 1 tests.
- `xset`, of 120: setups of even number train.

A body keeps its place over time by its tracking id, whatever its order in a frame, and
is zero in frames without it. Nothing is shifted in time: frames without anybody stay.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from ..errors import DataError, SkipFile
from ..formats.ntu_skeleton import Bodies, read_skeleton
from ..preprocessing.persons import select_persons
from ..skeletons import layout_meta
from .convert import Splits, convert
from .ntu_actions import ACTIONS
from .ntu_denoise import denoise as leave_noise_out
from .ntu_lists import LISTED, SAMPLE, find_lists, read_lists, with_lists

SUFFIX = ".skeleton"
FIELDS = dict(setup=32, camera=3, performer=106, replication=2, action=120)
NOBODY = "no body in any frame"
REPEATED = (
    "bodies whose tracking id stands twice in a frame, kept as bodies of their own"
)


class Benchmark(NamedTuple):
    """What is part of one of the two data sets, and trains by `xsub`."""

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
    """The numbers of `SsssCcccPpppRrrrAaaa`."""

    setup: int
    camera: int
    performer: int
    replication: int
    action: int


def read_name(stem: str) -> Name:
    """`S001C002P003R002A013` -> (1, 2, 3, 2, 13).

    Raises:
        DataError: another form, or a number that the data sets have not.
    """
    if not SAMPLE.fullmatch(stem):
        raise DataError(
            f"the file name is not of the form SsssCcccPpppRrrrAaaa{SUFFIX}"
        )
    name = Name(*(int(stem[place + 1 : place + 4]) for place in range(0, 20, 4)))
    for (field, last), number in zip(FIELDS.items(), name):
        if not 1 <= number <= last:
            raise DataError(
                f"the file name says {field} {number}, expected 1 to {last}"
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
    """One `.skeleton` file as a sample, the only one of the list.

    Args:
        path: where it came from; its last part is the sample's name.
        content: as `ntu_skeleton` says.
        benchmark: key of BENCHMARKS.
        missing: names of samples to leave out.
        denoise: leave bodies out that `ntu_denoise` takes for noise, and sort by motion.
        max_persons: bodies kept at most, 0 for all: those of most energy, as MS-G3D
            has it (`select_persons`), or with `denoise` of most motion, sorted by it.

    Returns:
        dict(frame_dir, label = action - 1, total_frames, keypoint float32
        [M, T, 25, 3], notes).

    Raises:
        DataError: what is wrong, in which line, and what was expected.
        SkipFile: not of this benchmark, listed as missing, or nobody in it.
    """
    stem = PurePosixPath(path).name.removesuffix(SUFFIX)
    name, part = read_name(stem), BENCHMARKS[benchmark]
    if name.setup > part.setups or name.action > part.actions:
        raise SkipFile(f"not of {part.title}")
    if stem in missing:
        raise SkipFile(_why_listed(content))
    bodies = read_skeleton(content)
    if not bodies.joints.any():
        raise SkipFile(NOBODY)
    keypoint, repeated = follow(bodies)
    notes = {REPEATED: repeated}
    notes["frames without any body, kept as zeros"] = int(
        np.sum(~keypoint.any(axis=(0, 2, 3)))
    )
    if denoise:
        keypoint, found = leave_noise_out(keypoint)
        notes.update(found)
    keep = max_persons or len(keypoint)
    notes[f"bodies left out beyond {max_persons} persons"] = len(keypoint) - keep
    if denoise:
        keypoint = keypoint[:keep]
    elif len(keypoint) > 1:
        keypoint, _ = select_persons(keypoint, keep)
    return [
        dict(
            frame_dir=stem,
            label=name.action - 1,
            total_frames=bodies.frames,
            keypoint=keypoint,
            notes={what: count for what, count in notes.items() if count > 0},
        )
    ]


def _why_listed(content: bytes) -> str:
    try:
        somebody = read_skeleton(content).joints.any()
    except DataError:
        return f"{LISTED}, and damaged"
    return f"{LISTED}, though a body is in it" if somebody else LISTED


def follow(bodies: Bodies) -> tuple[np.ndarray, int]:
    """Every body in its frames.

    Args:
        bodies: of a file.

    Returns:
        float32 [B, T, 25, 3] in the order in which the tracking ids appear, and how
        many bodies carry the id of one before them in the same frame. The second
        bearer of an id is followed like a body of its own.
    """
    tracks: dict[tuple[int, int], int] = {}
    seen: set[tuple[int, int, int]] = set()
    places, repeated = [], 0
    for frame, identity in zip(bodies.frame.tolist(), bodies.ids):
        bearer = 0
        while (frame, identity, bearer) in seen:
            bearer += 1
        repeated += bearer > 0
        seen.add((frame, identity, bearer))
        places.append(tracks.setdefault((identity, bearer), len(tracks)))
    shape = (len(tracks), bodies.frames, *bodies.joints.shape[1:])
    keypoint = np.zeros(shape, dtype=np.float32)
    keypoint[places, bodies.frame] = bodies.joints
    return keypoint, repeated


def make_splits(samples: list[dict], benchmark: str) -> Splits:
    """(train, val) ids of each protocol; the module's docstring says which."""
    part = BENCHMARKS[benchmark]
    names = {one["frame_dir"]: read_name(one["frame_dir"]) for one in samples}

    def by(trains) -> tuple[list[str], list[str]]:
        return (
            [stem for stem, name in names.items() if trains(name)],
            [stem for stem, name in names.items() if not trains(name)],
        )

    splits = dict(xsub=by(lambda name: name.performer in part.training_performers))
    if benchmark == "ntu60":
        return {**splits, "xview": by(lambda name: name.camera in (2, 3))}
    return {**splits, "xset": by(lambda name: name.setup % 2 == 0)}


def convert_ntu(
    raw: str,
    out: str,
    benchmark: str,
    missing: Iterable[str] | None = None,
    denoise: bool = False,
    max_persons: int = 2,
    allow_bad: bool = False,
    jobs: int | None = None,
) -> dict:
    """Convert the skeletons into an annotation file and report on it.

    Args:
        raw: folder of the files or of the zips they come in, or one such zip.
        out: the annotation file; the report is written beside it.
        benchmark: key of BENCHMARKS; files of the other one are left out.
        missing: lists of samples to leave out; None for the published ones that lie in
            `raw` or beside it. Samples without any body are left out in any case.
        denoise, max_persons: see `parse_sequence`.
        allow_bad: write `out` although files were refused.
        jobs: processes; None for one a core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or a list cannot be read, or holds no such file.
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
            classes=list(ACTIONS[: part.actions]), **layout_meta("nturgb+d")
        ),
        units="metres",
        allow_bad=allow_bad,
        jobs=jobs,
        files_released=part.files,
        complete=partial(with_lists, lists=lists),
        used=lists,
    )
