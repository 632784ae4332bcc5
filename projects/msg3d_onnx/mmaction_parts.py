"""What the transforms of `msg3d` take from MMAction2 and MMCV, in numpy.

The same names, arguments and numbers, bit for bit, for tests and not for training: a
test compares each with MMAction2's own.
"""

from typing import Any, Callable

import numpy as np


class Registry:
    """Classes by name."""

    def __init__(self) -> None:
        self._classes: dict[str, type] = {}

    def register_module(self) -> Callable[[type], type]:
        """A decorator."""

        def register(cls: type) -> type:
            self._classes[cls.__name__] = cls
            return cls

        return register

    def build(self, cfg: dict[str, Any]) -> "BaseTransform":
        """The object that `dict(type=name, **arguments)` describes."""
        arguments = dict(cfg)
        return self._classes[arguments.pop("type")](**arguments)


TRANSFORMS = Registry()


class BaseTransform:
    """A step of a pipeline."""

    def __call__(self, results: dict) -> dict:
        return self.transform(results)

    def transform(self, results: dict) -> dict:
        raise NotImplementedError


class PreNormalize3D(BaseTransform):
    """The arguments; `FastPreNormalize3D` has the rest."""

    def __init__(
        self,
        zaxis=(0, 1),
        xaxis=(8, 4),
        align_spine: bool = True,
        align_shoulder: bool = True,
        align_center: bool = True,
    ) -> None:
        self.zaxis, self.xaxis = zaxis, xaxis
        self.align_spine, self.align_shoulder = align_spine, align_shoulder
        self.align_center = align_center


@TRANSFORMS.register_module()
class PreNormalize2D(BaseTransform):
    """Pixels as parts of half the image, from its middle, in place."""

    def __init__(self, img_shape=(1080, 1920)) -> None:
        self.img_shape = img_shape

    def transform(self, results: dict) -> dict:
        keypoint = results["keypoint"]
        height, width = results.get("img_shape", self.img_shape)
        for axis, side in ((0, width), (1, height)):
            keypoint[..., axis] = (keypoint[..., axis] - side / 2) / (side / 2)
        return results


@TRANSFORMS.register_module()
class UniformSampleFrames(BaseTransform):
    """Frame numbers of test clips: a random one of each of `clip_len` equal parts."""

    def __init__(
        self,
        clip_len: int,
        num_clips: int = 1,
        test_mode: bool = False,
        seed: int = 255,
    ) -> None:
        if not test_mode:
            raise ValueError("UniformSampleFrames is carried with test_mode=True only")
        self.clip_len, self.num_clips, self.seed = clip_len, num_clips, seed

    def transform(self, results: dict) -> dict:
        frames = results["total_frames"]
        np.random.seed(self.seed)
        clips = [self._clip(number, frames) for number in range(self.num_clips)]
        chosen = np.concatenate(clips) % frames + results.get("start_index", 0)
        results.update(
            frame_inds=chosen.astype(np.int32),
            clip_len=self.clip_len,
            frame_interval=None,
            num_clips=self.num_clips,
        )
        return results

    def _clip(self, number: int, frames: int) -> np.ndarray:
        length = self.clip_len
        if frames < length:  # replayed, each clip from another frame
            few = frames < self.num_clips
            start = number if few else number * frames // self.num_clips
            return np.arange(start, start + length)
        if frames < 2 * length:  # all in order, but for some that are left out
            skipped = np.random.choice(length + 1, frames - length, replace=False)
            offset = np.zeros(length + 1, dtype=np.int64)
            offset[skipped] = 1
            return np.arange(length) + np.cumsum(offset)[:-1]
        bounds = np.arange(length + 1) * frames // length
        return bounds[:-1] + np.random.randint(np.diff(bounds))


@TRANSFORMS.register_module()
class PadTo(BaseTransform):
    """`length` frames: zeros follow, or the sequence again."""

    def __init__(self, length: int, mode: str = "loop") -> None:
        self.length, self.mode = length, mode

    def transform(self, results: dict) -> dict:
        frames = results["total_frames"]
        if frames > self.length:
            raise ValueError(
                f"a sequence has {frames} frames, expected at most {self.length}: cut "
                "it into parts"
            )
        keypoint = results["keypoint"][:, np.arange(self.length) % frames]
        if self.mode == "zero":
            keypoint[:, frames:] = 0
        results.update(keypoint=keypoint, total_frames=self.length)
        return results


@TRANSFORMS.register_module()
class PoseDecode(BaseTransform):
    """The frames that were chosen, as float32."""

    def transform(self, results: dict) -> dict:
        chosen = results.get("frame_inds")
        if chosen is None:
            chosen = np.arange(results["total_frames"])
        for key in ("keypoint", "keypoint_score"):
            if key in results:
                results[key] = results[key][:, chosen].astype(np.float32)
        return results


@TRANSFORMS.register_module()
class FormatGCNInput(BaseTransform):
    """[M, clips * T, V, C] -> [clips, M', T, V, C], the score as the last channel."""

    def __init__(self, num_person: int = 2, mode: str = "zero") -> None:
        self.num_person, self.mode = num_person, mode

    def transform(self, results: dict) -> dict:
        keypoint = results["keypoint"]
        if "keypoint_score" in results:
            score = results["keypoint_score"][..., None]
            keypoint = np.concatenate((keypoint, score), axis=-1)
        lacking = self.num_person - len(keypoint)
        if lacking > 0:
            alone = self.mode == "loop" and len(keypoint) == 1
            filling = keypoint[:1] if alone else np.zeros_like(keypoint[:1])
            keypoint = np.concatenate([keypoint, *[filling] * lacking])
        keypoint = keypoint[: self.num_person]
        persons, frames, joints, channels = keypoint.shape
        clips = results.get("num_clips", 1)
        keypoint = keypoint.reshape(persons, clips, frames // clips, joints, channels)
        results["keypoint"] = np.ascontiguousarray(keypoint.swapaxes(0, 1))
        return results
