"""Penn Action converter: official label files and invalid fields."""

import io

import numpy as np
import pytest
from scipy.io import savemat

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.files import load_annotations
from msg3d.converters import convert_penn_action
from msg3d.converters.penn_action import parse_video


def fields(frames=4, seed=0, **changes):
    """Return the fields of a label file. A value of None removes the field."""
    rng = np.random.default_rng(seed)
    shape = (frames, 13)
    values = {
        "action": "bowl",
        "pose": "left",
        "x": rng.uniform(0, 480, shape),
        "y": rng.uniform(0, 270, shape),
        "visibility": rng.integers(0, 2, shape).astype(float),
        "train": 1.0,
        "bbox": np.zeros((frames, 4)),
        "dimensions": np.array([[270.0, 480.0, frames]]),
        "nframes": float(frames),
    }
    values.update(changes)
    return {name: value for name, value in values.items() if value is not None}


def mat(values, **options):
    file = io.BytesIO()
    savemat(file, values, **options)
    return file.getvalue()


@pytest.mark.parametrize("do_compression", [False, True])
def test_sample(do_compression):
    values = fields()
    content = mat(values, do_compression=do_compression)
    (sample,) = parse_video("Penn_Action/labels/0042.mat", content)
    assert (sample["frame_dir"], sample["label"]) == ("0042", 3)
    assert (sample["view"], sample["side"]) == ("left", "train")
    assert sample["img_shape"] == sample["original_shape"] == (270, 480)
    assert sample["total_frames"] == 4
    assert "notes" not in sample
    keypoint = np.stack([values["x"], values["y"]], axis=-1).astype(np.float32)
    np.testing.assert_array_equal(sample["keypoint"], keypoint[None])
    np.testing.assert_array_equal(sample["keypoint_score"], values["visibility"][None])
    assert sample["keypoint_score"].dtype == np.float32


def test_different_number_of_frames_is_noted():
    content = mat(fields(dimensions=np.array([[270, 480, 6]])))
    (sample,) = parse_video("0001.mat", content)
    assert sample["total_frames"] == 4
    assert list(sample["notes"].values()) == [2]


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"action": "bowling"}, "label", "action"),
        ({"action": 3.0}, "label", "action"),
        ({"pose": "above"}, "label", "pose"),
        ({"x": None}, "structure", "x"),
        ({"x": np.zeros((4, 12))}, "shape", "x"),
        ({"y": np.zeros((3, 13))}, "shape", "x"),
        ({"y": np.zeros((0, 13))}, "shape", "y"),
        ({"x": np.full((4, 13), np.nan)}, "not-finite", "x"),
        ({"x": "text"}, "dtype", "x"),
        ({"x": np.full((4, 13), 1e300)}, "not-finite", None),
        ({"visibility": np.full((4, 13), 0.5)}, "score", "visibility"),
        ({"train": 0.0}, "split", "train"),
        ({"train": np.ones(2)}, "number", "train"),
        ({"dimensions": np.array([[0, 480, 4]])}, "img-shape", "dimensions"),
        ({"dimensions": np.array([[1.5, 480, 4]])}, "number", "dimensions"),
    ],
)
def test_invalid_fields(changes, kind, field):
    with raises(kind, field=field):
        parse_video("0001.mat", mat(fields(**changes)))


def test_invalid_files():
    with raises("file-name"):
        parse_video("labels/first.mat", mat(fields()))
    for content in (b"", b"MATLAB 7.3 MAT-file", b"x" * 999):
        with raises("wrong-file-type"):
            parse_video("0001.mat", content)


def test_command(tmp_path, capsys):
    raw, out = tmp_path / "Penn_Action", tmp_path / "a.pkl"
    (raw / "labels").mkdir(parents=True)
    for number in range(1, 7):
        values = fields(seed=number, train=1.0 if number % 3 else -1.0)
        (raw / "labels" / f"{number:04d}.mat").write_bytes(mat(values))
    command = ("prepare", "penn-action", raw, out, "--num-workers", 1)
    assert msg3d_command(*command) == 0
    assert "units          px" in capsys.readouterr().out
    data = load_annotations(out)
    assert data["split"] == {
        "train": ["0001", "0002", "0004", "0005"],
        "val": ["0003", "0006"],
    }
    assert data["meta"]["view"]["0001"] == "left"
    assert not {"view", "side"} & set(data["annotations"][0])

    (raw / "labels" / "0007.mat").write_bytes(mat(fields(train=5.0)))
    assert msg3d_command(*command, "--overwrite") == 1
    assert "rejected       labels/0007.mat" in capsys.readouterr().out
    assert msg3d_command(*command, "--overwrite", "--skip-invalid") == 0


def test_published_annotations(shared, tmp_path):
    """Convert label files written from the published annotations; compare bit for bit."""
    reference = load_annotations(shared / "data" / "penn_action.pkl")
    samples = reference["annotations"][::8]
    classes, views = reference["meta"]["classes"], reference["meta"]["view"]
    train = set(reference["split"]["train"])
    raw = tmp_path / "labels"
    raw.mkdir()
    for sample in samples:
        name, frames = sample["frame_dir"], sample["total_frames"]
        x, y = sample["keypoint"][0].astype(np.float64).transpose(2, 0, 1)
        values = fields(
            frames,
            action=classes[sample["label"]],
            pose=views[name],
            **{"x": x, "y": y, "visibility": sample["keypoint_score"][0].astype(float)},
            train=1.0 if name in train else -1.0,
            dimensions=np.array([[*sample["img_shape"], frames]], float),
        )
        (raw / f"{name}.mat").write_bytes(mat(values))
    assert convert_penn_action(raw, tmp_path / "a.pkl", jobs=1)["written"]
    data = load_annotations(tmp_path / "a.pkl")
    names = [sample["frame_dir"] for sample in samples]
    expected_views = {name: views[name] for name in names}
    assert data["meta"] == {**reference["meta"], "view": expected_views}
    for side, ids in data["split"].items():
        assert ids == [name for name in reference["split"][side] if name in names]
    for sample, expected in zip(data["annotations"], samples, strict=True):
        assert sample.keys() == expected.keys()
        for field in expected:
            np.testing.assert_array_equal(sample[field], expected[field])
            assert type(sample[field]) is type(expected[field])
