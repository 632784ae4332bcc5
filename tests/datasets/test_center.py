"""CenterPose2D: PreNormalize2D that keeps absent joints at zero."""

import numpy as np
import pytest
from mmaction.datasets.transforms import PreNormalize2D

from msg3d.datasets.transforms import CenterPose2D


def poses():
    rng = np.random.default_rng(0)
    return rng.uniform(1, 400, size=(2, 5, 17, 2)).astype(np.float32)


def test_equals_prenormalize2d_without_absent_joints():
    actual, expected = (
        transform.transform({"keypoint": poses(), "img_shape": (480, 640)})["keypoint"]
        for transform in (CenterPose2D(), PreNormalize2D())
    )
    np.testing.assert_array_equal(actual, expected)
    assert actual.dtype == np.float32


@pytest.mark.parametrize(("half", "y_up"), [(1.0, False), (0.5, False), (0.5, True)])
def test_absent_joints_stay_zero(half, y_up):
    keypoint = poses() / 400
    keypoint[1] = 0
    keypoint[0, 2, 3] = 0
    keypoint[0, 2, 4] = [0, 0.25]  # present, on the left edge
    expected = (keypoint - 0.5) * 2 * half
    expected[..., 1] *= -1 if y_up else 1
    expected[1] = expected[0, 2, 3] = 0
    actual = CenterPose2D(half=half, y_up=y_up).transform(
        {"keypoint": keypoint.copy(), "img_shape": (1, 1)}
    )["keypoint"]
    np.testing.assert_allclose(actual, expected, atol=1e-7)
    assert actual[0, 2, 4, 0] == -half


def test_img_shape_of_the_config():
    results = CenterPose2D(img_shape=(100, 200)).transform(
        {"keypoint": np.array([[[[200.0, 50.0]]]])}
    )
    np.testing.assert_array_equal(results["keypoint"], [[[[1.0, 0.0]]]])
    assert "half=1.0" in repr(CenterPose2D())
