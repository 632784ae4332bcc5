"""CenterPose2D: PreNormalize2D, with the absent left absent."""

import numpy as np
import pytest
from mmaction.datasets.transforms import PreNormalize2D

from msg3d.datasets.transforms import CenterPose2D


def poses():
    rng = np.random.default_rng(0)
    return rng.uniform(1, 400, size=(2, 5, 17, 2)).astype(np.float32)


def test_is_prenormalize2d_where_all_are_there():
    ours, theirs = (
        transform.transform({"keypoint": poses(), "img_shape": (480, 640)})["keypoint"]
        for transform in (CenterPose2D(), PreNormalize2D())
    )
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == np.float32


@pytest.mark.parametrize(("half", "y_up"), [(1.0, False), (0.5, False), (0.5, True)])
def test_absent_stays_absent(half, y_up):
    keypoint = poses() / 400
    keypoint[1] = 0
    keypoint[0, 2, 3] = 0
    keypoint[0, 2, 4] = [0, 0.25]  # on the left edge, but there
    expected = (keypoint - 0.5) * 2 * half
    expected[..., 1] *= -1 if y_up else 1
    expected[1] = expected[0, 2, 3] = 0
    found = CenterPose2D(half=half, y_up=y_up).transform(
        {"keypoint": keypoint.copy(), "img_shape": (1, 1)}
    )["keypoint"]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert found[0, 2, 4, 0] == -half


def test_img_shape_of_the_config():
    found = CenterPose2D(img_shape=(100, 200)).transform(
        {"keypoint": np.array([[[[200.0, 50.0]]]])}
    )
    np.testing.assert_array_equal(found["keypoint"], [[[[1.0, 0.0]]]])
    assert "half=1.0" in repr(CenterPose2D())
