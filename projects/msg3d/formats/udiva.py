"""Body landmarks of UDIVA v0.5 (Palmero et al., 2021).

An HDF5 file per recording of a participant, with a group per frame, named by its number.
The group contains `body/landmarks`, [24, 3], the joints of SMPL in no stated unit, unless
no person was detected. Reading requires h5py (`pip install "msg3d[udiva]"`).
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
    """The content of a file.

    Attributes:
        landmarks: float32 [T, 24, 3], zero where a frame has none.
        absent: bool [T], whether a frame has no landmarks.
        gaps: how many frame numbers do not follow the one before.
    """

    landmarks: np.ndarray
    absent: np.ndarray
    gaps: int

    def notes(self, absent: str) -> dict[str, int]:
        """Return notes; `absent` tells what became of frames without landmarks."""
        notes = {
            f"frames without body landmarks ({absent})": int(self.absent.sum()),
            "frame numbers that do not follow the one before (joined)": self.gaps,
        }
        return {what: count for what, count in notes.items() if count}


def read_recording(content: bytes) -> Recording:
    """Read a file.

    Raises:
        DataError: it is corrupt or has another structure, or h5py is not installed.
        SkipFile: no frame has landmarks.
    """
    h5py = import_h5py()
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            numbers = sorted(file, key=_frame_number)
            frames = [_landmarks(file, number) for number in numbers]
    except DataError:
        raise
    # A corrupt file may raise anything.
    except Exception as error:
        raise DataError(
            f"is not HDF5, or truncated ({str(error) or type(error).__name__})",
            kind="corrupt",
        ) from error
    if not frames:
        raise DataError("has no frame, expected a group per frame", kind="empty")
    absent = np.array([frame is None for frame in frames])
    if absent.all():
        raise SkipFile("no frame has body landmarks")
    landmarks = np.zeros((len(frames), JOINTS, 3), dtype=np.float32)
    for place in np.flatnonzero(~absent):
        landmarks[place] = frames[place]
    steps = np.diff([int(number) for number in numbers])
    return Recording(landmarks, absent, int(np.sum(steps != 1)))


def _frame_number(name: str) -> int:
    if not name.isdecimal():
        raise DataError(
            f"has the group {name!r:.40}, expected the number of a frame",
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
            f"{field} is {values.dtype} of shape {values.shape}, expected {JOINTS} x 3 "
            "numbers",
            kind="shape" if values.dtype.kind in "fiu" else "dtype",
            field=field,
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise DataError(
            f"{field} contains NaN, infinity, or a number beyond float32",
            kind="not-finite",
            field=field,
        )
    return values


def import_h5py() -> ModuleType:
    """Return the package h5py.

    Raises:
        DataError: it is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise DataError(
            "UDIVA's landmarks are HDF5 files, which require h5py: pip install h5py",
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
    suffixes=(".hdf5",),
    detect=lambda source: True,
    read=_read,
)
