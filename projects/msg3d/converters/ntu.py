"""Converter for NTU RGB+D 60 and 120.

See Shahroudy et al., CVPR 2016, and Liu et al., TPAMI 2020.

The release contains one text file per sample, `SsssCcccPpppRrrrAaaa.skeleton`: setup,
camera, performer, replication, and action. NTU RGB+D 60 consists of setups 1 to 17 with
actions 1 to 60.

- `xsub`: trains on 20 performers (NTU RGB+D 120: 53).
- `xview`, NTU RGB+D 60 only: trains on cameras 2 and 3, tests on camera 1.
- `xset`, NTU RGB+D 120 only: trains on setups with even numbers.

Bodies are matched across frames by tracking id. Frames without bodies are kept.
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
# Thresholds of CTR-GCN and PYSKL for removing chairs, reflections, and passers-by.
# MS-G3D does not remove any bodies.
FEW_FRAMES = 11
MAX_WIDTH = 0.8  # of the height
MAX_WIDE_FRAMES = 0.69754  # of all frames
TOO_SHORT = f"bodies removed as noise: detected in {FEW_FRAMES} frames or fewer"
TOO_WIDE = "bodies removed as noise: too wide for their height in most frames"


class Benchmark(NamedTuple):
    """Size of NTU RGB+D 60 or 120, and the training performers of `xsub`."""

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
    """Numbers in a sample name of the form `SsssCcccPpppRrrrAaaa`."""

    setup: int
    camera: int
    performer: int
    replication: int
    action: int


def read_name(stem: str) -> Name:
    """Parse a sample name: `S001C002P003R002A013` -> (1, 2, 3, 2, 13).

    Raises:
        DataError: the name does not have this form, or a number is out of range.
    """
    if not SAMPLE.fullmatch(stem):
        raise DataError(
            f"the file name does not match SsssCcccPpppRrrrAaaa{SUFFIX}",
            kind="file-name",
        )
    name = Name(*(int(stem[start + 1 : start + 4]) for start in range(0, 20, 4)))
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
    """Parse an NTU RGB+D `.skeleton` file.

    Args:
        path: path of the file. The file name contains the name of the sample.
        content: content of the file; see `formats.ntu_skeleton`.
        benchmark: key of BENCHMARKS.
        missing: names of samples to skip.
        denoise: whether to remove noise with `remove_noise`, and sort bodies by motion.
        max_persons: maximum number of bodies; 0 for all. The bodies with the highest
            energy are kept, as in MS-G3D, or with `denoise` those with the most motion.

    Returns:
        A list of one sample, dict(frame_dir, label = action - 1, total_frames, keypoint
        float32 [M, T, 25, 3], notes).

    Raises:
        DataError: the name or a line is invalid.
        SkipFile: the file is not part of this benchmark, is listed as missing, or contains
            no body.
    """
    stem = PurePosixPath(path).name.removesuffix(SUFFIX)
    name, part = read_name(stem), BENCHMARKS[benchmark]
    if name.setup > part.setups or name.action > part.actions:
        raise SkipFile(f"not part of {part.title}")
    if stem in missing:
        raise SkipFile(_describe_listed(content))
    keypoint, notes = read_bodies(content)
    if denoise:
        keypoint, noise = remove_noise(keypoint)
        notes.update(noise)
    bodies = len(keypoint)
    keep = max_persons or bodies
    keypoint = keypoint[:keep] if denoise else keep_bodies(keypoint, keep)
    if bodies > keep:
        notes[f"bodies removed beyond {max_persons} persons"] = bodies - keep
    sample = {
        "frame_dir": stem,
        "label": name.action - 1,
        "total_frames": keypoint.shape[1],
        "keypoint": keypoint,
        "notes": notes,
    }
    return [sample]


def _describe_listed(content: bytes) -> str:
    try:
        read_bodies(content)
    except SkipFile:
        return LISTED
    except DataError:
        return f"{LISTED}, and corrupt"
    return f"{LISTED}, but contains a body"


def remove_noise(keypoint: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """Remove bodies that are probably not persons, as CTR-GCN and PYSKL do.

    If a sample contains several bodies:

    1. Bodies detected in 11 frames or fewer are removed, unless this removes all.
    2. A frame is wide if the range of the joints in x exceeds 0.8 times their range in y.
       Bodies with at least 0.69754 wide frames are removed, except the last body.
    3. The remaining bodies are sorted by motion, largest first. Motion is the sum of the
       variances of x, y, and z over all joints and frames. It is computed with and
       without the wide frames, and the smaller value is used.

    Args:
        keypoint: bodies [B, T, V, 3] in the order of the file; zero if a body is absent.

    Returns:
        The remaining bodies [B', T, V, 3], and reason -> number of removed bodies.
    """
    if len(keypoint) < 2:
        return keypoint, {}
    present = [body[body.any(axis=(1, 2))].astype(np.float64) for body in keypoint]
    bodies = [body for body, frames in enumerate(present) if len(frames) > FEW_FRAMES]
    if not bodies:
        bodies = list(range(len(present)))
    n_short = len(present) - len(bodies)

    motion = {body: _motion(present[body]) for body in bodies}
    if len(bodies) > 1:
        for body in list(bodies):
            wide = _is_wide(present[body])
            if len(bodies) > 1 and wide.mean() >= MAX_WIDE_FRAMES:
                bodies.remove(body)
            elif wide.any() and not wide.all():
                motion[body] = min(motion[body], _motion(present[body][~wide]))
    n_wide = len(present) - n_short - len(bodies)
    # The sort is stable: ties stay in the order of the file.
    bodies.sort(key=motion.__getitem__, reverse=True)
    notes = {text: n for text, n in ((TOO_SHORT, n_short), (TOO_WIDE, n_wide)) if n}
    return keypoint[bodies], notes


def _motion(frames: np.ndarray) -> float:
    return float(frames.reshape(-1, 3).var(axis=0).sum())


def _is_wide(frames: np.ndarray) -> np.ndarray:
    width, height = np.ptp(frames[..., :2], axis=1).T
    return width > MAX_WIDTH * height


def make_splits(samples: list[dict], benchmark: str) -> Splits:
    """Return protocol -> (train ids, val ids), as described in the module's docstring."""
    part = BENCHMARKS[benchmark]
    names = {sample["frame_dir"]: read_name(sample["frame_dir"]) for sample in samples}

    def split_by(is_train: Callable[[Name], bool]) -> tuple[list[str], list[str]]:
        return (
            [stem for stem, name in names.items() if is_train(name)],
            [stem for stem, name in names.items() if not is_train(name)],
        )

    splits = {"xsub": split_by(lambda name: name.performer in part.training_performers)}
    if benchmark == "ntu60":
        return {**splits, "xview": split_by(lambda name: name.camera in (2, 3))}
    return {**splits, "xset": split_by(lambda name: name.setup % 2 == 0)}


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
    """Convert NTU RGB+D skeletons to an annotation file, and write a report.

    Args:
        raw: folder with the `.skeleton` files or the released zips, or a single zip.
        out: path of the annotation file. The report is written next to it.
        benchmark: key of BENCHMARKS. Files that are not part of it are skipped.
        missing: paths of lists of samples to skip; None for the published lists in `raw`
            or its parent folder. Samples without bodies are always skipped.
        denoise, max_persons: see `parse_sequence`.
        allow_bad: whether to write `out` even if files were rejected.
        jobs: number of processes; None for one per core.

    Returns:
        The report; see `convert.write_converted`.

    Raises:
        DataError: `raw` or a list cannot be read, or `raw` contains no `.skeleton` file.
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
