"""MediaPipe converter: JSON and CSV files, image and world landmarks."""

import csv
import io
import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from errors import raises
from in_process import msg3d_command
from msg3d.converters import convert_mediapipe
from msg3d.datasets import (
    SkeletonDataset,
    load_annotations,
)
from msg3d.errors import DataError, SkipFile
from msg3d.formats.base import ReadOptions, Source, read
from msg3d.formats.frames import NO_PERSON


def image_landmarks(seed=0, persons=1, frames=6):
    """Return [M, T, 33, 4]: x and y in the image, z, visibility."""
    rng = np.random.default_rng(seed)
    body = rng.uniform(0, [0.2, 0.4], size=(persons, 1, 33, 2))
    position = np.array([[0.2 + 0.45 * m, 0.3] for m in range(persons)])
    steps = rng.uniform(-0.01, 0.01, size=(persons, frames, 1, 2))
    rest = rng.uniform(0.1, 1, size=(persons, frames, 33, 2))
    rest[0, ..., 1] += 0.5  # The person with the highest visibility is first.
    points = body + position[:, None, None] + steps
    return np.concatenate([points, rest], axis=-1).round(4).astype(np.float32)


def world_landmarks(seed=0, persons=1, frames=6):
    """Return [M, T, 33, 4]: meters from the center of the hips, visibility."""
    rng = np.random.default_rng(seed + 100)
    points = rng.uniform(-0.9, 0.9, size=(persons, frames, 33, 4))
    points[..., 3] = rng.uniform(0.1, 1, size=points.shape[:3])
    points[..., 24, :3] = -points[..., 23, :3]
    return points.round(4).astype(np.float32)


def as_dicts(person):
    return [
        dict(zip(("x", "y", "z", "visibility"), landmark, strict=True))
        for landmark in person.tolist()
    ]


def frames_of(landmarks):
    """Return the persons of each frame. Odd frames have the reverse order."""
    return [
        [as_dicts(person[t]) for person in landmarks[:: -1 if t % 2 else 1]]
        for t in range(landmarks.shape[1])
    ]


def both_kinds(image, world, names=("pose_landmarks", "pose_world_landmarks")):
    return {
        "frames": [
            dict(zip(names, frames, strict=True))
            for frames in zip(frames_of(image), frames_of(world), strict=True)
        ]
    }


def table(landmarks, first=0, axes="xyzv", extra=True):
    """Format one person as CSV: a column `class`, as in tutorials, then landmarks."""
    text = io.StringIO()
    rows = csv.writer(text)
    header = [f"{axis}{joint + first}" for joint in range(33) for axis in axes]
    rows.writerow([*(["class"] if extra else []), *header])
    for frame in landmarks[0]:
        cells = [repr(float(point["xyzv".index(a)])) for point in frame for a in axes]
        rows.writerow([*(["wave"] if extra else []), *cells])
    return text.getvalue()


def parse_content(content, name="a.json", coordinates="image", max_persons=5):
    options = ReadOptions(
        dimensions=3 if coordinates == "world" else 2,
        max_persons=max_persons,
        formats=("mediapipe",),
    )
    (sample,) = read(Source(f"train/wave/{name}", content), options)
    return sample


def parse(data, name="a.json", **options):
    text = data if isinstance(data, str) else json.dumps(data)
    return parse_content(text.encode(), name, **options)


def check_image(sample, landmarks):
    assert sample["total_frames"] == landmarks.shape[1]
    assert sample["keypoint"].dtype == sample["keypoint_score"].dtype == np.float32
    np.testing.assert_array_equal(sample["keypoint"], landmarks[..., :2])
    np.testing.assert_array_equal(sample["keypoint_score"], landmarks[..., 3])


def check_world(sample, landmarks):
    assert "keypoint_score" not in sample
    assert sample["keypoint"].dtype == np.float32
    np.testing.assert_array_equal(sample["keypoint"], landmarks[..., :3])


@pytest.mark.parametrize("persons", [1, 2])
def test_forms_of_json(persons):
    image = image_landmarks(persons=persons)
    world = world_landmarks(persons=persons)
    nested = frames_of(image)
    flat = [frame[0] for frame in nested] if persons == 1 else nested
    for data in (
        flat,
        nested,
        {"frames": flat},
        {"frames": [{"landmarks": frame} for frame in flat]},
        both_kinds(image, world),
        both_kinds(image, world, ("landmarks", "world_landmarks")),
    ):
        check_image(parse(data), image)
    check_world(parse(both_kinds(image, world), coordinates="world"), world)
    if persons == 1:
        flat = [frame[0] for frame in frames_of(world)]
        check_world(parse(flat, coordinates="world"), world)


@pytest.mark.parametrize("first", [0, 1])
def test_forms_of_csv(first):
    image, world = image_landmarks(), world_landmarks()
    check_image(parse(table(image, first), "a.csv"), image)
    check_image(parse("\ufeff" + table(image, first, extra=False), "a.csv"), image)
    check_world(parse(table(world, first), "a.csv", coordinates="world"), world)
    sample = parse(table(image, first, axes="xy"), "a.csv")
    np.testing.assert_array_equal(sample["keypoint"], image[..., :2])
    assert (sample["keypoint_score"] == 1).all()


def test_frames_without_persons_are_zero():
    image = image_landmarks()
    image[:, [0, 3, 5]] = 0
    frames = [frame[0] for frame in frames_of(image)]
    for empty in ([], None, {}, {"landmarks": []}, {"pose_landmarks": None}):
        data = [empty if t in (0, 3, 5) else frame for t, frame in enumerate(frames)]
        check_image(parse(data), image)
    lines = table(image, extra=False).splitlines()
    rows = ["," * 131 if t in (1, 4, 6) else line for t, line in enumerate(lines)]
    for end in ("\n", "\r\n", "\r\r\n"):
        check_image(parse(end.join([*rows, ""]), "a.csv"), image)
    numbered = [f"{line},{t + 6}" for t, line in enumerate(lines)]
    numbered[0] = f"{lines[0]},frame"
    rows = [line for t, line in enumerate(numbered) if t not in (1, 4, 6)]
    sample = parse("\n".join(rows), "a.csv")  # frames 8, 9, and 11
    check_image(sample, image[:, 1:5])


def test_one_person_per_frame_is_the_same_person():
    """The distance between frames and the length of an absence do not matter."""
    image = image_landmarks(frames=50)
    image[:, 5:45] = 0
    image[:, 45:, :, 0] += 0.5
    frames = [frame[0] if frame[0][0]["x"] else [] for frame in frames_of(image)]
    check_image(parse(frames), image)


def test_missing_visibility_is_one():
    frames = [
        [{"x": landmark["x"], "y": landmark["y"]} for landmark in frame[0]]
        for frame in frames_of(image_landmarks())
    ]
    assert (parse(frames)["keypoint_score"] == 1).all()


def test_persons_beyond_the_maximum_are_counted():
    image = image_landmarks(persons=2)
    sample = parse(frames_of(image), max_persons=1)
    check_image(sample, image[:1])
    assert sample["notes"] == {"persons beyond --max-persons 1": 1}


def test_contradicting_unit_is_rejected():
    image, world = image_landmarks(), world_landmarks()
    with raises("unit"):
        parse(table(world), "a.csv")
    with raises("unit"):
        parse(table(image), "a.csv", coordinates="world")
    pixels = image * [640, 480, 1, 1]
    with raises("unit"):
        parse(frames_of(pixels))


def frames():
    return [frame[0] for frame in frames_of(image_landmarks())]


def corrupted(change):
    data = frames()
    change(data)
    return data


def corrupted_table(line, change):
    lines = table(image_landmarks(), extra=False).splitlines()
    lines[line - 1] = change(lines[line - 1])
    return "\n".join(lines)


def cell(column, text):
    def change(line):
        cells = line.split(",")
        cells[column] = text
        return ",".join(cells)

    return change


INVALID = {  # case -> data, kind of the error, field of the error or None
    "truncated": ("[[{", "syntax", None),
    "number": ("5", "structure", "the file"),
    "no frames": ('{"video": 1}', "structure", "the file"),
    "single frame": (json.dumps(frames()[0]), "structure", None),
    "32 landmarks": (corrupted(lambda d: d[2].pop()), "shape", "[2]"),
    "missing y": (corrupted(lambda d: d[2][5].pop("y")), "structure", "[2][5]"),
    "string coordinate": (
        corrupted(lambda d: d[2][5].update(x="1")),
        "number",
        "[2][5]",
    ),
    "null": (corrupted(lambda d: d[2][5].update(z=None)), "number", "[2][5]"),
    "NaN": (
        corrupted(lambda d: d[2][5].update(x=float("nan"))),
        "not-finite",
        "[2][5]",
    ),
    "string as frame": (corrupted(lambda d: d.insert(1, "x")), "structure", "[1]"),
    "other keys": ({"frames": [{"hands": []}]}, "structure", "frames[0]"),
}
INVALID_TABLES = {  # case -> text, line, kind of the error
    "empty": ("", 1, "empty"),
    "missing y": (table(image_landmarks(), axes="xz"), 1, "columns"),
    "32 landmarks": (corrupted_table(1, cell(0, "a")), 1, "columns"),
    "duplicate column": (corrupted_table(1, cell(4, "x0")), 1, "columns"),
    "incomplete joint": (corrupted_table(4, cell(5, "")), 4, "incomplete-joint"),
    "text": (corrupted_table(4, cell(5, "a")), 4, "number"),
    "underscore": (corrupted_table(4, cell(5, "1_0")), 4, "number"),
    "infinite": (corrupted_table(4, cell(5, "inf")), 4, "not-finite"),
    "too few cells": (corrupted_table(4, lambda line: line[:50]), 4, "row"),
    "not UTF-8": (b"x0\xff", 1, "encoding"),
    "frame is text": (
        table(image_landmarks(frames=1)).replace("class", "frame"),
        2,
        "number",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_json(case):
    data, kind, field = INVALID[case]
    where = {"field": field} if field else {}
    with raises(kind, file="a.json", **where) as caught:
        parse(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", INVALID_TABLES)
def test_invalid_csv(case):
    text, line, kind = INVALID_TABLES[case]
    with raises(kind, file="a.csv", line=line) as caught:
        parse_content(text if isinstance(text, bytes) else text.encode(), "a.csv")
    assert "\n" not in str(caught.value)


def test_frames_out_of_order_are_rejected():
    lines = table(image_landmarks(), extra=False).splitlines()
    lines = [f"{line},{7 - t}" for t, line in enumerate(lines)]
    lines[0] = lines[0].replace(",7", ",frame")
    with raises("frame-numbers", line=3):
        parse("\n".join(lines), "a.csv")


def test_several_persons_without_image_coordinates_are_rejected():
    world = world_landmarks(persons=2)
    with raises("persons"):
        parse(frames_of(world), coordinates="world")


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_files_without_persons_are_skipped(name):
    text = "[[], null]" if name == "a.json" else table(image_landmarks(frames=0))
    with pytest.raises(SkipFile) as caught:
        parse(text, name)
    assert str(caught.value) == NO_PERSON


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_corrupt_bytes(name):
    """Truncated files and flipped bits give a DataError, SkipFile, or a sample."""
    rng = np.random.default_rng(0)
    image = image_landmarks(frames=3)
    valid = json.dumps(both_kinds(image, world_landmarks(frames=3))).encode()
    valid = table(image).encode() if name == "a.csv" else valid
    rejected = 0
    for number in range(400):
        length = len(valid) if number % 2 else rng.integers(len(valid) + 1)
        content = bytearray(valid[:length])
        for index in rng.integers(len(content) + 1, size=1 + rng.integers(3)):
            if index < len(content):
                content[index] ^= 1 << rng.integers(8)
        try:
            parse_content(bytes(content), name)
        except (DataError, SkipFile):
            rejected += 1
    assert 150 < rejected < 400


def videos(raw, suffix=".json"):
    for number in range(4):
        side, label = ("train", "val")[number % 2], ("wave", "jump")[number // 2]
        folder = raw / side / label
        folder.mkdir(parents=True)
        image, world = image_landmarks(seed=number), world_landmarks(seed=number)
        text = json.dumps(both_kinds(image, world))
        text = table(image) if suffix == ".csv" else text
        (folder / f"v{number}{suffix}").write_text(text, encoding="utf-8")
    return raw


def command(*arguments):
    return msg3d_command("prepare", "mediapipe", *arguments, "--overwrite")


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_conversion(tmp_path, suffix):
    raw = videos(tmp_path / "raw", suffix)
    convert_mediapipe(raw, tmp_path / "a.pkl")
    convert_mediapipe(raw, tmp_path / "b.pkl", img_shape=(480, 640))
    data, data_px = (load_annotations(tmp_path / f"{name}.pkl") for name in "ab")
    assert data["meta"]["classes"] == ["jump", "wave"]
    assert data["meta"]["units"] == "normalized"
    assert data_px["meta"]["units"] == "px"
    assert data["meta"]["layout"] == "mediapipe33"
    assert len(data["meta"]["joints"]) == 33
    for sample, sample_px in zip(
        data["annotations"], data_px["annotations"], strict=True
    ):
        image = image_landmarks(seed=int(sample["frame_dir"][-1]))
        check_image(sample, image)
        assert sample["img_shape"] == (1, 1)
        assert sample_px["img_shape"] == (480, 640)
        expected = image[..., :2] * np.float32([640, 480])
        np.testing.assert_array_equal(sample_px["keypoint"], expected)


def test_mixed_json_and_csv_files_are_rejected(tmp_path):
    raw = videos(tmp_path / "raw")
    (raw / "train" / "wave" / "b.csv").write_text(
        table(image_landmarks()), encoding="utf-8"
    )
    with raises("wrong-file-type", file="raw"):
        convert_mediapipe(raw, tmp_path / "a.pkl")


def test_command(tmp_path, capsys):
    raw, out = videos(tmp_path / "raw"), tmp_path / "a.pkl"
    assert command(raw, out, "--coordinates", "world") == 0
    assert "units          m, y down" in capsys.readouterr().out
    for sample in load_annotations(out)["annotations"]:
        check_world(sample, world_landmarks(seed=int(sample["frame_dir"][-1])))
        assert "img_shape" not in sample
    (raw / "val" / "wave" / "v1.json").write_text("{", encoding="utf-8")
    assert command(raw, out) == 1
    assert "NOT written" in capsys.readouterr().out
    assert command(raw, out, "--skip-invalid") == 0


@pytest.mark.parametrize("coordinates", ["image", "world"])
def test_training_pipeline(tmp_path, coordinates):
    convert_mediapipe(
        videos(tmp_path / "raw"), tmp_path / "a.pkl", coordinates=coordinates
    )
    normalize = {
        "type": "AlignSkeleton3D",
        "center": 23,
        "zaxis": [23, 11],
        "xaxis": [12, 11],
    }
    if coordinates == "image":
        normalize = {"type": "PreNormalize2D"}
    init_default_scope("mmaction")
    data = SkeletonDataset(
        ann_file=str(tmp_path / "a.pkl"),
        split="val",
        pipeline=[
            normalize,
            {"type": "FastUniformSampleFrames", "clip_len": 6},
            {"type": "PoseDecode"},
            {"type": "FormatGCNInput", "num_person": 2},
            {"type": "PackActionInputs"},
        ],
    )
    inputs = data[0]["inputs"].numpy()
    assert inputs.shape == (1, 2, 6, 33, 3)
    assert np.isfinite(inputs).all()
    if coordinates == "image":
        image = image_landmarks(seed=int(data.get_data_info(0)["frame_dir"][-1]))
        expected = 2 * image[0, ..., :2] - 1
        np.testing.assert_allclose(inputs[0, 0, ..., :2], expected, atol=1e-6)
