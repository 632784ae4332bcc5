"""Prediction of files in all formats and videos, resuming, and tables."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import raises
from msg3d import Recognizer
from msg3d.apis.input_files import (
    list_inputs,
    list_sources,
    read_sequences,
    source_names,
)
from msg3d.apis.predict_files import predict_files
from msg3d.apis.tasks import Labels, Segments
from msg3d.datasets import save_annotations
from msg3d.errors import DataError
from msg3d.formats.base import ReadOptions
from msg3d.formats.video import read_video
from msg3d.skeletons import convert_layout
from msg3d.video import rtmlib_pose
from samples import annotations
from tiny_models import NTU_2D, NTU_3D, trained

SIZE = (480, 640)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("predict")


@pytest.fixture(scope="module")
def files_2d(folder):
    """(config, checkpoint) of a network for 2D joints of COCO."""
    return trained(folder / "2d", NTU_2D, ["wave", "sit", "jump", "fall"])


@pytest.fixture(scope="module")
def recognizer(files_2d):
    return Recognizer(*files_2d, device="cpu")


@pytest.fixture(scope="module")
def recognizer_3d(folder):
    return Recognizer(*trained(folder / "3d", NTU_3D), device="cpu")


def persons(count=2, frames=8, joints=17, seed=0):
    """Return pixels [M, T, V, 2] of persons at distances of 150 with small movements."""
    rng = np.random.default_rng(seed)
    pose = rng.uniform(-40, 40, (count, 1, joints, 2))
    centers = np.stack([100 + 150 * np.arange(count), np.full(count, 240)], -1)
    steps = rng.normal(0, 1, (count, frames, joints, 2)).cumsum(1)
    return (pose + centers[:, None, None] + steps).astype(np.float32)


def check_scores(recognizer, path, sample, read_options=None, **options):
    """Check that a file and a sample have equal scores; return the file's sequence."""
    (sequence,) = read_sequences(
        str(path), recognizer.expected, read_options or ReadOptions()
    )
    actual = recognizer.predict(sequence).scores
    expected = recognizer.predict(sample, **options).scores
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    return sequence


def test_npy_and_json_in_3d(recognizer_3d, tmp_path):
    keypoint = np.random.default_rng(0).normal(size=(1, 9, 25, 3)).astype(np.float32)
    keypoint[0, 3, 7] = np.nan
    filled = np.nan_to_num(keypoint)
    np.save(tmp_path / "a.npy", keypoint)
    check_scores(recognizer_3d, tmp_path / "a.npy", filled)
    np.save(tmp_path / "b.npy", keypoint[0] * 1000)
    check_scores(recognizer_3d, tmp_path / "b.npy", filled, ReadOptions(unit="mm"))
    missing = np.where(np.isnan(keypoint), None, keypoint.astype(object)).tolist()
    (tmp_path / "c.json").write_text(json.dumps(missing), encoding="utf-8")
    check_scores(recognizer_3d, tmp_path / "c.json", filled)
    (tmp_path / "d.json").write_text(
        json.dumps({"keypoint": filled.tolist()}), encoding="utf-8"
    )
    check_scores(recognizer_3d, tmp_path / "d.json", filled)


def test_plausible_default_unit(recognizer_3d, tmp_path):
    meters = np.random.default_rng(0).uniform(0.1, 1.8, (1, 9, 25, 3))
    path, text = tmp_path / "a.npy", tmp_path / "a.json"
    np.save(path, meters * 1000)
    text.write_text(json.dumps((meters * 1000).tolist()), encoding="utf-8")
    for file in (path, text):
        with raises("unit", DataError, file=file.name) as caught:
            read_sequences(str(file), recognizer_3d.expected)
        assert "--unit mm" in caught.value.message
        for unit in ("mm", "unscaled"):
            read_sequences(str(file), recognizer_3d.expected, ReadOptions(unit=unit))
    text.write_text(
        json.dumps({"keypoint": (meters * 1000).tolist(), "unit": "mm"}),
        encoding="utf-8",
    )
    check_scores(recognizer_3d, text, meters)
    np.save(path, meters)
    check_scores(recognizer_3d, path, meters)


def test_json_with_scores_and_image_size(recognizer, tmp_path):
    keypoint, path = persons(), tmp_path / "a.json"
    score = np.random.default_rng(0).uniform(size=keypoint.shape[:3])
    sample = {"keypoint": keypoint, "keypoint_score": score, "img_shape": SIZE}
    content = {key: np.asarray(value).tolist() for key, value in sample.items()}
    path.write_text(json.dumps(content), encoding="utf-8")
    check_scores(recognizer, path, sample)
    with_score = np.concatenate([keypoint, score[..., None]], -1).tolist()
    path.write_text(json.dumps(with_score), encoding="utf-8")
    check_scores(recognizer, path, sample, ReadOptions(img_shape=SIZE))


def mmpose(keypoint, score, swapped=()):
    """Return the JSON of MMPose, with persons in reverse order in frames `swapped`."""
    frames = []
    for number in range(keypoint.shape[1]):
        order = range(len(keypoint))
        instances = [
            {
                "keypoints": keypoint[person, number].tolist(),
                "keypoint_scores": score[person, number].tolist(),
            }
            for person in (reversed(order) if number in swapped else order)
        ]
        frames.append({"frame_id": number, "instances": instances})
    return frames


def decreasing_scores(keypoint):
    """Return scores that keep the order of persons."""
    scores = np.linspace(0.9, 0.5, len(keypoint))[:, None, None]
    return np.broadcast_to(scores, keypoint.shape[:3]).astype(np.float32)


def test_mmpose_json(recognizer, tmp_path):
    """MMPose writes one file per video; persons change their order in some frames."""
    keypoint = persons()
    score, path = decreasing_scores(keypoint), tmp_path / "a.json"
    path.write_text(
        json.dumps(mmpose(keypoint, score, swapped=(2, 3, 5))), encoding="utf-8"
    )
    sample = {"keypoint": keypoint, "keypoint_score": score, "img_shape": SIZE}
    sequence = check_scores(recognizer, path, sample, ReadOptions(img_shape=SIZE))
    np.testing.assert_array_equal(sequence["keypoint"], keypoint)


def test_mediapipe_json(recognizer, recognizer_3d, tmp_path):
    points = np.random.default_rng(0).uniform(0.2, 0.8, (8, 33, 2)).astype(np.float32)
    landmarks = [
        [{"x": float(x), "y": float(y), "z": 0.0, "visibility": 1.0} for x, y in frame]
        for frame in points
    ]
    (tmp_path / "a.json").write_text(json.dumps(landmarks), encoding="utf-8")
    coco = convert_layout(points[None], "mediapipe33", "coco")
    sequence = check_scores(recognizer, tmp_path / "a.json", coco, unit="normalized")
    assert sequence["layout"] == "mediapipe33"
    with raises("unit", file="a.json"):
        read_sequences(str(tmp_path / "a.json"), recognizer_3d.expected)


def openpose(folder, keypoint, score, joints=25):
    folder.mkdir()
    for number in range(keypoint.shape[1]):
        people = [
            {
                "person_id": [-1],
                "pose_keypoints_2d": np.concatenate(
                    [keypoint[person, number], score[person, number, :, None]], -1
                )
                .ravel()
                .tolist(),
            }
            for person in range(len(keypoint))
        ]
        name = f"clip_{number + 7:012d}_keypoints.json"
        (folder / name).write_text(
            json.dumps({"version": 1.3, "people": people}), encoding="utf-8"
        )


@pytest.mark.parametrize(("joints", "layout"), [(25, "openpose25"), (18, "openpose")])
def test_openpose_frames(recognizer, tmp_path, joints, layout):
    keypoint = persons(joints=joints)
    score = decreasing_scores(keypoint)
    openpose(tmp_path / "clip", keypoint, score)
    sources = list_sources(str(tmp_path), exclude=str(tmp_path / "out"))
    assert sources == [str(tmp_path / "clip")]
    sample = {
        "keypoint": keypoint,
        "keypoint_score": score,
        "img_shape": SIZE,
        "layout": layout,
    }
    check_scores(recognizer, sources[0], sample, ReadOptions(img_shape=SIZE))
    with raises("structure", file="keypoints.json"):
        file = next((tmp_path / "clip").iterdir())
        read_sequences(str(file), recognizer.expected, ReadOptions(img_shape=SIZE))


def test_openpose_frames_with_unknown_joints(recognizer, tmp_path):
    openpose(
        tmp_path / "clip", persons(joints=10), decreasing_scores(persons(joints=10))
    )
    sources = list_sources(str(tmp_path), exclude="")
    assert sources == [str(tmp_path / "clip")]
    with raises("layout", file="keypoints.json"):
        read_sequences(sources[0], recognizer.expected)


def test_mmpose_frames(recognizer, tmp_path):
    keypoint = persons()
    score = decreasing_scores(keypoint)
    (tmp_path / "clip").mkdir()
    for number, frame in enumerate(mmpose(keypoint, score)):
        file = tmp_path / "clip" / f"{number}.json"
        file.write_text(json.dumps(frame["instances"]), encoding="utf-8")
    sources = list_sources(str(tmp_path), exclude="")
    assert sources == [str(tmp_path / "clip")]
    sample = {"keypoint": keypoint, "keypoint_score": score, "img_shape": SIZE}
    check_scores(recognizer, sources[0], sample, ReadOptions(img_shape=SIZE))


def test_kinetics_clip(recognizer, shared):
    clips = [
        path
        for path in (shared / "data" / "kinetics_raw").rglob("*.json")
        if not path.name.endswith("_label.json")
    ]
    assert clips
    (sequence,) = read_sequences(str(clips[0]), recognizer.expected, ReadOptions())
    prediction = recognizer.predict(sequence)
    assert sequence["layout"] == "openpose"
    assert sequence["img_shape"] == (1, 1)
    assert prediction.frames[1] == sequence["keypoint"].shape[1] > 1


def test_annotation_file_with_split_and_layout(recognizer, tmp_path):
    data = annotations(joints=18, channels=2, samples=6)
    data["meta"] = {"layout": "openpose"}
    save_annotations(data, tmp_path / "a.pkl")
    options = ReadOptions(split="val")
    sequences = read_sequences(str(tmp_path / "a.pkl"), recognizer.expected, options)
    ids = [sequence["frame_dir"] for sequence in sequences]
    assert ids == data["split"]["val"]
    assert {sequence["layout"] for sequence in sequences} == {"openpose"}
    with raises("split", file="a.pkl"):
        options = ReadOptions(split="test")
        read_sequences(str(tmp_path / "a.pkl"), recognizer.expected, options)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.npy", b"\x93NUMPY", "corrupt"),
        ("a.json", b"{", "syntax"),
        ("a.json", b"[[[[1, 2], [3]]]]", "shape"),
        ("a.json", b"[[[[1, 2], [3, 4]]]]", "shape"),
        ("a.json", b'{"keypoint": [[[[1]]]], "layout": "cocos"}', "layout"),
        ("a.json", b'{"keypoint": [[[[1]]]], "unit": "furlong"}', "unit"),
        ("a.json", b'{"x": 1}', "unknown-format"),
        ("a.pkl", b"junk", "corrupt"),
        ("a.mp4", b"junk", "option"),
        ("a.txt", b"junk", "unknown-format"),
        ("a.xyz", b"junk", "unknown-format"),
    ],
)
def test_invalid_files(recognizer, tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    with raises(kind, DataError, file=name) as caught:
        read_sequences(str(tmp_path / name), recognizer.expected)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


class FakePose:
    """Pose estimator that returns predefined keypoints, in the format of rtmlib.

    In odd frames, the order of persons is reversed, as in estimators without tracking.
    """

    def __init__(self, keypoint, joints=17):
        self.keypoint, self.joints, self.frame = keypoint, joints, 0

    def __call__(self, image):
        assert image.shape == (*SIZE, 3)
        assert image.dtype == np.uint8
        keypoint = self.keypoint[:, self.frame]
        keypoint = keypoint[::-1] if self.frame % 2 else keypoint
        keypoint = keypoint[keypoint.any((-2, -1))]
        extra = np.zeros((len(keypoint), self.joints - keypoint.shape[1], 2))
        self.frame += 1
        scores = np.full((len(keypoint), self.joints), 0.9)
        return np.concatenate([keypoint, extra], 1), scores


def video(path, frames=8):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, SIZE[::-1])
    for number in range(frames):
        writer.write(np.full((*SIZE, 3), 20 * number, np.uint8))
    writer.release()


@pytest.mark.parametrize("joints", [17, 133])
def test_video_tracks_persons(recognizer, tmp_path, joints):
    """Two persons, the second only in frames 2 to 5; frame 7 is empty."""
    keypoint = persons()
    keypoint[1, :2] = keypoint[1, 6:] = keypoint[:, 7] = 0
    video(tmp_path / "a.avi")
    sequence = read_video(str(tmp_path / "a.avi"), FakePose(keypoint, joints), 5)
    np.testing.assert_array_equal(sequence["keypoint"], keypoint)
    assert (sequence["img_shape"], sequence["layout"]) == (SIZE, "coco")
    sample = {
        "keypoint": keypoint,
        "keypoint_score": keypoint.any(-1) * np.float32(0.9),
        "img_shape": SIZE,
    }
    options = ReadOptions(pose=FakePose(keypoint, joints))
    check_scores(recognizer, tmp_path / "a.avi", sample, options)


def test_invalid_videos(recognizer, tmp_path):
    video(tmp_path / "a.avi")
    options = ReadOptions(pose=FakePose(np.zeros((1, 8, 17, 2))))
    with raises("no-person", DataError, file="a.avi"):
        read_sequences(str(tmp_path / "a.avi"), recognizer.expected, options)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    with raises("corrupt", file="b.mp4"):
        read_sequences(str(tmp_path / "b.mp4"), recognizer.expected, options)
    wrong = ReadOptions(pose=lambda image: (np.zeros((1, 17, 3)), np.zeros((1, 17))))
    with raises("shape", file="a.avi"):
        read_sequences(str(tmp_path / "a.avi"), recognizer.expected, wrong)


def test_pose_models_are_not_downloaded():
    with pytest.raises(FileNotFoundError):
        rtmlib_pose("https://download.openmmlab.com/mmpose/rtmo.zip")


def rows(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def files(tmp_path):
    """A folder with two arrays and an invalid file."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for seed, name in enumerate(("a.npy", "deep/b.npy")):
        np.save(folder / name, persons(3, seed=seed))
    (folder / "bad.npy").write_bytes(b"junk")
    return folder


def predict(recognizer, folder, out, settings="same", seen=None, **options):
    def read(path):
        if seen is not None:
            seen.append(Path(path).name)
        return read_sequences(path, recognizer.expected, ReadOptions(img_shape=SIZE))

    sources = list_sources(str(folder), exclude=str(out))
    labels = Labels(recognizer, **options)
    return predict_files(labels, sources, str(folder), str(out), read, settings)


def test_json_and_table(recognizer, files):
    out = files / "out"  # inside the input folder, but must not be read
    report = predict(recognizer, files, out, persons=True, pairs=2, top=2)
    assert report.predicted == ["a.npy", "deep/b.npy"]
    (failed,) = report.failed
    assert failed[0] == "bad.npy"
    assert "bad.npy" in failed[1]
    expected = recognizer.predict(
        persons(3, seed=1), img_shape=SIZE, persons=True, pairs=2
    )
    (sample,) = json.loads((out / "deep/b.npy.json").read_text(encoding="utf-8"))[
        "samples"
    ]
    assert sample["name"] == expected.name
    assert len(sample["top"]) == 2
    assert sample["score"] == pytest.approx(expected.score, abs=1e-6)
    assert len(sample["persons"]) == 3
    assert len(sample["pairs"]) == 2
    table = rows(out / "predictions.csv")
    assert [row["of"] for row in table[6:]] == [
        "all",
        *("person 0", "person 1", "person 2"),
        *("pair {}-{}".format(*pair.rows) for pair in expected.pairs),
    ]
    assert {row["source"] for row in table[6:]} == {"deep/b.npy"}
    assert table[6]["last_frame"] == "7"
    assert float(table[6]["score"]) == pytest.approx(expected.score, abs=1e-5)


def test_names_are_relative_to_the_common_folder(files):
    inputs = [str(files / "deep"), str(files / "a.npy")]
    sources, root = list_inputs(inputs, exclude="")
    assert root == str(files)
    assert source_names(sources, root) == {
        "deep/b.npy": str(files / "deep" / "b.npy"),
        "a.npy": str(files / "a.npy"),
    }


def test_inputs_on_two_drives(files, monkeypatch):
    def commonpath(paths):  # as on Windows
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr("os.path.commonpath", commonpath)
    with raises("wrong-path"):
        list_inputs([str(files)], exclude="")


def test_results_are_reused(recognizer, files):
    out, seen = files.parent / "out", []
    predict(recognizer, files, out, seen=seen)
    assert seen == ["a.npy", "bad.npy", "b.npy"]
    before = (out / "predictions.csv").read_text(encoding="utf-8")

    seen.clear()
    report = predict(recognizer, files, out, seen=seen)
    assert seen == ["bad.npy"]
    assert report.reused == ["a.npy", "deep/b.npy"]
    assert (out / "predictions.csv").read_text(encoding="utf-8") == before

    seen.clear()  # a changed file, and a file without result
    np.save(files / "a.npy", persons(2, seed=5))
    (out / "deep" / "b.npy.json").unlink()
    predict(recognizer, files, out, seen=seen)
    assert seen == ["a.npy", "bad.npy", "b.npy"]
    assert (out / "predictions.csv").read_text(encoding="utf-8") != before

    seen.clear()  # other settings, another option
    predict(recognizer, files, out, settings="other", seen=seen)
    predict(recognizer, files, out, settings="other", seen=seen, persons=True)
    assert seen == 2 * ["a.npy", "bad.npy", "b.npy"]


@pytest.mark.parametrize("segmenting", [False, True])
def test_samples_are_prepared_once(recognizer, files, monkeypatch, segmenting):
    from msg3d.apis import recognizer as module

    prepared, original = [], module.to_sample

    def counting(sample, *args, **options):
        prepared.append(sample["frame_dir"])
        return original(sample, *args, **options)

    monkeypatch.setattr(module, "to_sample", counting)
    if segmenting:
        task = Segments(recognizer, window=4, stride=2)
    else:
        task = Labels(recognizer, persons=True, pairs=1)
    out = files.parent / f"out{segmenting}"
    report = predict_files(
        task,
        list_sources(str(files), exclude=str(out)),
        str(files),
        str(out),
        lambda path: read_sequences(
            path, recognizer.expected, ReadOptions(img_shape=SIZE)
        ),
        "same",
    )
    assert report.predicted == ["a.npy", "deep/b.npy"]
    assert prepared == ["a.npy", "b.npy"]


def test_prepared_sample_of_another_network(recognizer, recognizer_3d):
    sample = recognizer.prepare({"keypoint": persons(), "img_shape": SIZE})
    assert recognizer.prepare(sample) is sample
    with pytest.raises(DataError):
        recognizer_3d.prepare(sample)


def test_resume_after_an_interruption(recognizer, files, monkeypatch):
    out, seen = files.parent / "out", []
    monkeypatch.setattr(recognizer, "batch_size", 1)
    with monkeypatch.context() as patch:
        original, calls = recognizer._scores, []

        def scores(inputs):
            calls.append(inputs)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return original(inputs)

        patch.setattr(recognizer, "_scores", scores)
        with pytest.raises(KeyboardInterrupt):
            predict(recognizer, files, out)
    assert [path.name for path in out.rglob("*.*")] == ["a.npy.json"]
    predict(recognizer, files, out, seen=seen)
    assert seen == ["bad.npy", "b.npy"]
    assert len(rows(out / "predictions.csv")) == 2


def test_invalid_sample(recognizer, tmp_path):
    data = annotations(joints=17, channels=2, samples=6)
    data["annotations"][2]["keypoint"][:] = 0
    (tmp_path / "in").mkdir()
    save_annotations(data, tmp_path / "in" / "a.pkl")
    out = tmp_path / "out"
    for _ in range(2):  # reported again if the results are reused
        report = predict(recognizer, tmp_path / "in", out)
        ((name, reason),) = report.failed
        assert name == "a.pkl"
        assert "'sample002'" in reason
    assert len(rows(out / "predictions.csv")) == 5


def constant_model(path, size, outputs):
    """Write an ONNX file with constant outputs for images [1, 3, *size]."""
    onnx = pytest.importorskip("onnx")
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes, output_infos = (
        [make.make_node("ReduceSum", ["image"], ["sum"], keepdims=0)],
        [],
    )
    for name, array in outputs.items():
        for part, value in (("value", array), ("factor", np.zeros(1, np.float32))):
            tensor = onnx.numpy_helper.from_array(value)
            nodes.append(make.make_node("Constant", [], [name + part], value=tensor))
        nodes.append(make.make_node("Mul", ["sum", f"{name}factor"], [f"{name}zero"]))
        nodes.append(make.make_node("Add", [f"{name}value", f"{name}zero"], [name]))
        output_infos.append(make.make_tensor_value_info(name, kind, array.shape))
    image = make.make_tensor_value_info("image", kind, [1, 3, *size])
    graph = make.make_graph(nodes, "constant", [image], output_infos)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return str(path)


def test_rtmlib_rtmo(tmp_path):
    """RTMO in rtmlib, with the input size of the file instead of 640 x 640."""
    pytest.importorskip("rtmlib")
    boxes = np.array([[[2, 2, 12, 30, 0.9], [30, 2, 45, 30, 0.8]]], np.float32)
    joints = np.random.default_rng(0).uniform(2, 30, (1, 2, 17, 3)).astype(np.float32)
    outputs = {"boxes": boxes, "joints": joints}
    pose = rtmlib_pose(constant_model(tmp_path / "rtmo.onnx", (32, 64), outputs))
    keypoint, scores = pose(np.zeros((64, 128, 3), np.uint8))
    np.testing.assert_allclose(keypoint, 2 * joints[0, ..., :2], rtol=1e-5)
    np.testing.assert_allclose(scores, joints[0, ..., 2])


def test_rtmlib_without_persons(tmp_path):
    """Without boxes, RTMPose in rtmlib would use the full image as a person."""
    pytest.importorskip("rtmlib")
    x, y = np.zeros((1, 17, 96), np.float32), np.zeros((1, 17, 128), np.float32)
    x[..., 48] = y[..., 64] = 1
    estimate = constant_model(tmp_path / "pose.onnx", (64, 48), {"x": x, "y": y})
    image = np.zeros((64, 128, 3), np.uint8)
    for score, count in ((0.9, 1), (0.1, 0)):
        boxes = np.array([[[10, 10, 30, 50, score]]], np.float32)
        detect = constant_model(tmp_path / "det.onnx", (64, 64), {"boxes": boxes})
        keypoint, scores = rtmlib_pose(estimate, detect)(image)
        assert keypoint.shape == (count, 17, 2)
        assert scores.shape == (count, 17)
        if count:  # center of the box; the detector's input has half the size
            np.testing.assert_allclose(keypoint, np.broadcast_to((40, 60), (1, 17, 2)))
