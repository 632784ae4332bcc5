"""Sampling of frames: uniform sampling, interpolated crops, and random windows."""

import numpy as np
from mmaction.datasets.transforms import UniformSampleFrames
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...preprocessing import steps
from ...preprocessing.sample import window
from .step import StepTransform


@TRANSFORMS.register_module()
class FastUniformSampleFrames(StepTransform, UniformSampleFrames):
    """UniformSampleFrames without the search for persons, several times faster.

    MMAction2 searches every frame for persons, to round frame numbers near frames where
    a person appears or leaves. They are integers anyway. Outputs and random numbers are
    identical to MMAction2's, bit for bit.

    Args and keys: see UniformSampleFrames. Only the length of `keypoint` is used.

    Raises:
        DataError: `total_frames` differs from the length of `keypoint`; kind
            "total-frames".
    """

    step = staticmethod(steps.uniform_sample_frames)

    def transform(self, results: dict) -> dict:
        if self.test_mode:
            np.random.seed(self.seed)  # as in MMAction2, for all later random numbers
        return self._run(results, random=np.random)


@TRANSFORMS.register_module()
class ResampleFrames(StepTransform):
    """Resize a crop of the sequence to `clip_len` frames by linear interpolation.

    UniformSampleFrames repeats a sequence that is shorter than the clip, so the motion
    jumps back to its start within the clip. Interpolation keeps the motion intact, which
    matters if most sequences are short (half of NW-UCLA has fewer than 31 frames). The
    idea is from the usual NW-UCLA feeders. It replaces UniformSampleFrames and PoseDecode.

    Args:
        clip_len: frames per clip, T.
        num_clips: clips per sample.
        crop: minimum fraction of the sequence that a clip contains, 0 to 1. Training
            clips have a random length and position. Test clips are evenly spread from
            the shortest crop to the entire sequence, without randomness.
        test_mode: return test clips.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, num_clips * clip_len, V, C].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, num_clips * clip_len, V].
    Added keys: `clip_len`, `num_clips`, `frame_interval`.

    Raises:
        ConfigError: `crop` is out of range; kind "option".
    """

    step = staticmethod(steps.resample_frames)


@TRANSFORMS.register_module()
class RandomWindow(BaseTransform):
    """Crop a window of frames at a random position.

    A shorter sequence is placed at a random position in a window of zeros. Together with
    `RandomMove2D`, this is the data augmentation of the authors of ST-GCN on Kinetics.

    Args:
        length: number of frames of the window, T'.

    Required and modified key: `keypoint` [M, T, V, C] -> [M, T', V, C].
    Optional and modified key: `keypoint_score` [M, T, V] -> [M, T', V].
    Modified key: `total_frames`, T'.
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
