"""Transforms that sample frames: uniformly, in interpolated crops, or in windows."""

import numpy as np
from mmaction.datasets.transforms import UniformSampleFrames
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...preprocessing import steps
from ...preprocessing.sample import window
from .step import StepTransform


@TRANSFORMS.register_module()
class FastUniformSampleFrames(StepTransform, UniformSampleFrames):
    """Faster UniformSampleFrames with identical results.

    MMAction2's UniformSampleFrames searches every frame for persons, to round frame
    numbers near frames where a person appears or leaves. This transform omits the search,
    since frame numbers are integers anyway. Outputs and random numbers are bit for bit
    those of UniformSampleFrames.

    For the arguments and keys, see UniformSampleFrames. Only the length of `keypoint` is
    used.

    Raises:
        DataError: `total_frames` is not the length of `keypoint` (kind `total-frames`).
    """

    step = staticmethod(steps.uniform_sample_frames)

    def transform(self, results: dict) -> dict:
        if self.test_mode:
            np.random.seed(self.seed)  # as in MMAction2, for all later random numbers
        return self._run(results, random=np.random)


@TRANSFORMS.register_module()
class ResampleFrames(StepTransform):
    """Resize a crop of the sequence to `clip_len` frames by linear interpolation.

    In contrast, UniformSampleFrames repeats a sequence that is shorter than the clip, so
    the motion jumps back to its start within the clip. Interpolation keeps the motion
    intact, which matters if most sequences are short (half of the sequences in NW-UCLA
    have fewer than 31 frames). The idea is from the usual NW-UCLA feeders. This transform
    replaces both UniformSampleFrames and PoseDecode.

    Args:
        clip_len: frames per clip, T.
        num_clips: clips per sample.
        crop: minimum fraction of the sequence that a training clip contains, above 0 and
            at most 1. The length and position of training clips are random.
        test_mode: sample test clips instead of training clips. The lengths of test clips
            are evenly spaced from (1 + crop) / 2 to 1, and their positions from the start
            to the end of the sequence. A single test clip is the entire sequence.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, num_clips * clip_len, V, C].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, num_clips * clip_len, V].
    Added keys: `clip_len`, `num_clips`, `frame_interval`.

    Raises:
        ConfigError: `crop` is out of range (kind `option`).
    """

    step = staticmethod(steps.resample_frames)


@TRANSFORMS.register_module()
class RandomWindow(BaseTransform):
    """Crop a window of frames at a random position.

    A sequence that is shorter than the window is placed at a random position in a window
    of zeros. Together with RandomMove2D, this is ST-GCN's data augmentation on Kinetics.

    Args:
        length: number of frames in the window, T'.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, T', V, C].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, T', V].
    Modified key: `total_frames`, T -> T'.
    """

    def __init__(self, length: int) -> None:
        self.length = length

    def transform(self, results: dict) -> dict:
        slack = abs(results["keypoint"].shape[1] - self.length)
        start = np.random.randint(slack + 1)
        for key in {"keypoint", "keypoint_score"} & set(results):
            results[key] = window(results[key], start, self.length)
        results["total_frames"] = self.length
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(length={self.length})"
