"""AlignView compared with plain loops, and AlignSkeleton3D with layouts."""

import math

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

from errors import raises
from msg3d.annotations.files import load_annotations
from msg3d.datasets.transforms import AlignSkeleton3D, AlignView, SelectPersons
from msg3d.errors import ConfigError, DataError
from msg3d.skeletons import SKELETONS, skeleton

BODIES = [name for name, body in SKELETONS.items() if body.spine and body.shoulders]


def complete(keypoint):
    """All joints are present."""


def absent_joints(keypoint):
    keypoint[:, 2::3, 7:9] = 0


def gaps(keypoint):
    keypoint[0, 3:5] = 0
    keypoint[-1, 8:11] = 0


def early_end(keypoint):
    keypoint[0, 5] = 0
    keypoint[:, 14:] = 0


def late_start(keypoint):
    keypoint[0, :4] = 0
    keypoint[0, 6:8] = 0
    keypoint[-1, :15] = 0


def one_frame_each(keypoint):
    for person in range(len(keypoint)):
        keypoint[person, np.arange(20) != 3 * person] = 0


def empty_second_person(keypoint):
    keypoint[1:2] = 0


CASES = (
    complete,
    absent_joints,
    gaps,
    early_end,
    late_start,
    one_frame_each,
    empty_second_person,
)


def sample(case, persons=2, joints=25, frames=20, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    shape = (persons, frames, joints, 3)
    steps = rng.normal(scale=0.02, size=shape).cumsum(axis=1)
    pose = rng.normal(scale=0.4, size=(persons, 1, joints, 3))
    keypoint = pose + steps + np.array([0, 0, 3])
    case(keypoint)
    return {"keypoint": keypoint.astype(dtype), "total_frames": frames}


def plain_point(frame, joints):
    """Return the mean of the present joints among `joints`, or None."""
    present = [frame[joint] for joint in joints if any(frame[joint])]
    return sum(present) / len(present) if present else None


def plain_rotation(points, vector, axis):
    """Rotate points [n, 3] as a vector is rotated onto an axis, by Rodrigues' formula."""
    length = math.sqrt(sum(v * v for v in vector))
    normal = np.cross(vector, axis)
    if length < 1e-6 or np.abs(normal).sum() < 1e-6:
        return points
    cos = float(np.dot(vector, axis)) / length
    sin = math.sqrt(1 - cos * cos)
    normal = normal / math.sqrt(np.dot(normal, normal))
    along = np.outer(points @ normal, normal)
    return points * cos + np.cross(normal, points) * sin + along * (1 - cos)


def plain_view(keypoint, center, spine, shoulders, length=None):
    """Apply the rules of the authors' data one by one, joint by joint."""
    _, frames, joints, _ = keypoint.shape
    length = length or frames
    persons = []
    for person in keypoint.astype(np.float64):
        person = list(person) + [np.zeros((joints, 3))] * (length - frames)
        if any(frame.any() for frame in person):
            if not person[0].any():
                present = [frame for frame in person if frame.any()]
                person = present + [np.zeros((joints, 3))] * (length - len(present))
            end = length
            while not person[end - 1].any():
                end -= 1
            for t in range(end, length):
                person[t] = person[t - end]
        persons.append(np.array(person))

    first = persons[0][0]
    lines = {}
    for axis, line in (("z", spine[::-1]), ("x", shoulders)):
        end, start = (plain_point(first, ends) for ends in line)
        lines[axis] = None if end is None or start is None else end - start
    origins = [plain_point(frame, center) for frame in persons[0]]
    for person in persons:
        for frame, origin in zip(person, origins, strict=True):
            for joint in range(joints):
                if frame[joint].sum() != 0 and origin is not None:
                    frame[joint] -= origin
    points = np.concatenate([person.reshape(-1, 3) for person in persons])
    if lines["z"] is not None:
        points = plain_rotation(points, lines["z"], [0, 0, 1])
        if lines["x"] is not None:
            lines["x"] = plain_rotation(lines["x"][None], lines["z"], [0, 0, 1])[0]
    if lines["x"] is not None:
        points = plain_rotation(points, lines["x"], [1, 0, 0])
    return points.reshape(len(persons), length, joints, 3)


def assert_plain(results, layout, length=None):
    body = skeleton(layout)
    expected = plain_view(
        results["keypoint"], body.spine[1], body.spine, body.shoulders, length
    )
    actual = AlignView(layout, length=length)(dict(results))
    assert actual["total_frames"] == expected.shape[1]
    assert actual["keypoint"].dtype == np.float32
    np.testing.assert_allclose(actual["keypoint"], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("length", [None, 20, 53])
@pytest.mark.parametrize("persons", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("case", CASES)
def test_view_equals_plain_loops(case, persons, length):
    for seed, dtype in enumerate((np.float16, np.float32, np.float64)):
        assert_plain(sample(case, persons, dtype=dtype, seed=seed), "nturgb+d", length)


@pytest.mark.parametrize("layout", BODIES)
@pytest.mark.parametrize("case", [complete, absent_joints, late_start])
def test_axes_of_every_layout(layout, case):
    results = sample(case, joints=len(skeleton(layout).joints))
    assert_plain(results, layout)
    body, first = skeleton(layout), AlignView(layout)(dict(results))["keypoint"][0, 0]
    if case is complete:
        right, left = (first[list(end)].mean(0) for end in body.shoulders)
        np.testing.assert_allclose((right - left)[1:], 0, atol=1e-6)
        assert (right - left)[0] > 0
        np.testing.assert_allclose(first[list(body.spine[1])].mean(0), 0, atol=1e-6)


def test_axes_of_ntu_equal_those_of_the_authors():
    """The spine is joints 0 to 1, the shoulders are 4 to 8, and the origin is joint 1."""
    results = sample(complete)
    inline = AlignView(center=1, zaxis=(0, 1), xaxis=(8, 4))(dict(results))
    by_name = AlignView("nturgb+d")(dict(results))
    np.testing.assert_array_equal(by_name["keypoint"], inline["keypoint"])
    np.testing.assert_array_equal(by_name["keypoint"][0, :, 1], 0)
    results = sample(complete)
    results["keypoint"][0, 0, [4, 8]] = results["keypoint"][0, 0, 1] + [[0], [0]]
    spine = AlignView("nturgb+d")(results)["keypoint"][0, 0, 0]
    np.testing.assert_allclose(spine[:2], 0, atol=1e-6)
    assert spine[2] < 0


def test_view_and_path_are_removed():
    """The result does not depend on the camera or on the path through the room.

    The shoulders must be level if the spine is upright. Otherwise, the second rotation
    tilts the spine again.
    """
    keypoint = sample(absent_joints, persons=3, dtype=np.float64)["keypoint"]
    keypoint[0, 0, [0, 1]] = [[0.1, 0.2, 2.5], [0.1, 0.5, 2.5]]
    keypoint[0, 0, [4, 8]] = [[0.3, 0.6, 2.4], [-0.1, 0.6, 2.7]]
    camera = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    camera *= np.linalg.det(camera)  # no reflection
    path = np.linspace(0, 1, 20)[:, None, None] * [1, 0, 3]
    other = keypoint @ camera.T + [0.3, -1, 2] + path
    other *= keypoint.any(-1, keepdims=True)
    first, second = (
        AlignView("nturgb+d")({"keypoint": k, "total_frames": 20})["keypoint"]
        for k in (keypoint, other)
    )
    assert np.abs(keypoint - other).max() > 1
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_repeated_frames():
    """The head identifies frame t of person m: x = 10 m + t + 1 before alignment."""
    keypoint = np.zeros((3, 5, 25, 3), np.float32)
    keypoint[:, :, 3, 0] = 10 * np.arange(3)[:, None] + np.arange(1, 6)
    keypoint[0, 3:] = 0  # ends early
    keypoint[1, [0, 2]] = 0  # starts late and has a gap
    keypoint[2, [2, 4]] = 0  # has a gap and ends early
    score = keypoint[..., 0].copy()
    results = {"keypoint": keypoint, "keypoint_score": score, "total_frames": 5}
    actual = AlignView("nturgb+d", length=8)(results)
    expected = [
        [1, 2, 3, 1, 2, 3, 1, 2],
        [12, 14, 15, 12, 14, 15, 12, 14],
        [21, 22, 0, 24, 21, 22, 0, 24],
    ]
    np.testing.assert_array_equal(actual["keypoint"][:, :, 3, 0], expected)
    np.testing.assert_array_equal(actual["keypoint_score"][:, :, 3], expected)
    assert actual["total_frames"] == 8


def without_joints(*joints):
    def case(keypoint):
        keypoint[:, 0, joints] = 0

    return case


@pytest.mark.parametrize(
    "case",
    [
        without_joints(0),
        without_joints(0, 1),
        without_joints(4),
        without_joints(8, 4),
        without_joints(1),
    ],
)
def test_no_rotation_if_an_end_is_absent(case):
    assert_plain(sample(case), "nturgb+d")


def test_no_rotation_without_spine_and_shoulders():
    results = sample(without_joints(0, 4))
    actual = AlignView("nturgb+d")(dict(results))["keypoint"]
    moved = results["keypoint"] - results["keypoint"][0, :, 1][:, None]
    np.testing.assert_allclose(
        actual, moved * results["keypoint"].any(-1, keepdims=True), atol=1e-6
    )


def test_mean_of_the_present_joints():
    results = sample(without_joints(11), joints=17)  # left hip of COCO
    expected = AlignView(center=(5, 6), zaxis=(12, (5, 6)), xaxis=(6, 5))
    np.testing.assert_array_equal(
        AlignView("coco")(dict(results))["keypoint"],
        expected(dict(results))["keypoint"],
    )


def test_frames_without_the_center_are_not_moved():
    results = sample(complete)
    results["keypoint"][0, 5, 1] = 0
    results["keypoint"][0, 9] = 0
    assert_plain(results, "nturgb+d")
    actual = AlignView("nturgb+d")(dict(results))["keypoint"]
    for t in (5, 9):
        np.testing.assert_allclose(
            np.linalg.norm(actual[1, t], axis=-1),
            np.linalg.norm(results["keypoint"][1, t], axis=-1),
            rtol=1e-5,
        )
    assert not actual[0, 9].any()
    assert not actual[0, 5, 1].any()


def test_nothing_moves_without_the_first_person():
    results = sample(complete, persons=3)
    results["keypoint"][0] = results["keypoint"][1, 12:] = 0
    actual = AlignView("nturgb+d")(dict(results))["keypoint"]
    assert not actual[0].any()
    np.testing.assert_array_equal(actual[2], results["keypoint"][2])
    np.testing.assert_array_equal(actual[1, :12], results["keypoint"][1, :12])
    np.testing.assert_array_equal(actual[1, 12:], results["keypoint"][1, :8])
    chosen = SelectPersons(2, by="length")(dict(results))
    assert not AlignView("nturgb+d")(chosen)["keypoint"][0, :, 1].any()


def upright(keypoint):
    keypoint[0, :, [0, 1]] = np.array([[0, 0, 1], [0, 0, 2]])[:, None]
    keypoint[0, :, [4, 8]] = np.array([[-1, 0, 2], [1, 0, 2]])[:, None]


def upside_down(keypoint):
    upright(keypoint)
    keypoint[0, :, 0] = [0, 0, 3]


def without_length(keypoint):
    keypoint[0, :, [0, 1, 4, 8]] = np.array([1.0, 2, 3])


@pytest.mark.parametrize("case", [upright, upside_down, without_length])
def test_aligned_or_degenerate_poses_are_not_rotated(case):
    results = sample(case)
    actual = AlignView("nturgb+d")(dict(results))["keypoint"]
    moved = results["keypoint"] - results["keypoint"][0, :, 1][:, None]
    np.testing.assert_allclose(actual, moved, atol=1e-6)


@pytest.mark.parametrize(("frames", "length"), [(1, None), (1, 300), (20, 300)])
@pytest.mark.parametrize("persons", [1, 2, 5])
def test_short_and_empty_samples(persons, frames, length):
    results = sample(complete, persons, frames=frames)
    assert_plain(results, "nturgb+d", length)
    results["keypoint"][:] = 0
    actual = AlignView("nturgb+d", length=length)(dict(results))
    assert actual["keypoint"].shape == (persons, length or frames, 25, 3)
    assert not actual["keypoint"].any()


def test_absent_joints_stay_absent():
    results = sample(absent_joints)
    actual = AlignView("nturgb+d")(dict(results))["keypoint"]
    absent = ~results["keypoint"].any(-1)
    assert absent.any()
    assert not actual[absent].any()


def test_input_is_not_modified():
    results = sample(early_end)
    before = results["keypoint"].copy()
    AlignView("nturgb+d")(dict(results))
    np.testing.assert_array_equal(results["keypoint"], before)


def test_invalid_arguments_and_samples():
    for missing, axes in (("zaxis", {"center": 1}), ("center", {"xaxis": (4, 8)})):
        with raises("option", ConfigError, field=missing):
            TRANSFORMS.build(dict(type="AlignView", **axes))
    with raises("layout", ConfigError):
        AlignView("ntu")
    chain = {"num_node": 3, "inward": [(0, 1), (2, 1)], "center": 1}
    with raises("layout", ConfigError, field="layout"):
        AlignView(chain)
    for transform in (AlignView("coco"), AlignSkeleton3D(layout="coco")):
        with raises("layout", DataError, field="keypoint", sample=None):
            transform(sample(complete))
    with raises("shape", DataError, field="keypoint", sample=None):
        AlignView("nturgb+d", length=19)(sample(complete))
    for transform, kind in (
        (AlignView("coco"), "layout"),
        (AlignView("nturgb+d", length=19), "shape"),
    ):
        with raises(kind, sample="walk_01"):
            transform(dict(sample(complete), frame_dir="walk_01"))
    with raises("total-frames", field="total_frames"):
        AlignView("nturgb+d")(dict(sample(complete), total_frames=21))


@pytest.mark.parametrize(
    ("name", "layout"),
    [("nw_ucla", "kinect20"), ("msr_action3d", "kinect20"), ("sbu", "sbu15")],
)
def test_real_samples(shared, name, layout):
    annotations = load_annotations(shared / "data" / f"{name}.pkl")["annotations"]
    for number, entry in enumerate(annotations[::97]):
        assert_plain(entry, layout, (None, 300)[number % 2])


def read_ntu(path):
    """Read a .skeleton file of NTU RGB+D; the position in a frame is the person."""
    words = iter(path.read_text(encoding="utf-8").split())
    keypoint = np.zeros((4, int(next(words)), 25, 3), np.float32)
    for t in range(keypoint.shape[1]):
        for person in range(int(next(words))):
            body = [next(words) for _ in range(11)]
            joints = [[next(words) for _ in range(12)] for _ in range(int(body[10]))]
            keypoint[person, t] = np.array(joints)[:, :3].astype(np.float32)
    return {"keypoint": keypoint, "total_frames": keypoint.shape[1]}


def test_raw_ntu_files(shared):
    """Read four persons per file, and select the two with the most energy."""
    paths = sorted((shared / "data" / "ntu_raw").glob("*.skeleton"))
    assert len(paths) == 12
    for path in paths:
        results = read_ntu(path)
        results["keypoint"][0, :5] = 0  # no person is ever absent in these files
        results["keypoint"][1:2, 30:35] = 0
        energy = []
        for person in results["keypoint"].astype(np.float64):
            x, y, z = np.moveaxis(person[person.any((1, 2))], -1, 0)
            energy.append(x.std() + y.std() + z.std() if x.size else 0)
        best = [m for m in np.argsort(energy)[::-1][:2] if energy[m] > 0]
        chosen = SelectPersons(2, by="energy")(dict(results))
        np.testing.assert_array_equal(chosen["keypoint"], results["keypoint"][best])
        assert_plain(chosen, "nturgb+d", 300)


def test_align_skeleton_with_layout():
    for layout, joints in (("kinect20", 20), ("nturgb+d", 25)):
        for case in (complete, absent_joints, late_start):
            results = sample(case, joints=joints)
            expected = AlignSkeleton3D(center=1)(dict(results))
            actual = AlignSkeleton3D(layout=layout)(dict(results))
            np.testing.assert_array_equal(actual["keypoint"], expected["keypoint"])


def test_align_skeleton_with_means():
    """COCO has no pelvis and no neck, so the means of hips and of shoulders are used."""
    results = sample(complete, joints=17)
    actual = AlignSkeleton3D(layout="coco", align_shoulder=False)(dict(results))
    first = actual["keypoint"][0, 0]
    np.testing.assert_allclose(first[[5, 6]].mean(0), 0, atol=1e-6)
    spine = -first[[11, 12]].mean(0)
    np.testing.assert_allclose(spine[:2], 0, atol=1e-6)
    assert spine[2] > 0
    actual = AlignSkeleton3D(layout="coco")(dict(results))["keypoint"][0, 0]
    across = actual[6] - actual[5]
    np.testing.assert_allclose(across[1:], 0, atol=1e-6)
    assert across[0] > 0
    with_layout = AlignSkeleton3D(center=0, layout="coco", zaxis=[11, 5], xaxis=[6, 5])
    without_layout = AlignSkeleton3D(center=0, zaxis=[11, 5], xaxis=[6, 5])
    np.testing.assert_array_equal(
        with_layout(dict(results))["keypoint"],
        without_layout(dict(results))["keypoint"],
    )
