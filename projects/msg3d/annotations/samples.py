"""Type of a sample, and properties that all samples in a file share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# An annotation: frame_dir or filename, label, total_frames, keypoint, ...
Sample = dict[str, Any]


class SampleSource(Protocol):
    """Annotations whose samples are read on access, such as `stores.Store`."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Sample:
        """Read a sample."""

    def split_ids(self, ids: Sequence[str]) -> dict[str, list[str]] | None:
        """Return the ids in each split, given all ids; None without splits."""

    def rest(self) -> dict[str, Any]:
        """Return the data besides splits and annotations, such as `meta`."""


@dataclass
class Summary:
    """Properties of the samples in a file, collected by `check_annotations`.

    Attributes:
        source: name of the file, for error messages.
        samples: number of samples.
        sample: id of the first sample. All samples must have its V and C.
        joints: number of joints V; None if keypoints are stored in separate files.
        channels: number of channels C of `keypoint`; None if keypoints are stored in
            separate files.
        scored: whether samples have `keypoint_score`.
        persons: the largest number of persons M.
        persons_sample: id of the sample with the largest M.
        max_label: the largest label.
        max_label_sample: id of the sample with the largest label.
        without_label: id of the first sample with targets instead of a label, or "".
        targets: length of `targets`; None if no sample has targets.
        targets_sample: id of the sample that sets the length of `targets`.
        without_targets: id of the first sample without targets, or "".
        layout: the layout in the file's `meta`, not validated; None if unspecified.
    """

    source: str
    samples: int = 0
    sample: str = ""
    joints: int | None = None
    channels: int | None = None
    scored: bool = False
    persons: int = 0
    persons_sample: str = ""
    max_label: int = -1
    max_label_sample: str = ""
    without_label: str = ""
    targets: int | None = None
    targets_sample: str = ""
    without_targets: str = ""
    layout: Any = None
