"""Select frames: MMAction2's uniform sampling, interpolated crops, random windows."""

import numpy as np
from mmaction.datasets.transforms import UniformSampleFrames
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...preprocessing import steps
from ...preprocessing.sample import window
from .step import StepTransform


@TRANSFORMS.register_module()
class FastUniformSampleFrames(StepTransform, UniformSampleFrames):
    """UniformSampleFrames without its search for persons, several times faster.

    MMAction2 searches every frame for persons, to make frame numbers integers near
    frames where a person appears or leaves. They are integers anyway. Outputs and
    random numbers are MMAction2's, bit for bit.

    Args and keys: UniformSampleFrames's; only the length of `keypoint` is used.

    Raises:
        DataError: `total_frames` is not the length of `keypoint`, if there is one; kind
            "total-frames".
    """

    step = staticmethod(steps.uniform_sample_frames)

    def transform(self, results: dict) -> dict:
        if self.test_mode:
            np.random.seed(self.seed)  # the numbers drawn after MMAction2's are equal
        return self._run(results, random=np.random)


@TRANSFORMS.register_module()
class ResampleFrames(StepTransform):
    """Stretch a crop of the sequence to `clip_len` frames, by linear interpolation.

    UniformSampleFrames repeats a sequence that is shorter than the clip, so a motion
    jumps back to its start within the clip. Where most sequences are shorter (NW-UCLA:
    half have fewer than 31 frames) this keeps the motion intact. The idea is that of
    the usual NW-UCLA feeders. It replaces UniformSampleFrames and PoseDecode.

    Args:
        clip_len: frames per clip, T.
        num_clips: clips per sample.
        crop: shortest part of the sequence that a clip may show, 0 to 1. Training
            clips draw length and place at random. Test clips are spread evenly, from
            the shortest crop to the entire sequence, without randomness.
        test_mode: whether to take the test clips.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, num_clips * clip_len,
    V, C]; `keypoint_score` [M, T, V] likewise, if there is one.
    Added keys: `clip_len`, `num_clips`, `frame_interval`.

    Raises:
        ConfigError: `crop` is out of range; kind "option".
    """

    step = staticmethod(steps.resample_frames)


@TRANSFORMS.register_module()
class RandomWindow(BaseTransform):
    """Cut a window of frames at a random place.

    A shorter sequence lies at a random place in a window of zeros. This is the training
    augmentation of ST-GCN's authors on Kinetics, together with `RandomMove2D`.

    Args:
        length: frames of the window, T'.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, T', V, C];
    `keypoint_score` [M, T, V] likewise, if there is one; `total_frames`.
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
