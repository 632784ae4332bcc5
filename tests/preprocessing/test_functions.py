"""Tests of properties of all functions of `msg3d.preprocessing`.

The tests of the transforms check the results.
"""

import numpy as np
import pytest

from errors import raises
from msg3d import preprocessing
from msg3d.skeletons import skeleton

PARENTS = [parent for _, parent in skeleton("coco").bones]
SPINE = {"zaxis": ([11, 12], [5, 6]), "xaxis": (6, 5)}
CALLS = {
    "align_view": lambda x: preprocessing.align_view(x, 0, **SPINE, length=30),
    "bones": lambda x: preprocessing.bones(x, PARENTS, mask_absent=True),
    "center_2d": lambda x: preprocessing.center_2d(x[..., :2], (480, 640), y_up=True),
    "pad_to": lambda x: preprocessing.pad_to(x, 20, "zero"),
    "pre_normalize_2d": lambda x: preprocessing.pre_normalize_2d(x, (480, 640)),
    "interpolate": lambda x: preprocessing.interpolate(x, np.linspace(0, 8, 30)),
    "laban_effort": lambda x: preprocessing.laban_effort(x, PARENTS),
    "mirror": lambda x: preprocessing.mirror(x, preprocessing.mirrored_order("coco")),
    "motion": lambda x: preprocessing.motion(x, mask_absent=True),
    "move_2d": lambda x: preprocessing.move_2d(x, *np.ones((4, 9))),
    "pre_normalize_3d": lambda x: preprocessing.pre_normalize_3d(x, **SPINE),
    "recenter": lambda x: preprocessing.recenter(x, [5, 6], None),
    "rotate": lambda x: preprocessing.rotate(x, (10, 20, 30)),
    "scale": lambda x: preprocessing.scale(x, np.array([1.1, 0.9, 1])),
    "scale_to_unit": preprocessing.scale_to_unit,
    "select_persons": preprocessing.select_persons,
    "skeleton_streams": lambda x: preprocessing.skeleton_streams(
        x, PARENTS, ["j", "b"]
    ),
}
NOT_CALLED = {
    *("EFFORTS", "crop_times", "format_gcn_input", "limbs", "mirrored_order"),
    *("uniform_sample", "window"),
}


def poses():
    """Poses, float32 [M, T, V, C], with absent joints and frames."""
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(1, 2, (2, 9, 17, 3)).astype(np.float32)
    keypoint[:, 3, 7] = keypoint[1, 6:] = 0
    return keypoint


def test_all_functions_are_tested():
    assert set(preprocessing.__all__) == CALLS.keys() | NOT_CALLED


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_not_modified(name):
    """The result is a new array [M, T', V, C'], and equal in a second call."""
    keypoint = poses()
    first, second = (CALLS[name](keypoint) for _ in range(2))
    np.testing.assert_array_equal(keypoint, poses())
    if isinstance(first, tuple):
        first, second = first[0], second[0]
    assert first.ndim == 4
    assert first.shape[::2] == (2, 17)
    assert not np.shares_memory(first, keypoint)
    np.testing.assert_array_equal(first, second)


def test_errors_contain_the_field():
    for by in ("score", "frame_score"):
        with raises("score", field="keypoint_score"):
            preprocessing.select_persons(poses(), by=by)
    with raises("layout", field="keypoint"):
        preprocessing.skeleton_streams(poses(), PARENTS[1:], ["j"])
    with raises("shape", field="keypoint"):
        preprocessing.pad_to(poses(), 8)
    with raises("shape", field="keypoint"):
        preprocessing.skeleton_streams(poses(), PARENTS, ["j"], np.ones((2, 9, 17)))
