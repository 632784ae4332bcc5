"""Sample records, and what the samples of a file have in common."""

from dataclasses import dataclass
from typing import Any

# An annotation: frame_dir or filename, label, total_frames, keypoint, ...
Sample = dict[str, Any]


@dataclass
class Summary:
    """Properties of the checked samples, collected during the check.

    Attributes:
        source: name of the file, for messages.
        samples: number of samples.
        sample: id of the first sample, whose V and C all others share.
        joints: V; None if keypoints are stored in separate files.
        channels: C of `keypoint`; None likewise.
        scored: whether samples have `keypoint_score`.
        persons: the largest M, in sample `persons_sample`.
        max_label: the largest label, in sample `max_label_sample`.
        without_label: id of the first sample with targets instead of a label, or "".
        targets: length of `targets` in sample `targets_sample`; None if no sample has
            targets.
        without_targets: id of the first sample without targets, or "".
        layout: the layout that the file's `meta` states, unchecked; None without one.
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
