"""A test pipeline that also says which frames of the sequence its clips show.

What a network makes of its clips can then be shown on the sequence: on the persons and
frames that the pipeline kept, just before it cuts clips or makes bones of them.
"""

from dataclasses import dataclass

import numpy as np

from ..apis.pipeline_steps import numpy_random_kept
from ..apis.trained import TestPipeline

# What makes other things of joints, of the same persons and frames.
_FEATURES = (
    *("SkeletonFeatures", "LabanEffort", "GenSkeFeat", "JointToBone", "ToMotion"),
    "FormatGCNInput",
)


@dataclass(frozen=True)
class Clips:
    """The clips of a sequence.

    Attributes:
        sequence: what they were cut from, [M, T, V, C], a joint that is exactly zero
            absent; in the coordinates and the order of persons of the pipeline.
        inputs: the network's, float32 [clips, M', T', V, C'].
        times: places of the clips' frames in the sequence, [clips, T'].
    """

    sequence: np.ndarray
    inputs: np.ndarray
    times: np.ndarray

    def on_sequence(self, values: np.ndarray) -> np.ndarray:
        """Values of the clips' joints as those of the sequence's.

        A frame has the mean of the clips' frames that show it, or what lies between its
        neighbours where no clip shows it; persons whom the network does not see, zero.

        Args:
            values: [clips, M', T', V].

        Returns:
            [M, T, V].
        """
        persons, frames = self.sequence.shape[:2]
        values = np.moveaxis(values, 2, 1).reshape(-1, *values.shape[1::2])
        places = np.rint(self.times).astype(int).ravel()  # (clips * T',)
        total = np.zeros((frames, *values.shape[1:]))
        np.add.at(total, places, values)
        count = np.bincount(places, minlength=frames)
        shown = np.flatnonzero(count)
        mean = total[shown] / count[shown, None, None]
        place = np.interp(np.arange(frames), shown, np.arange(len(shown)))
        before = place.astype(int)
        after = np.minimum(before + 1, len(shown) - 1)
        part = (place - before)[:, None, None]
        found = np.zeros((persons, frames, values.shape[2]))
        kept = min(persons, values.shape[1])
        between = (mean[before] * (1 - part) + mean[after] * part).swapaxes(0, 1)
        found[:kept] = between[:kept]
        return found


class ClipPipeline(TestPipeline):
    """TestPipeline that gives Clips.

    Args:
        cfg: with `test_dataloader`, as every recipe has it.

    Raises:
        ConfigError: as TestPipeline.
    """

    def __call__(self, sample: dict) -> Clips:
        """The clips of a sample.

        Args:
            sample: as `keypoint_input.to_sample` gives it; its arrays may be changed.
        """
        with numpy_random_kept():
            return self._clips(sample)

    def _clips(self, results: dict) -> Clips:
        sequence = times = None
        for step in self._steps.transforms:
            made = step(dict(results))
            cuts = times is None and "clip_len" in made
            if sequence is None and (cuts or type(step).__name__ in _FEATURES):
                sequence = results["keypoint"].copy()
            if cuts:
                frames = results["keypoint"].shape[1]
                times = made.get("frame_inds")
                times = _clock(step, results) if times is None else times % frames
            results = made
        inputs = results["inputs"].numpy()
        if times is None:  # the whole sequence is the clip
            times = np.minimum(np.arange(inputs.shape[2]), sequence.shape[1] - 1)
        return Clips(sequence, inputs, np.reshape(times, (len(inputs), -1)))


def _clock(step, results: dict) -> np.ndarray:
    """The times that a step which interpolates takes: of joints that show the time."""
    frames = results["keypoint"].shape[1]
    hands = np.arange(1, frames + 1, dtype=np.float64)  # zero would be absent
    clock = np.broadcast_to(hands[None, :, None, None], (1, frames, 1, 1)).copy()
    results = {key: one for key, one in results.items() if key != "keypoint_score"}
    return step(dict(results, keypoint=clock))["keypoint"][0, :, 0, 0] - 1
