"""Reader for UDIVA v0.5 body landmarks (Palmero et al., 2021).

Each HDF5 file is a recording of a participant. It has one group per frame, named by the
frame number. If a person was detected, the group contains `body/landmarks`, the 24 joints
of SMPL in an unspecified unit, [24, 3]. Requires h5py (`pip install "msg3d[udiva]"`).
"""

import io
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import DataError, SkipFile
from .base import Format, ReadOptions, Sample, Source

if TYPE_CHECKING:
    import h5py

LAYOUT = "smpl24"
LANDMARKS = "body/landmarks"
JOINTS = 24


class Recording(NamedTuple):
    """Content of a UDIVA file.

    Attributes:
        landmarks: landmarks, float32 [T, 24, 3], zero in frames without landmarks.
        absent: whether each frame has no landmarks, bool [T].
        gaps: number of frame numbers that do not follow the previous number.
    """

    landmarks: np.ndarray
    absent: np.ndarray
    gaps: int

    def notes(self, absent: str) -> dict[str, int]:
        """Return notes that map the description of a change to its count.

        Args:
            absent: how frames without landmarks are handled, such as "removed".
        """
        notes = {
            f"frames without body landmarks ({absent})": int(self.absent.sum()),
            "frame numbers that do not follow the previous number (joined)": self.gaps,
        }
        return {note: count for note, count in notes.items() if count}


def read_recording(content: bytes) -> Recording:
    """Read the body landmarks in a UDIVA file.

    Raises:
        DataError: the file is corrupt or has an unexpected structure, or h5py is not
            installed.
        SkipFile: no frame has landmarks.
    """
    h5py = import_h5py()
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            numbers = sorted(file, key=_frame_number)
            frames = [_landmarks(file, number) for number in numbers]
    except DataError:
        raise
    # h5py raises many types of exceptions for corrupt files.
    except Exception as error:
        raise DataError(
            f"the file is corrupt, truncated, or not an HDF5 file "
            f"({str(error) or type(error).__name__})",
            kind="corrupt",
        ) from error
    if not frames:
        raise DataError(
            "the file has no groups, expected one group per frame", kind="empty"
        )
    absent = np.array([frame is None for frame in frames])
    if absent.all():
        raise SkipFile("no frame has body landmarks")
    landmarks = np.zeros((len(frames), JOINTS, 3), dtype=np.float32)
    for frame in np.flatnonzero(~absent):
        landmarks[frame] = frames[frame]
    steps = np.diff([int(number) for number in numbers])
    return Recording(landmarks, absent, int(np.sum(steps != 1)))


def _frame_number(name: str) -> int:
    if not name.isdecimal():
        raise DataError(
            f"unexpected group {name!r:.40}, expected a frame number",
            kind="structure",
        )
    return int(name)


def _landmarks(file: "h5py.File", number: str) -> np.ndarray | None:
    if LANDMARKS not in file[number]:
        return None
    field = f"{number}/{LANDMARKS}"
    values = np.asarray(file[number][LANDMARKS])
    if values.shape != (JOINTS, 3) or values.dtype.kind not in "fiu":
        raise DataError(
            f"{field} has dtype {values.dtype} and shape {values.shape}, expected "
            f"numbers of shape ({JOINTS}, 3)",
            kind="shape" if values.dtype.kind in "fiu" else "dtype",
            field=field,
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise DataError(
            f"{field} contains NaN, infinity, or a number outside the range of float32",
            kind="not-finite",
            field=field,
        )
    return values


def import_h5py() -> ModuleType:
    """Import and return the module `h5py`.

    Raises:
        DataError: h5py is not installed (kind `missing-package`).
    """
    try:
        import h5py
    except ImportError:
        raise DataError(
            "UDIVA landmarks are HDF5 files, which require h5py. Install it with `pip "
            'install "msg3d[udiva]"`.',
            kind="missing-package",
        ) from None
    module: ModuleType = h5py
    return module


def _read(source: Source, options: ReadOptions) -> list[Sample]:
    recording = read_recording(source.content)
    sequence = {
        "frame_dir": source.id,
        "keypoint": recording.landmarks[~recording.absent][None],
        "layout": LAYOUT,
        "unit": "unscaled",
        "notes": recording.notes("removed"),
    }
    return [sequence]


FORMAT = Format(
    name="udiva",
    title="UDIVA body landmarks",
    keeps="joints",
    suffixes=(".hdf5",),
    detect=lambda source: True,
    read=_read,
)
