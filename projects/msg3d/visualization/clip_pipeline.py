"""Test pipeline that also returns the source frame of every clip frame.

Results for the clips can then be mapped back to the source sequence. It has the persons
and frames that the pipeline keeps, before it samples clips or computes bones.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..apis.trained import TestPipeline
from ..engine.hooks.random_state import random_state_kept

# Steps that compute joint features and keep all persons and frames.
_FEATURES = (
    *("SkeletonFeatures", "LabanEffort", "GenSkeFeat", "JointToBone", "ToMotion"),
    "FormatGCNInput",
)


@dataclass(frozen=True)
class Clips:
    """Clips of a sequence, with the source frame of each clip frame.

    Attributes:
        sequence: source sequence of the clips, [M, T, V, C], with the pipeline's
            coordinates and order of persons. Absent joints are exactly zero.
        inputs: network inputs, float32 [clips, M', T', V, C'].
        times: position of each clip frame in the sequence, [clips, T'].
    """

    sequence: np.ndarray
    inputs: np.ndarray
    times: np.ndarray

    def on_sequence(self, values: np.ndarray) -> np.ndarray:
        """Map values per joint of the clips to values per joint of the sequence.

        A frame gets the mean over the clip frames that contain it. Frames that no clip
        contains are interpolated between their neighbors. Persons that are not part of
        the network's input get zero.

        Args:
            values: values per joint of the clips, [clips, M', T', V].

        Returns:
            Values per joint of the sequence, [M, T, V].
        """
        persons, frames = self.sequence.shape[:2]
        values = np.moveaxis(values, 2, 1).reshape(-1, *values.shape[1::2])
        indices = np.rint(self.times).astype(int).ravel()  # (clips * T',)
        total = np.zeros((frames, *values.shape[1:]))
        np.add.at(total, indices, values)
        count = np.bincount(indices, minlength=frames)
        sampled = np.flatnonzero(count)
        mean = total[sampled] / count[sampled, None, None]
        position = np.interp(np.arange(frames), sampled, np.arange(len(sampled)))
        before = position.astype(int)
        after = np.minimum(before + 1, len(sampled) - 1)
        weight = (position - before)[:, None, None]
        result = np.zeros((persons, frames, values.shape[2]))
        num_persons = min(persons, values.shape[1])
        interpolated = mean[before] * (1 - weight) + mean[after] * weight
        result[:num_persons] = interpolated.swapaxes(0, 1)[:num_persons]
        return result


class ClipPipeline(TestPipeline):
    """`TestPipeline` that can also return `Clips`.

    Args:
        cfg: config with a `test_dataloader`.

    Raises:
        ConfigError: see `TestPipeline`.
    """

    def clips(self, sample: dict) -> Clips:
        """Return the clips of a sample, with their source sequence.

        Args:
            sample: sample from `keypoint_input.to_sample`. Its arrays may be modified.
        """
        with random_state_kept():
            return self._clips(sample)

    def _clips(self, results: dict) -> Clips:
        sequence = times = None
        for step in self._steps.transforms:
            output = step(dict(results))
            samples_clips = times is None and "clip_len" in output
            if sequence is None and (samples_clips or type(step).__name__ in _FEATURES):
                sequence = results["keypoint"].copy()
            if samples_clips:
                frames = results["keypoint"].shape[1]
                times = output.get("frame_inds")
                times = (
                    _sampled_times(step, results) if times is None else times % frames
                )
            results = output
        inputs = results["inputs"].numpy()
        assert sequence is not None  # set at FormatGCNInput at the latest
        if times is None:  # the clip is the entire sequence
            times = np.minimum(np.arange(inputs.shape[2]), sequence.shape[1] - 1)
        return Clips(sequence, inputs, np.reshape(times, (len(inputs), -1)))


def _sampled_times(step: Callable[[dict], dict], results: dict) -> np.ndarray:
    """Return the times, in frames, that an interpolating pipeline step samples.

    The step is applied to a joint whose coordinate is the frame number.
    """
    frames = results["keypoint"].shape[1]
    numbers = np.arange(1, frames + 1, dtype=np.float64)  # from 1: zero means absent
    keypoint = np.broadcast_to(numbers[None, :, None, None], (1, frames, 1, 1)).copy()
    results = {key: value for key, value in results.items() if key != "keypoint_score"}
    return step(dict(results, keypoint=keypoint))["keypoint"][0, :, 0, 0] - 1
