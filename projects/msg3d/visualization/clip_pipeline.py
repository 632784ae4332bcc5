"""A test pipeline that also returns the frames of the sequence that its clips show.

Results for the clips can then be shown on the sequence: on the persons and frames that the
pipeline keeps, just before it samples clips or computes bones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..apis.trained import TestPipeline
from ..engine.hooks.random_state import random_state_kept

# Steps that compute features of joints, of the same persons and frames.
_FEATURES = (
    *("SkeletonFeatures", "LabanEffort", "GenSkeFeat", "JointToBone", "ToMotion"),
    "FormatGCNInput",
)


@dataclass(frozen=True)
class Clips:
    """The clips of a sequence.

    Attributes:
        sequence: the source of the clips, [M, T, V, C], in the coordinates and the order
            of persons of the pipeline; a joint that is exactly zero is absent.
        inputs: of the network, float32 [clips, M', T', V, C'].
        times: positions of the clips' frames in the sequence, [clips, T'].
    """

    sequence: np.ndarray
    inputs: np.ndarray
    times: np.ndarray

    def on_sequence(self, values: np.ndarray) -> np.ndarray:
        """Map values of the clips' joints to joints of the sequence.

        A frame gets the mean over the clips' frames that show it, or is interpolated
        between its neighbors if no clip shows it. Persons that the network does not take
        get zero.

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
    """A TestPipeline that also gives Clips.

    Args:
        cfg: a config with `test_dataloader`.

    Raises:
        ConfigError: as TestPipeline.
    """

    def clips(self, sample: dict) -> Clips:
        """The clips of a sample.

        Args:
            sample: as `keypoint_input.to_sample` gives it; its arrays may be changed.
        """
        with random_state_kept():
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
        assert sequence is not None  # FormatGCNInput made the inputs
        if times is None:  # the whole sequence is the clip
            times = np.minimum(np.arange(inputs.shape[2]), sequence.shape[1] - 1)
        return Clips(sequence, inputs, np.reshape(times, (len(inputs), -1)))


def _clock(step: Callable[[dict], dict], results: dict) -> np.ndarray:
    """The times that an interpolating step samples, from joints that contain the time."""
    frames = results["keypoint"].shape[1]
    hands = np.arange(1, frames + 1, dtype=np.float64)  # zero would be absent
    clock = np.broadcast_to(hands[None, :, None, None], (1, frames, 1, 1)).copy()
    results = {key: one for key, one in results.items() if key != "keypoint_score"}
    return step(dict(results, keypoint=clock))["keypoint"][0, :, 0, 0] - 1
