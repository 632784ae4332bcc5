"""Select frames: MMAction2's uniform sampling, interpolated crops, random windows."""

from typing import Dict, List, Tuple

import numpy as np
from mmaction.datasets.transforms import UniformSampleFrames
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ...errors import ConfigError, DataError
from ...preprocessing.sample import crop_times, interpolate, window


@TRANSFORMS.register_module()
class FastUniformSampleFrames(UniformSampleFrames):
    """UniformSampleFrames without its search for persons, several times faster.

    MMAction2 searches every frame for persons, to make frame numbers integers near
    frames where a person appears or leaves. They are integers anyway. Outputs and
    random numbers are MMAction2's, bit for bit.

    Args and keys: UniformSampleFrames's; only the length of `keypoint` is used.

    Raises:
        DataError: `total_frames` is not the length of `keypoint`, if there is one; kind
            "total-frames".
    """

    def transform(self, results: Dict) -> Dict:
        check_length(results)
        rest = {key: value for key, value in results.items() if key != "keypoint"}
        results.update(super().transform(rest))
        return results


@TRANSFORMS.register_module()
class ResampleFrames(BaseTransform):
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

    def __init__(
        self,
        clip_len: int,
        num_clips: int = 1,
        crop: float = 0.5,
        test_mode: bool = False,
    ) -> None:
        if not 0 < crop <= 1:
            raise ConfigError(
                f"ResampleFrames got crop={crop}, expected a part of the sequence, "
                "greater than 0 and at most 1",
                kind="option",
                field="crop",
            )
        self.clip_len, self.num_clips = clip_len, num_clips
        self.crop, self.test_mode = crop, test_mode

    def _crops(self) -> List[Tuple[float, float]]:
        """(length, place) of each clip, as `crop_times` takes them."""
        if not self.test_mode:
            length = np.random.uniform(self.crop, 1, self.num_clips)
            return list(zip(length, np.random.uniform(0, 1, self.num_clips)))
        if self.num_clips == 1:
            return [(1.0, 0.0)]
        length = np.linspace((1 + self.crop) / 2, 1, self.num_clips)
        return list(zip(length, np.linspace(0, 1, self.num_clips)))

    def transform(self, results: Dict) -> Dict:
        frames = results["keypoint"].shape[1]
        times = crop_times(frames, self.clip_len, self._crops())
        results["keypoint"], score = interpolate(
            results["keypoint"], times, results.get("keypoint_score")
        )
        if score is not None:
            results["keypoint_score"] = score
        results["clip_len"], results["num_clips"] = self.clip_len, self.num_clips
        results["frame_interval"] = None
        results["total_frames"] = len(times)
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(clip_len={self.clip_len}, "
            f"num_clips={self.num_clips}, crop={self.crop}, "
            f"test_mode={self.test_mode})"
        )


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

    def transform(self, results: Dict) -> Dict:
        slack = abs(results["keypoint"].shape[1] - self.length)
        start = np.random.randint(slack + 1)
        for key in {"keypoint", "keypoint_score"} & set(results):
            results[key] = window(results[key], start, self.length)
        results["total_frames"] = self.length
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(length={self.length})"


def check_length(results: Dict) -> None:
    """Refuse a sample whose `total_frames` is not that of `keypoint` [M, T, ...].

    Raises:
        DataError: of kind "total-frames".
    """
    if not {"keypoint", "total_frames"} <= set(results):
        return
    stated, frames = results["total_frames"], results["keypoint"].shape[1]
    if stated != frames:
        raise DataError(
            f"total_frames is {stated}, but keypoint has {frames} frames: they must "
            "agree",
            kind="total-frames",
            field="total_frames",
            sample=results.get("frame_dir"),
        )
