"""Tests of the figures of skeleton layouts, and of `msg3d draw`."""

import pickle

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from in_process import msg3d_command
from msg3d.annotations.files import save_annotations
from msg3d.datasets import pack
from msg3d.skeletons import SKELETONS, skeleton
from msg3d.visualization import layouts


def run(*arguments):
    return msg3d_command("draw", *arguments)


@pytest.mark.parametrize("name", SKELETONS)
def test_reference_pose_is_plausible(name):
    """Sides are mirrored, joints do not overlap, edges are short, heads are on top."""
    layout = skeleton(name)
    pose = layouts.reference_pose(layout)
    for left, right in layout.pairs:
        assert pose[left, 0] > 0.5
        np.testing.assert_array_equal(pose[right], pose[left] * [-1, 1])
    distances = np.linalg.norm(pose[:, None] - pose[None], axis=-1)
    assert (distances + 9 * np.eye(len(pose))).min() > 0.3
    lengths = [distances[edge] for edge in layout.inward]
    longest = {"hand21": 4.5, "nvidia34": 4.5, "hands42": 6.5, "coco-wholebody133": 7.5}
    assert max(lengths) < longest.get(name, 3.5)
    if "hand" not in name:
        bottom, top = (pose[list(end)].mean(0) for end in layout.spine)
        assert top[1] > bottom[1]
        heights = dict(zip(layout.joints, pose[:, 1], strict=True))
        feet = [heights[joint] for joint in FEET if joint in heights]
        heads = [heights[joint] for joint in HEADS if joint in heights]
        assert max(feet) < bottom[1] < top[1] < min(heads)


FEET = ("left_ankle", "left_foot", "left_heel")
HEADS = ("nose", "head", "left_eye", "right_ear")


@pytest.mark.parametrize("name", SKELETONS)
def test_figure_contains_every_joint_and_edge(name):
    layout = skeleton(name)
    pose = layouts.reference_pose(layout)
    ax = Figure().subplots()
    layouts._draw(ax, layout, pose[None], name)
    edges = {tuple(map(tuple, line.get_xydata())) for line in ax.lines}
    assert edges == {(tuple(pose[a]), tuple(pose[b])) for a, b in layout.inward}
    texts = {(text.get_text(), text.get_color()) for text in ax.texts}
    for number, joint in enumerate(layout.joints):
        side = joint.split("_")[0]
        color = {"left": "tab:blue", "right": "tab:orange"}.get(side, "0.3")
        assert {(str(number), color), (f"{number} {joint}", color)} <= texts
    ring = ax.collections[1].get_offsets()
    np.testing.assert_array_equal(ring, pose[[layout.center]])


@pytest.mark.parametrize("names", [["coco"], ["--all"]])
def test_draw_writes_an_image(monkeypatch, tmp_path, names):
    assert run(*names, "--output", tmp_path / "a.png") == 0
    picture = matplotlib.image.imread(tmp_path / "a.png")
    assert picture.shape[0] > 300
    assert picture.min() < 0.5
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


@pytest.fixture
def file(tmp_path):
    """Two persons; in frame 1, joint 3 of the first and the entire second are absent."""
    rng = np.random.default_rng(0)
    keypoint = rng.uniform(1, 2, (2, 3, 13, 2)).astype(np.float32)
    keypoint[0, 1, 3] = keypoint[1, 1] = 0
    samples = [
        {
            "frame_dir": name,
            "label": 0,
            "total_frames": 3,
            "keypoint": keypoint + number,
        }
        for number, name in enumerate(("first", "second"))
    ]
    samples[0]["keypoint"] = keypoint
    path = tmp_path / "data.pkl"
    save_annotations({"split": {"a": ["first"]}, "annotations": samples}, path)
    return path


def test_draw_shows_a_frame_of_a_file(monkeypatch, tmp_path, file):
    calls = []
    draw = layouts._draw
    monkeypatch.setattr(
        layouts, "_draw", lambda *args: (calls.append(args), draw(*args))
    )
    out = tmp_path / "a.svg"
    command = ("penn13", "--output", out, "--file", file, "--frame", 1, "--overwrite")
    assert run(*command) == 0
    assert out.stat().st_size > 1000
    _, layout, pose, title = calls[0]
    assert layout is skeleton("penn13")
    assert title == "penn13 (13 joints)\nfirst, frame 1"
    assert np.isnan(pose[0, 3]).all()
    assert np.isnan(pose[1]).all()
    assert (pose[0, [0, 4], 1] < 0).all()  # y points down in images

    assert run(*command, "--sample", "second") == 0
    np.testing.assert_allclose(calls[1][2][1], [[1, -1]] * 13)


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["coco", "--file", "FILE"], "13|17|'coco'|penn13"),
        (["coco", "--file", "BROKEN"], "broken.pkl|'only'"),
        (["penn13", "--file", "FILE", "--sample", "x"], "'x'|'first'"),
        (["penn13", "--file", "FILE", "--frame", "3"], "'first'|0 to 2|--frame"),
        (["penn13", "--file", "GAP", "--frame", "0"], "'gap'|frame 0|2"),
        (["penn13", "--file", "GAP", "--sample", "never"], "gap.pkl|'never'"),
        (["coco", "--output", "a.bmp"], "a.bmp|.png"),
        (["coco", "--output", "no/a.png"], "no/a.png"),
    ],
)
def test_errors_are_one_line(monkeypatch, tmp_path, capsys, file, arguments, values):
    monkeypatch.chdir(tmp_path)
    broken = {
        "frame_dir": "only",
        "label": 0,
        "total_frames": 3,
        "keypoint": np.ones((3, 2)),
    }
    (tmp_path / "broken.pkl").write_bytes(pickle.dumps([broken]))
    gap = np.ones((2, 1, 4, 13, 3), dtype=np.float32)
    gap[0, :, :2] = gap[1] = 0
    samples = [
        {"frame_dir": name, "label": 0, "total_frames": 4, "keypoint": keypoint}
        for name, keypoint in zip(("gap", "never"), gap, strict=True)
    ]
    (tmp_path / "gap.pkl").write_bytes(pickle.dumps(samples))
    paths = {"FILE": str(file), "BROKEN": "broken.pkl", "GAP": "gap.pkl"}
    arguments = [paths.get(argument, argument) for argument in arguments]
    assert run("--output", "a.png", *arguments) == 1
    errors = capsys.readouterr().err
    assert all(value in errors for value in values.split("|"))
    assert errors.count("\n") == 1
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["broken.pkl", "data.pkl", "gap.pkl"]


def standing(y_up, units=None, empty=2):
    """A standing person in NTU's layout who is absent in the first frames."""
    layout = skeleton("nturgb+d")
    pose = np.concatenate([layouts.reference_pose(layout), np.ones((25, 1))], axis=1)
    keypoint = np.repeat(pose[None, None] * (1, 1 if y_up else -1, 1), 5, axis=1)
    keypoint[:, :empty] = 0
    name = "a_sample_with_a_name_that_is_very_long_indeed_" * 2
    sample = {"frame_dir": name, "label": 0, "total_frames": 5}
    sample["keypoint"] = keypoint.astype(np.float32)
    meta = {} if units is None else {"meta": {"units": units}}
    return dict(split={"a": [name]}, annotations=[sample], **meta)


@pytest.mark.parametrize(
    ("y_up", "units", "options", "upright"),
    [
        (True, "meters", [], True),
        (False, None, [], False),
        (False, None, ["--y-down"], True),
        (False, "meters, y down", [], True),
        (False, "meters, y down", ["--no-y-down"], False),
    ],
)
def test_draw_shows_the_first_frame_with_a_person(
    monkeypatch, tmp_path, capsys, y_up, units, options, upright
):
    """Works for files and stores, and warns if the person is upside down."""
    data, layout, calls = standing(y_up, units), skeleton("nturgb+d"), []
    save_annotations(data, tmp_path / "a.pkl")
    pack(data, tmp_path / "a.packed")
    monkeypatch.setattr(layouts, "_draw", lambda *args: calls.append(args))
    output = ["--output", tmp_path / "a.png", "--overwrite"]
    for name in ("a.pkl", "a.packed"):
        command = ["nturgb+d", "--file", tmp_path / name, *output, *options]
        assert run(*command) == 0
        printed = capsys.readouterr()
        assert f"wrote {tmp_path / 'a.png'}" in printed.out
        assert bool(printed.err) is not upright
        _, _, pose, title = calls.pop()
        assert " ".join(title.split()).endswith("frame 2")
        head, foot = map(layout.joints.index, ("head", "left_foot"))
        assert (pose[0, head, 1] > pose[0, foot, 1]) == upright


def test_title_fits_into_the_figure(tmp_path):
    save_annotations(standing(True), tmp_path / "a.pkl")
    pose = layouts.pose_of_file(str(tmp_path / "a.pkl"), skeleton("nturgb+d"))
    figure = layouts.layouts_figure(["nturgb+d"], [pose])
    title = figure.axes[0].title
    assert title.get_text().startswith("nturgb+d (25 joints)\na_sample")
    box = title.get_window_extent()
    assert figure.bbox.x0 <= box.x0
    assert box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.bbox.y1


def test_unknown_layout_is_a_usage_error(capsys):
    assert run("cocoo", "--output", "a.png") == 2
    assert "'cocoo'" in capsys.readouterr().err


def test_layout_with_unknown_joint_names():
    """Joints do not overlap."""
    edges = [(0, 1), (2, 1), (3, 1), (4, 3), (5, 3)]
    layout = skeleton({"num_node": 6, "inward": edges, "center": 1})
    pose = layouts.reference_pose(layout)
    distances = np.linalg.norm(pose[:, None] - pose[None], axis=-1)
    assert (distances + 9 * np.eye(6)).min() > 0.3
