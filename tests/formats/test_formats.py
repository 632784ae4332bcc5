"""Tests of all formats: detection, and equal results in training and prediction."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import REPOSITORY
from errors import raises
from msg3d.apis.input_files import list_sources, read_sequences
from msg3d.apis.keypoint_input import Expected, to_sample
from msg3d.converters import convert_folder
from msg3d.converters.interchange import convert_data_set
from msg3d.datasets import load_annotations, save_annotations
from msg3d.formats.base import ReadOptions, Source, all_formats, detect_format, read
from msg3d.formats.data_set import DataSet
from msg3d.skeletons import skeleton
from msg3d.stores.packing import load_any, pack
from samples import annotations

SIZE = (480, 640)
FRAMES = 5


def rng():
    return np.random.default_rng(0)


def pixels(joints=17):
    """Keypoints [T, V, 2] of a person who moves slightly."""
    steps = rng().normal(0, 2, (FRAMES, 1, 2)).cumsum(0)
    return (rng().uniform(100, 300, (joints, 2)) + steps).round(2)


def pixels_with_scores(joints=17):
    """Keypoints and scores, [T, V, 3]."""
    return np.concatenate([pixels(joints), np.full((FRAMES, joints, 1), 0.5)], -1)


def as_json(path, data):
    path.write_text(json.dumps(data), encoding="utf-8")


def alphapose(path):
    entries = [
        {"image_id": f"{t}.jpg", "keypoints": joints.ravel().tolist()}
        for t, joints in enumerate(pixels_with_scores())
    ]
    as_json(path / "clip.json", entries)


def coco(path):
    images = [{"id": t, "height": 480, "width": 640} for t in range(FRAMES)]
    people = [
        {"image_id": t, "keypoints": joints.ravel().tolist()}
        for t, joints in enumerate(pixels_with_scores())
    ]
    as_json(path / "clip.json", {"images": images, "annotations": people})


def mmpose(path):
    frames = [
        {"keypoints": joints.tolist(), "keypoint_scores": [0.5] * 17}
        for joints in pixels()
    ]
    as_json(path / "clip.json", [[person] for person in frames])


def mmpose_frames(path):
    (path / "clip").mkdir()
    for t, joints in enumerate(pixels()):
        person = {"keypoints": joints.tolist(), "keypoint_scores": [0.5] * 17}
        as_json(path / "clip" / f"{t}.json", [person])


def yolo(path):
    frames = [
        [{"keypoints": {"x": joints[:, 0].tolist(), "y": joints[:, 1].tolist()}}]
        for joints in pixels()
    ]
    as_json(path / "clip.json", [json.dumps(frame) for frame in frames])


def openpose(path, joints=25):
    (path / "clip").mkdir()
    for t, person in enumerate(pixels_with_scores(joints)):
        people = [{"pose_keypoints_2d": person.ravel().tolist()}]
        name = f"v1_{t:012d}_keypoints.json"
        as_json(path / "clip" / name, {"version": 1.3, "people": people if t else []})


def keypoint_json(path):
    keypoint = pixels()[None].tolist()
    as_json(
        path / "clip.json", {"keypoint": keypoint, "img_shape": SIZE, "layout": "coco"}
    )


def keypoint_list(path):
    keypoint = rng().normal(size=(FRAMES, 25, 3)).round(3).tolist()
    keypoint[1][2] = [None] * 3
    as_json(path / "clip.json", keypoint)


def csv_table(path, visibility=False, joints=20, scale=1.0):
    axes = "xyzv" if visibility else "xyz"
    header = ",".join(f"{axis}{joint}" for joint in range(joints) for axis in axes)
    values = scale * rng().normal(size=(FRAMES, joints, len(axes))).round(3)
    values[:, 23:25, :3] = 0  # hips, the origin of world landmarks
    rows = [",".join(map(str, row.ravel().tolist())) for row in values]
    (path / "clip.csv").write_text("\n".join([header, *rows]), encoding="utf-8")


def landmarks(path, world=True):
    values = rng().uniform(0.2, 0.8, (FRAMES, 33, 3)).round(3)
    if world:
        values[:, 23:25] = 0
    key = "pose_world_landmarks" if world else "pose_landmarks"
    frames = [
        {key: [dict(zip("xyz", joint, strict=True)) for joint in frame]}
        for frame in values.tolist()
    ]
    as_json(path / "clip.json", {"frames": frames})


def ntu_skeleton(path):
    lines = [str(FRAMES)]
    for frame in rng().normal(size=(FRAMES, 25, 3)).round(4).tolist():
        lines += ["1", "72057594037927 0 1 1 1 1 0 0.01 0.2 2", "25"]
        lines += [" ".join(map(str, [*joint, *[0] * 8, 2])) for joint in frame]
    (path / "clip.skeleton").write_text("\n".join([*lines, ""]), encoding="utf-8")


def kinetics_skeleton(path):
    frames = [
        {
            "frame_index": t + 1,
            "skeleton": [
                {"pose": (joints / 640).ravel().tolist(), "score": [0.5] * 18}
            ],
        }
        for t, joints in enumerate(pixels(18))
    ]
    as_json(path / "clip.json", {"data": frames, "label": "wave", "label_index": 0})


def nw_ucla(path):
    skeletons = rng().normal(size=(FRAMES, 20, 3)).round(3).tolist()
    name = "a01_s02_e03_v01"
    as_json(path / "clip.json", {"file_name": name, "skeletons": skeletons, "label": 1})


def msr_action3d(path):
    np.savetxt(path / "clip.txt", rng().normal(size=(FRAMES * 20, 4)), fmt="%.4f")


def sbu(path):
    values = np.hstack([np.arange(FRAMES)[:, None] + 1, rng().random((FRAMES, 90))])
    np.savetxt(path / "clip.txt", values, fmt="%.5f", delimiter=",")


def udiva(path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path / "clip.hdf5", "w") as file:
        for frame, landmarks in enumerate(rng().normal(size=(FRAMES, 24, 3))):
            file.create_group(f"{frame:05d}/body")["landmarks"] = landmarks


def annotation_file(path):
    data = annotations(samples=2, frames=(4, 6))
    save_annotations({**data, "meta": {"layout": "kinect20"}}, path / "clip.pkl")


def store(path):
    pack(annotations(samples=2, frames=(4, 6)), str(path / "clip.packed"))


def pose(image):
    return pixels()[None, image[0, 0, 0] // 20], np.full((1, 17), 0.5)


def video(path):
    file, code = str(path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(file, code, 10, SIZE[::-1])
    for t in range(FRAMES):
        writer.write(np.full((*SIZE, 3), 20 * t + 2, np.uint8))
    writer.release()


def yolo_text(path, end=""):
    """Lines of Ultralytics 8.4's `Results.save_txt`; see also test_library_files."""
    folder = path / "clip"
    folder.mkdir()
    for t, joints in enumerate(pixels_with_scores() / [*SIZE[::-1], 1]):
        numbers = " ".join(f"{value:g}" for value in joints.ravel())
        (folder / f"v_{t + 1}.txt").write_text(f"0 0.5 0.5 0.2 0.4 {numbers}{end}\n")


def azure_kinect(path):
    frames = [
        {
            "frame_id": t,
            "timestamp_usec": 33_333 * t,
            "num_bodies": 1,
            "bodies": [{"body_id": 1, "joint_positions": joints}],
        }
        for t, joints in enumerate(rng().normal(1500, 300, (FRAMES, 32, 3)).tolist())
    ]
    as_json(path / "clip.json", {"frames": frames, "joint_names": ["PELVIS"]})


def mmskeleton(path):
    persons = [
        {"frame_index": t, "id": 0, "person_id": None, "keypoints": joints.tolist()}
        for t, joints in enumerate(pixels_with_scores())
    ]
    info = {"video_name": "clip.mp4", "resolution": [*SIZE[::-1]], "num_frame": FRAMES}
    info |= {"num_keypoints": 17, "keypoint_channels": ["x", "y", "score"]}
    content = {"info": info, "annotations": persons, "category_id": 3}
    as_json(path / "clip.json", content)


def mmpose_0(path):
    frames = [[{"keypoints": joints}] for joints in pixels_with_scores().tolist()]
    as_json(path / "clip.json", frames)


def pose_file(path):
    pytest.importorskip("pose_format")
    source = Path(__file__).parents[1] / "files_of_libraries" / "mediapipe.pose"
    shutil.copy(source, path / "clip.pose")


def landmark_results(path):
    """One file per frame with a result of MediaPipe Tasks."""
    folder = path / "clip"
    folder.mkdir()
    for t, frame in enumerate(rng().uniform(0.2, 0.8, (FRAMES, 33, 3)).tolist()):
        marks = [dict(zip("xyz", joint, strict=True)) for joint in frame]
        as_json(folder / f"v_{t}.json", {"pose_landmarks": [marks]})


def named_landmarks(path):
    values = rng().uniform(0.2, 0.8, (FRAMES, 33, 4)).round(3)
    axes = ("x", "y", "z", "visibility")
    names = skeleton("mediapipe33").joints
    header = ",".join(f"{name}_{axis}" for name in names for axis in axes)
    rows = [",".join(map(str, row.ravel().tolist())) for row in values]
    (path / "clip.csv").write_text("\n".join([header, *rows]), encoding="utf-8")


def long_landmarks(path):
    rows = ["frame,landmark,x,y,z,visibility"]
    for t, frame in enumerate(rng().uniform(0.2, 0.8, (FRAMES, 33, 4)).round(3)):
        for number, values in enumerate(frame.tolist()):
            name = "mouth_left" if number == 9 else number
            rows.append(",".join(map(str, [t, name, *values])))
    (path / "clip.csv").write_text("\n".join(rows), encoding="utf-8")


def ctrgcn(path):
    data = annotations(samples=2, frames=(4, 6))
    write_data_set("ctrgcn", data, path / "clip.npz")


def sample_table(path):
    data = annotations(samples=2, frames=(4, 6))
    write_data_set("sample_table", data, path / "clip.csv")


def stgcn(path):
    samples = annotations(samples=2, frames=(4, 5))["annotations"]
    arrays = [sample["keypoint"].transpose(3, 1, 2, 0) for sample in samples]
    np.save(path / "clip.npy", np.stack(arrays))
    names = [sample["frame_dir"] for sample in samples]
    (path / "train_label.pkl").write_bytes(pickle.dumps((names, [0, 1])))


def write_data_set(name, data, path):
    source = DataSet(
        len(data["annotations"]),
        lambda start: iter(data["annotations"][start:]),
        data["split"],
        {"layout": "kinect20"},
    )
    all_formats()[name].write(source, str(path))


IMAGE = {"img_shape": SIZE}
# format -> [(function that writes the file or folder `clip`, conversion options)]
EXAMPLES = {
    "alphapose": [(alphapose, IMAGE)],
    "annotation_file": [(annotation_file, {})],
    "coco": [(coco, {})],
    "csv": [
        (csv_table, {"layout": "kinect20", "units": "mm"}),
        (
            lambda path: csv_table(path, joints=33),
            {"layout": "mediapipe33", "units": "m"},
        ),
    ],
    "keypoint_json": [
        (keypoint_json, {}),
        (keypoint_list, {"layout": "nturgb+d", "units": "cm"}),
    ],
    "mediapipe": [
        (landmarks, {}),
        (lambda path: landmarks(path, world=False), dict(units="normalized", **IMAGE)),
        (lambda path: csv_table(path, visibility=True, joints=33), {}),
        (landmark_results, dict(units="normalized", **IMAGE)),
        (named_landmarks, dict(units="normalized", **IMAGE)),
        (long_landmarks, dict(units="normalized", **IMAGE)),
    ],
    "mmpose": [(mmpose, IMAGE), (mmpose_frames, IMAGE), (mmpose_0, IMAGE)],
    "mmskeleton": [(mmskeleton, {})],
    "azure_kinect": [(azure_kinect, {})],
    "pose_file": [(pose_file, {})],
    "yolo_text": [
        (yolo_text, dict(units="normalized", **IMAGE)),
        (lambda path: yolo_text(path, " 0.9 7"), dict(units="normalized", **IMAGE)),
    ],
    "ctrgcn": [(ctrgcn, {"layout": "kinect20"})],
    "sample_table": [(sample_table, {"layout": "kinect20"})],
    "stgcn": [(stgcn, {"layout": "kinect20"})],
    "npy": [
        (
            lambda path: np.save(path / "clip.npy", rng().normal(size=(3, 25, 3))),
            {"layout": "nturgb+d", "units": "unscaled"},
        ),
        (
            lambda path: np.save(
                path / "clip.npy", pixels_with_scores() / [640, 480, 1]
            ),
            dict(layout="coco", units="normalized", **IMAGE),
        ),
    ],
    "kinetics_skeleton": [(kinetics_skeleton, {})],
    "msr_action3d": [(msr_action3d, {})],
    "ntu_skeleton": [(ntu_skeleton, {})],
    "nw_ucla": [(nw_ucla, {})],
    "sbu": [(sbu, {}), (sbu, {"units": "m"})],
    "udiva": [(udiva, {})],
    "openpose": [(openpose, IMAGE), (lambda path: openpose(path, 18), IMAGE)],
    "store": [(store, {"layout": "kinect20"})],
    "video": [(video, {"pose": pose})],
    "yolo": [(yolo, IMAGE)],
}
CASES = [
    pytest.param(name, write, options, id=f"{name}{number}")
    for name, examples in EXAMPLES.items()
    for number, (write, options) in enumerate(examples)
]


def test_every_format_has_an_example():
    assert set(EXAMPLES) == set(all_formats())


def read_options(options):
    renamed = {"units": "unit", "file_format": "formats"}
    return ReadOptions(**{renamed.get(key, key): options[key] for key in options})


def find_clip(path):
    (clip,) = path.glob("clip*")
    return clip


DATA_SETS = ("ctrgcn", "sample_table", "stgcn")


def training_samples(folder, name, write, options):
    """Return the samples of `clip` as used in training, and their layout."""
    if name in DATA_SETS:
        folder.mkdir()
        write(folder)
        out = folder.parent / "a.pkl"
        convert_data_set(find_clip(folder), out, read_options(options))
        return load_annotations(out)["annotations"], options["layout"]
    folders = [
        folder / side / label for side in ("train", "val") for label in ("wave", "bow")
    ]
    for subfolder in folders:
        subfolder.mkdir(parents=True)
        write(subfolder)
    if find_clip(folders[0]).suffix == ".packed":  # used without conversion
        return load_any(find_clip(folders[0]))["annotations"], options["layout"]
    report = convert_folder(folder, folder.parent / "a.pkl", **options)
    assert report["written"], report["refused"]
    data = load_annotations(folder.parent / "a.pkl")
    samples = [
        sample
        for sample in data["annotations"]
        if sample["frame_dir"].startswith("train/wave/clip")
    ]
    return samples, data["meta"].get("layout", options.get("layout"))


@pytest.mark.parametrize(("name", "write", "options"), CASES)
def test_training_and_prediction_read_equal_keypoints(name, write, options, tmp_path):
    samples, layout = training_samples(tmp_path / "raw", name, write, options)
    dimensions = samples[0]["keypoint"].shape[-1]
    expected = Expected(layout, dimensions, None, 1)
    folder = tmp_path / "input"
    folder.mkdir()
    write(folder)
    (source,) = list_sources(str(folder), exclude="")
    assert source == str(find_clip(folder))
    sequences = read_sequences(source, expected, read_options(options))
    assert len(sequences) == len(samples) > 0
    for sequence, sample in zip(sequences, samples, strict=True):
        predicted = to_sample(sequence, expected)
        np.testing.assert_array_equal(predicted["keypoint"], sample["keypoint"])
        if dimensions == 2:
            assert predicted["img_shape"] == sample["img_shape"]
            score = sample["keypoint_score"]
            np.testing.assert_array_equal(predicted["keypoint_score"], score)


@pytest.mark.parametrize(("name", "write", "options"), CASES)
def test_detection_is_unambiguous(name, write, options, tmp_path):
    write(tmp_path)
    clip = find_clip(tmp_path)
    file = clip
    if clip.is_dir() and clip.suffix != ".packed":
        file = next(clip.iterdir())
    source = Source(str(file))
    assert detect_format(source, read_options(options)).name == name
    suffix = "" if source.is_folder else source.suffix
    matches = [
        fmt.name
        for fmt in all_formats().values()
        if suffix in (fmt.suffixes or ("",)) and fmt.detect(source)
    ]
    assert matches == [name] or (name, matches) == ("csv", ["csv", "mediapipe"])


NUMBERED = [f"{axis}{joint}" for joint in range(33) for axis in "xyz"]
VISIBLE = [f"v{joint}" for joint in range(33)]
NAMED = [
    f"{joint}_{axis}" for joint in skeleton("mediapipe33").joints for axis in "xyz"
]


@pytest.mark.parametrize(
    # Formats detected without options, and with a layout or a unit.
    ("header", "without_options", "with_options"),
    [
        (NUMBERED, "mediapipe", "csv"),
        (["frame", *NUMBERED], "mediapipe", "csv"),
        (["frame", "person", *NUMBERED], "mediapipe", "csv"),
        (NUMBERED + VISIBLE, "mediapipe", "mediapipe"),
        (["class", *NUMBERED], "mediapipe", "mediapipe"),
        (
            [f"{axis}{joint}" for joint in range(1, 34) for axis in "xy"],
            *2 * ["mediapipe"],
        ),
        ([name for name in NUMBERED if name[0] != "z"], "mediapipe", "csv"),
        (NUMBERED + [f"score{joint}" for joint in range(33)], "csv", "csv"),
        ([*NUMBERED, "x33", "y33", "z33"], "csv", "csv"),
        (NAMED, "csv", "csv"),
        (["anything"], "csv", "csv"),
    ],
)
def test_detection_of_ambiguous_tables(header, without_options, with_options):
    source = Source("a.csv", ",".join(header).encode() + b"\n")
    assert detect_format(source).name == without_options
    for options in ({"unit": "m"}, {"layout": "mediapipe33"}):
        assert detect_format(source, ReadOptions(**options)).name == with_options
    assert detect_format(source, ReadOptions(formats=("csv",))).name == "csv"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ([], "mmpose"),
        ([[], []], "mmpose"),
        ([[], [{"keypoints": {"x": [], "y": []}}]], "yolo"),
        (['[{"keypoints": {"x": [], "y": []}}]'], "yolo"),
        ([[], [{"keypoints": [], "keypoint_scores": []}]], "mmpose"),
        ([{"image_id": 1, "keypoint_scores": []}], "alphapose"),
        ([None, {}, [{"x": 0, "y": 0}]], "mediapipe"),
        ([[None, 1.0]], "keypoint_json"),
        ({"people": []}, "openpose"),
        ({"annotations": [], "images": []}, "coco"),
    ],
)
def test_detection_of_json(data, name):
    assert detect_format(Source("a.json", json.dumps(data).encode())).name == name


@pytest.mark.parametrize(
    ("file", "content", "kind"),
    [
        ("a.json", b'{"x": 1}', "unknown-format"),
        ("a.json", b'[["text"]]', "unknown-format"),
        ("a.json", b"null", "unknown-format"),
        ("a.json", b"[[1, 2", "syntax"),
        ("a.xyz", b"", "unknown-format"),
        ("a", b"", "unknown-format"),
    ],
)
def test_unknown_format(file, content, kind):
    with raises(kind, file=file):
        read(Source(file, content))


def test_unknown_format_name():
    with raises("unknown-name"):
        read(Source("a.csv", b""), ReadOptions(formats=("pdf",)))


def test_convert_openpose_frames_in_a_zip_file(tmp_path):
    samples, layout = training_samples(tmp_path / "raw", "openpose", openpose, IMAGE)
    archive = tmp_path / "raw.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((tmp_path / "raw").rglob("*.json")):
            file.write(path, f"mine/{path.relative_to(tmp_path / 'raw')}")
    report = convert_folder(archive, tmp_path / "b.pkl", **IMAGE)
    assert report["written"]
    assert report["units"] == "px"
    note = "read as the output of openpose, one file per frame"
    assert set(report["notes"]) == {note}
    data = load_annotations(tmp_path / "b.pkl")
    assert data["meta"]["layout"] == layout == "openpose25"
    (sample,) = [
        sample
        for sample in data["annotations"]
        if sample["frame_dir"] == "train/wave/clip"
    ]
    np.testing.assert_array_equal(sample["keypoint"], samples[0]["keypoint"])
    assert sample["total_frames"] == FRAMES
    assert not sample["keypoint"][:, 0].any()


def test_folders_of_frames_are_split_as_sequences(tmp_path):
    for label in ("wave", "bow"):
        for number in range(4):
            folder = tmp_path / "raw" / label / f"p{number}"
            folder.mkdir(parents=True)
            openpose(folder)
    raw, out = tmp_path / "raw", tmp_path / "a.pkl"
    names = [
        f"{label}/p{number}/clip" for label in ("bow", "wave") for number in range(4)
    ]
    report = convert_folder(raw, out, val_fraction=0.25, group=r"p\d", **IMAGE)
    assert report["written"]
    assert report["splits"]["val"]["val"] == 2
    data = load_annotations(out)
    assert [sample["frame_dir"] for sample in data["annotations"]] == names
    assert set(data["meta"]["group"].values()) == {"p0", "p1", "p2", "p3"}
    by_name = [f"{name},{'val' if 'p1' in name else 'train'}" for name in names]
    labeled = [
        f"{line.split(',')[0]},x{n % 2},{line.split(',')[1]}"
        for n, line in enumerate(by_name)
    ]
    for lines in (["name,split", *by_name], ["file,label,split", *labeled]):
        (tmp_path / "list.csv").write_text("\n".join(lines), encoding="utf-8")
        convert_folder(raw, out, split=tmp_path / "list.csv", **IMAGE)
        assert load_annotations(out)["split"]["val"] == ["bow/p1/clip", "wave/p1/clip"]
    assert load_annotations(out)["meta"]["classes"] == ["x0", "x1"]


def test_inconsistent_frames_are_reported_by_folder(tmp_path):
    for side in ("train", "val"):
        for label in ("wave", "bow"):
            folder = tmp_path / "raw" / side / label
            folder.mkdir(parents=True)
            openpose(folder)
    other = tmp_path / "raw" / "val" / "bow" / "clip" / "w_0003_keypoints.json"
    as_json(other, {"people": []})
    report = convert_folder(tmp_path / "raw", tmp_path / "a.pkl", **IMAGE)
    (refused,) = report["refused"]
    assert refused["file"] == "val/bow/clip"
    assert refused["kind"] == "frame-numbers"
    other.unlink()
    people = [{"pose_keypoints_2d": pixels_with_scores(18)[0].ravel().tolist()}]
    as_json(other.parent / "w_0099_keypoints.json", {"people": people})
    report = convert_folder(tmp_path / "raw", tmp_path / "a.pkl", **IMAGE)
    (refused,) = report["refused"]
    assert refused["file"] == "val/bow/clip"
    assert refused["kind"] == "layout"


def test_files_with_different_layouts_are_rejected(tmp_path):
    for side, joints in (("train", 25), ("val", 18)):
        for label in ("wave", "bow"):
            folder = tmp_path / "raw" / side / label
            folder.mkdir(parents=True)
            openpose(folder, joints)
    with raises("layout"):
        convert_folder(tmp_path / "raw", tmp_path / "a.pkl", **IMAGE)
    with raises("layout"):  # the files specify another layout
        convert_folder(
            tmp_path / "raw" / "train",
            tmp_path / "a.pkl",
            layout="coco",
            val_fraction=0.5,
            **IMAGE,
        )


def test_layout_is_required_for_videos_with_unknown_joints(tmp_path):
    pose_of_20 = np.full((1, 20, 2), 9.0), np.full((1, 20), 0.5)
    for side in ("train", "val"):
        for label in ("wave", "bow"):
            folder = tmp_path / "raw" / side / label
            folder.mkdir(parents=True)
            video(folder)
    with raises("layout"):
        convert_folder(
            tmp_path / "raw", tmp_path / "a.pkl", pose=lambda image: pose_of_20
        )
    report = convert_folder(
        tmp_path / "raw", tmp_path / "a.pkl", "kinect20", pose=lambda image: pose_of_20
    )
    assert report["written"]
    assert len(load_annotations(tmp_path / "a.pkl")["meta"]["joints"]) == 20


def test_split_list_in_the_folder_is_not_a_sequence(tmp_path):
    for label in ("wave", "bow"):
        for number in range(2):
            folder = tmp_path / "raw" / label / str(number)
            folder.mkdir(parents=True)
            csv_table(folder)
    names = [
        f"{label}/{n}/clip.csv,{('train', 'val')[n]}"
        for label in ("wave", "bow")
        for n in range(2)
    ]
    (tmp_path / "raw" / "list.csv").write_text(
        "\n".join(["name,split", *names]), encoding="utf-8"
    )
    report = convert_folder(
        tmp_path / "raw",
        tmp_path / "a.pkl",
        "kinect20",
        "m",
        split=tmp_path / "raw" / "list.csv",
    )
    assert report["written"]
    assert report["files_used"] == ["list.csv"]
    assert report["sequences"] == 4
    assert not report["left_out"]


def test_table_in_the_documentation():
    rows = [
        "| format | files | name | command | what is read |",
        "|---|---|---|---|---|",
    ]
    for fmt in all_formats().values():
        suffixes = ", ".join(f"`{suffix}`" for suffix in fmt.suffixes) or "a folder"
        command = "prepare folder" if fmt.data_set is None else "convert"
        rows.append(
            f"| {fmt.title} | {suffixes} | `{fmt.name}` | `msg3d {command}` | {fmt.keeps} |"
        )
    page = (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8")
    assert "\n".join(rows) in page
