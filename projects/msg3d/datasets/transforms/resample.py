"""Uniform frames for sequences shorter than the clip."""

from typing import Dict, List, Tuple

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class ResampleFrames(BaseTransform):
    """Stretches a crop of the sequence to `clip_len` frames, by linear interpolation.

    UniformSampleFrames replays a sequence that is shorter than the clip, so a
    motion jumps back to its start in the middle of the clip. Where most sequences
    are shorter (NW-UCLA: half have fewer than 31 frames) this keeps the motion
    whole instead; the idea is that of the field's usual NW-UCLA feeders. A joint that
    is absent (exactly zero) in either neighbouring frame is absent in the new one.

    Takes the place of UniformSampleFrames and PoseDecode in a pipeline.

    Args:
        clip_len: frames of a clip, T.
        num_clips: clips a sample.
        crop: shortest part of the sequence that a clip may show, 0 to 1. Training
            clips draw length and place at random; test clips are spread evenly,
            from the shortest crop to the whole sequence, without randomness.
        test_mode: whether to take the test clips.

    Required and modified keys: `keypoint` [M, T, V, C] -> [M, num_clips * clip_len,
    V, C]; `keypoint_score` [M, T, V] likewise, where there is one.
    Added keys: `clip_len`, `num_clips`, `frame_interval`.
    """

    def __init__(
        self,
        clip_len: int,
        num_clips: int = 1,
        crop: float = 0.5,
        test_mode: bool = False,
    ) -> None:
        if not 0 < crop <= 1:
            raise ValueError(
                f"ResampleFrames got crop={crop}: expected a part of the sequence, "
                "greater than 0 and at most 1"
            )
        self.clip_len, self.num_clips = clip_len, num_clips
        self.crop, self.test_mode = crop, test_mode

    def _crops(self) -> List[Tuple[float, float]]:
        """(length, place) of each clip, as parts of the sequence and of the slack."""
        if not self.test_mode:
            length = np.random.uniform(self.crop, 1, self.num_clips)
            return list(zip(length, np.random.uniform(0, 1, self.num_clips)))
        if self.num_clips == 1:
            return [(1.0, 0.0)]
        length = np.linspace((1 + self.crop) / 2, 1, self.num_clips)
        return list(zip(length, np.linspace(0, 1, self.num_clips)))

    def transform(self, results: Dict) -> Dict:
        last = results["keypoint"].shape[1] - 1
        times = np.concatenate(
            [
                (1 - length) * place * last
                + np.linspace(0, length * last, self.clip_len)
                for length, place in self._crops()
            ]
        )
        # (M, T, V, C); a joint moves only between two frames that both have it.
        keypoint = results["keypoint"]
        before = np.minimum(times.astype(int), max(last - 1, 0))
        after = np.minimum(before + 1, last)
        part = (times - before)[:, None, None].astype(keypoint.dtype)
        start, end = keypoint[:, before], keypoint[:, after]
        present = start.any(-1, keepdims=True)
        present &= end.any(-1, keepdims=True) | (part == 0)
        results["keypoint"] = (start * (1 - part) + end * part) * present
        if "keypoint_score" in results:
            nearest = np.rint(times).astype(int)
            results["keypoint_score"] = results["keypoint_score"][:, nearest]
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
