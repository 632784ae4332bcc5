"""Converters of pose estimators' JSON: all forms give the same annotations."""

import contextlib
import json
import shutil

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from errors import raises
from in_process import msg3d_command
from msg3d.converters import convert_coco_json
from msg3d.converters.labels import read_list
from msg3d.converters.user_data import ESTIMATORS
from msg3d.converters.user_files import NOT_LISTED
from msg3d.datasets import (
    SkeletonDataset,
    load_annotations,
)
from msg3d.errors import DataError, SkipFile
from msg3d.formats.base import ReadOptions, Source, read
from msg3d.formats.frames import NO_PERSON
from msg3d.skeletons import skeleton

FORMS = ("mmpose", "alphapose", "coco", "yolo")
JOINTS = list(skeleton("coco").joints)


def people(seed=0, persons=2, frames=8):
    """Return poses [M, T, 17, 2] in pixels and scores [M, T, 17] of distant persons."""
    rng = np.random.default_rng(seed)
    body = rng.uniform(0, [60, 160], size=(persons, 1, 17, 2))
    position = np.array([[100 + 250 * m, 150] for m in range(persons)])
    steps = rng.uniform(-5, 5, size=(persons, frames, 1, 2))
    score = rng.uniform(0.3, 1, size=(persons, frames, 17))
    score[0] += 0.5  # The person with the highest score is first.
    pose = body + position[:, None, None] + steps
    return pose.round(2).astype(np.float32), score.round(3).astype(np.float32)


def instances(pose, score, frame):
    """Return (person, [17, 2], [17]) of a frame. Odd frames have the reverse order."""
    order = range(len(pose)) if frame % 2 == 0 else reversed(range(len(pose)))
    return [
        (m, pose[m, frame].tolist(), score[m, frame].tolist())
        for m in order
        if score[m, frame].any()
    ]


def flat(pose, score):
    return [
        float(value)
        for joint, joint_score in zip(pose, score, strict=True)
        for value in (*joint, joint_score)
    ]


def mmpose(pose, score, track=False, first=1):
    """Output of `topdown_demo_with_mmdet.py --save-predictions`, with nested boxes."""
    return {
        "meta_info": {"dataset_name": "coco", "keypoint_id2name": {}},
        "instance_info": [
            {
                "frame_id": frame + first,
                "instances": [
                    dict(
                        keypoints=joints,
                        keypoint_scores=scores,
                        bbox=[[0.0, 0.0, 1.0, 1.0]],
                        bbox_score=0.9,
                        **({"track_id": person + 3} if track else {}),
                    )
                    for person, joints, scores in instances(pose, score, frame)
                ],
            }
            for frame in range(pose.shape[1])
        ],
    }


def alphapose(pose, score, track=False, first=0):
    """Output of `demo_inference.py`. Without a tracker, each idx is 0."""
    return [
        {
            "image_id": f"{frame + first}.jpg",
            "category_id": 1,
            "keypoints": flat(joints, scores),
            "score": 2.9,
            "box": [0.0, 0.0, 1.0, 1.0],
            "idx": [float(person + 1)] if track else 0.0,
        }
        for frame in range(pose.shape[1])
        for person, joints, scores in instances(pose, score, frame)
    ]


def coco(pose, score, track=False, first=0):
    """COCO annotations of the frames of a video."""
    frames = range(pose.shape[1])
    return {
        "images": [
            {
                "id": 70 + t,
                "file_name": f"v/{t + first:06d}.jpg",
                "height": 480,
                "width": 640,
            }
            for t in frames
        ],
        "annotations": [
            dict(
                id=10 * t + person,
                image_id=70 + t,
                category_id=1,
                keypoints=flat(joints, scores),
                **({"track_id": person} if track else {}),
            )
            for t in frames
            for person, joints, scores in instances(pose, score, t)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": JOINTS}],
    }


def yolo(pose, score, track=False, first=0):
    """Output of `[json.loads(r.to_json()) for r in model(video, stream=True)]`."""
    return [
        [
            {
                "name": "person",
                "class": 0,
                "confidence": 0.9,
                "box": {"x1": 0.0, "y1": 0.0, "x2": 1.0, "y2": 1.0},
                **({"track_id": person + 1} if track else {}),
                "keypoints": {
                    "x": [x for x, _ in joints],
                    "y": [y for _, y in joints],
                    "visible": scores,
                },
            }
            for person, joints, scores in instances(pose, score, frame)
        ]
        for frame in range(pose.shape[1])
    ]


WRITE = {"mmpose": mmpose, "alphapose": alphapose, "coco": coco, "yolo": yolo}


def parse_content(content, form=None, normalized=False, max_persons=5):
    options = ReadOptions(
        unit="normalized" if normalized else "px",
        max_persons=max_persons,
        formats=ESTIMATORS if form is None else (form,),
    )
    (sample,) = read(Source("train/wave/a.json", content), options)
    return sample


def parse(data, **options):
    return parse_content(json.dumps(data).encode(), **options)


def check(sample, pose, score):
    assert sample["total_frames"] == pose.shape[1]
    assert sample["keypoint"].dtype == sample["keypoint_score"].dtype == np.float32
    np.testing.assert_array_equal(sample["keypoint"], pose)
    np.testing.assert_array_equal(sample["keypoint_score"], score)


@pytest.mark.parametrize("track", [False, True])
@pytest.mark.parametrize("first", [0, 1, 250])
@pytest.mark.parametrize("form", FORMS)
def test_all_forms_give_the_same_sample(form, first, track):
    pose, score = people()
    sample = parse(WRITE[form](pose, score, track=track, first=first))
    check(sample, pose, score)
    assert sample["frame_dir"] == "train/wave/a"
    assert sample["layout"] == "coco"
    assert sample["notes"] == {f"read as the output of {form}": 1}
    assert sample.get("img_shape") == ((480, 640) if form == "coco" else None)


def as_inferencer(data):
    """MMPoseInferencer's `pred_out_dir` for a video: a list of frames from 0."""
    return [dict(frame, frame_id=n) for n, frame in enumerate(data["instance_info"])]


def as_results(data):
    """`[result["predictions"] for result in inferencer(video)]`: a batch per frame."""
    return [[frame["instances"]] for frame in data["instance_info"]]


@pytest.mark.parametrize(
    "variant",
    [
        as_inferencer,
        as_results,
        lambda data: {"predictions": as_inferencer(data)},
        lambda data: {"predictions": as_results(data)},
        lambda data: [frame["instances"] for frame in data["instance_info"]],
    ],
)
def test_variants_of_mmpose(variant):
    pose, score = people()
    check(parse(variant(mmpose(pose, score))), pose, score)


def test_variants_of_other_forms():
    pose, score = people()
    texts = [json.dumps(frame) for frame in yolo(pose, score)]
    check(parse(texts), pose, score)
    results = [
        {
            "image_id": int(person["image_id"][:-4]),
            "category_id": 1,
            "keypoints": person["keypoints"],
            "score": 0.5,
        }
        for person in alphapose(pose, score)
    ]
    check(parse(results), pose, score)
    results = [
        dict(person, image_id=f"cam1_{int(person['image_id'][:-4]):05d}.mp4")
        for person in alphapose(pose, score)
    ]
    check(parse(results), pose, score)


def test_visibility_flags_are_scores():
    pose, score = people()
    flags = np.random.default_rng(0).integers(0, 3, size=score.shape)
    sample = parse(coco(pose, flags, track=True))
    present = (flags > 0).astype(np.float32)
    order = np.argsort(-present.sum(axis=(1, 2)), kind="stable")
    check(sample, (pose * present[..., None])[order], present[order])


@pytest.mark.parametrize("joints", [26, 133, 136])
def test_coco_joints_are_the_first_of_larger_layouts(joints):
    pose, score = people()
    extra = joints - 17
    poses = np.pad(pose, ((0, 0), (0, 0), (0, extra), (0, 0)), constant_values=9)
    scores = np.pad(score, ((0, 0), (0, 0), (0, extra)), constant_values=1)
    check(parse(alphapose(poses, scores)), pose, score)


@pytest.mark.parametrize("form", FORMS)
def test_frames_without_persons_are_zero(form):
    pose, score = people()
    for array in (pose, score):
        array[:, 3:5] = 0
        array[1, 6] = 0
    check(parse(WRITE[form](pose, score, track=True)), pose, score)


def test_empty_frames_at_the_ends_are_kept():
    """MMPose lists empty frames; AlphaPose does not."""
    pose, score = people()
    for array in (pose, score):
        array[:, :2] = 0
        array[:, -1] = 0
    check(parse(mmpose(pose, score)), pose, score)
    check(parse(alphapose(pose, score)), pose[:, 2:-1], score[:, 2:-1])


def test_joint_without_position_or_score_is_absent():
    pose, score = people()
    pose[0, :, 3] = 0
    score[0, :, 4] = 0
    sample = parse(yolo(pose, score))
    assert not sample["keypoint"][0, :, [3, 4]].any()
    assert not sample["keypoint_score"][0, :, [3, 4]].any()


def test_persons_beyond_the_maximum_are_counted():
    pose, score = people(persons=4)
    sample = parse(mmpose(pose, score, track=True), max_persons=1)
    check(sample, pose[:1], score[:1])
    assert sample["notes"]["persons beyond --max-persons 1"] == 3


@pytest.mark.parametrize("form", ["mmpose", "coco", "yolo"])
def test_files_without_persons_are_skipped(form):
    pose, score = people()
    with pytest.raises(SkipFile) as caught:
        parse(WRITE[form](pose, np.zeros_like(score)))
    assert str(caught.value) == NO_PERSON


def test_contradicting_unit_is_rejected():
    pose, score = people()
    fractions = pose / [640, 480]
    with raises("unit"):
        parse(yolo(fractions, score))
    with raises("unit"):
        parse(yolo(pose, score), normalized=True)
    sample = parse(yolo(fractions, score), normalized=True)
    np.testing.assert_array_equal(sample["keypoint"], fractions.astype(np.float32))


def corrupted(form, change):
    data = WRITE[form](*people(), track=True)
    change(data)
    return data


def instance_of(data):
    return data["instance_info"][2]["instances"][1]


INVALID = {  # case -> data, kind of the error, field of the error or None
    "truncated": (lambda: None, "syntax", None),
    "number": (lambda: 7, "unknown-format", None),
    "other object": (lambda: {"people": []}, "unknown-format", None),
    "list of numbers": (lambda: [1, 2], "unknown-format", None),
    "list of strings": (lambda: ["a", "b"], "unknown-format", None),
    "mmpose, missing scores": (
        lambda: corrupted("mmpose", lambda d: instance_of(d).pop("keypoint_scores")),
        "shape",
        "instance_info[2].instances[1].keypoints",
    ),
    "mmpose, 16 joints": (
        lambda: corrupted("mmpose", lambda d: instance_of(d)["keypoints"].pop()),
        "shape",
        "instance_info[2].instances[1].keypoints",
    ),
    "mmpose, 3D": (
        lambda: corrupted(
            "mmpose", lambda d: [xy.append(0.0) for xy in instance_of(d)["keypoints"]]
        ),
        "shape",
        "instance_info[2].instances[1].keypoints",
    ),
    "mmpose, string coordinate": (
        lambda: corrupted(
            "mmpose", lambda d: instance_of(d)["keypoints"].__setitem__(0, ["1", 2.0])
        ),
        "number",
        "instance_info[2].instances[1].keypoints",
    ),
    "mmpose, NaN": (
        lambda: corrupted(
            "mmpose",
            lambda d: instance_of(d)["keypoint_scores"].__setitem__(0, float("nan")),
        ),
        "not-finite",
        "instance_info[2].instances[1]'s scores",
    ),
    "mmpose, string frame_id": (
        lambda: corrupted(
            "mmpose", lambda d: d["instance_info"][1].update(frame_id="2")
        ),
        "frame-numbers",
        "instance_info[1].frame_id",
    ),
    "mmpose, duplicate frame": (
        lambda: corrupted("mmpose", lambda d: d["instance_info"][1].update(frame_id=1)),
        "frame-numbers",
        None,
    ),
    "mmpose, huge frame_id": (
        lambda: corrupted(
            "mmpose", lambda d: d["instance_info"][7].update(frame_id=10**12)
        ),
        "frame-numbers",
        None,
    ),
    "mmpose, duplicate track_id": (
        lambda: corrupted("mmpose", lambda d: instance_of(d).update(track_id=3)),
        "persons",
        None,
    ),
    "mmpose, string track_id": (
        lambda: corrupted("mmpose", lambda d: instance_of(d).update(track_id="x")),
        "number",
        "instance_info[2].instances[1]",
    ),
    "mmpose, missing instances": (
        lambda: corrupted("mmpose", lambda d: d["instance_info"][1].pop("instances")),
        "structure",
        "instance_info[1]",
    ),
    "mmpose, number as person": (
        lambda: corrupted(
            "mmpose", lambda d: d["instance_info"][1]["instances"].append(5)
        ),
        "structure",
        "instance_info[1].instances",
    ),
    "alphapose, image_id without number": (
        lambda: corrupted("alphapose", lambda d: d[4].update(image_id="last.jpg")),
        "frame-numbers",
        "[4].image_id",
    ),
    "alphapose, 50 numbers": (
        lambda: corrupted("alphapose", lambda d: d[4]["keypoints"].pop()),
        "shape",
        "[4].keypoints",
    ),
    "alphapose, 16 joints": (
        lambda: corrupted("alphapose", lambda d: d[4].update(keypoints=[1.0] * 48)),
        "shape",
        "[4].keypoints",
    ),
    "alphapose, 16 joints in all frames": (
        lambda: corrupted(
            "alphapose", lambda d: [person.update(keypoints=[9.0] * 48) for person in d]
        ),
        "layout",
        "[0].keypoints",
    ),
    "coco, other joints": (
        lambda: corrupted(
            "coco", lambda d: d["categories"][0].update(keypoints=["head"] * 17)
        ),
        "layout",
        "categories",
    ),
    "coco, unknown image": (
        lambda: corrupted("coco", lambda d: d["annotations"][3].update(image_id=5)),
        "unknown-name",
        "annotations[3]",
    ),
    "coco, different image sizes": (
        lambda: corrupted("coco", lambda d: d["images"][3].update(height=5)),
        "img-shape",
        "images",
    ),
    "coco, duplicate frame": (
        lambda: corrupted("coco", lambda d: d["images"][3].update(file_name="2.jpg")),
        "frame-numbers",
        "images",
    ),
    "coco, missing images": (
        lambda: corrupted("coco", lambda d: d.pop("images")),
        "structure",
        "the file",
    ),
    "yolo, missing keypoints": (
        lambda: corrupted("yolo", lambda d: d[1][0].pop("keypoints")),
        "structure",
        "[1][0]",
    ),
    "yolo, too few y": (
        lambda: corrupted("yolo", lambda d: d[1][0]["keypoints"]["y"].pop()),
        "shape",
        "[1][0].keypoints",
    ),
    "yolo, too few scores": (
        lambda: corrupted("yolo", lambda d: d[1][0]["keypoints"]["visible"].pop()),
        "shape",
        "[1][0]'s scores",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file(case):
    make_data, kind, field = INVALID[case]
    data = make_data()
    content = b"[[" if data is None else json.dumps(data).encode()
    with raises(kind, file="a.json", **({"field": field} if field else {})) as caught:
        parse_content(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_corrupt_bytes(form):
    """Truncated files and flipped bits give a DataError, SkipFile, or a sample."""
    rng = np.random.default_rng(0)
    valid = json.dumps(WRITE[form](*people(frames=3), track=True)).encode()
    rejected = 0
    for number in range(400):
        length = len(valid) if number % 2 else rng.integers(len(valid) + 1)
        content = bytearray(valid[:length])
        for index in rng.integers(len(content) + 1, size=1 + rng.integers(3)):
            if index < len(content):
                content[index] ^= 1 << rng.integers(8)
        try:
            parse_content(bytes(content))
        except (DataError, SkipFile):
            rejected += 1
    assert 250 < rejected < 400


@pytest.mark.parametrize("form", FORMS)
def test_replaced_values(form):
    """Replacing any value in the JSON gives a DataError, SkipFile, or a sample."""
    rng = np.random.default_rng(1)
    others = [None, True, -1, 10**30, 1e300, "", "7", [], [[]], {}, {"x": 1}]

    def replaced(data):
        if rng.random() < 0.25 or not isinstance(data, (list, dict)) or not data:
            return others[rng.integers(len(others))]
        key = list(data)[rng.integers(len(data))] if isinstance(data, dict) else None
        copy = data.copy()
        if key is None:
            key = int(rng.integers(len(data)))
        copy[key] = replaced(data[key])
        return copy

    valid = WRITE[form](*people(frames=2), track=True)
    for _ in range(600):
        content = json.dumps(replaced(valid)).encode()
        for option in (None, form):
            with contextlib.suppress(DataError, SkipFile):
                parse_content(content, form=option)


def save(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")


def videos(raw, forms=FORMS):
    """Write two classes with two videos per split, cycling through the forms."""
    for number in range(8):
        side, label = ("train", "val")[number % 2], ("wave", "jump")[number // 2 % 2]
        data = WRITE[forms[number % len(forms)]](*people(seed=number))
        save(raw / side / label / f"v{number}.json", data)
    return raw


def command(*arguments):
    return msg3d_command("prepare", "poses", *arguments, "--overwrite")


def test_labels_and_splits_from_folders(tmp_path):
    raw = videos(tmp_path / "raw")
    report = convert_coco_json(raw, tmp_path / "a.pkl", img_shape=(480, 640))
    assert report["written"]
    assert report["sequences"] == 8
    assert {text: len(counts) for text, counts in report["notes"].items()} == {
        f"read as the output of {form}": 2 for form in FORMS
    }
    data = load_annotations(tmp_path / "a.pkl")
    assert data["meta"]["classes"] == ["jump", "wave"]
    assert data["meta"]["units"] == "px"
    assert data["meta"]["layout"] == "coco"
    for sample in data["annotations"]:
        side, label, video = sample["frame_dir"].split("/")
        assert sample["frame_dir"] in data["split"][side]
        assert data["meta"]["classes"][sample["label"]] == label
        assert sample["img_shape"] == (480, 640)
        check(sample, *people(seed=int(video[1:])))


def test_labels_splits_and_sizes_from_list(tmp_path):
    raw, lines = tmp_path / "raw", ["file,label,split,height,width"]
    for number in range(4):
        save(raw / f"day{number}" / "a.json", mmpose(*people(seed=number)))
        lines.append(
            f"day{number}/a.json,{(10, 9)[number // 2]},{('train', 'val')[number % 2]},"
            f"{480 + number},640"
        )
    save(raw / "spare.json", mmpose(*people()))
    table = tmp_path / "list.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    report = convert_coco_json(raw, tmp_path / "a.pkl", list_file=table)
    assert report["left_out"] == {NOT_LISTED: ["spare"]}
    data = load_annotations(tmp_path / "a.pkl")
    assert data["meta"]["classes"] == ["9", "10"]
    assert [sample["label"] for sample in data["annotations"]] == [1, 1, 0, 0]
    heights = [sample["img_shape"][0] for sample in data["annotations"]]
    assert heights == [480, 481, 482, 483]
    assert data["split"]["val"] == ["day1/a", "day3/a"]
    (raw / "day3" / "a.json").unlink()
    report = convert_coco_json(raw, tmp_path / "a.pkl", list_file=table)
    (entry,) = report["refused"]
    assert not report["written"]
    assert entry["file"] == "day3/a"
    assert entry["kind"] == "not-found"
    assert "line 5" in entry["why"]


def test_files_of_one_frame_are_joined_by_folder(tmp_path):
    raw = tmp_path / "raw"
    for number in range(4):
        side, label = ("train", "val")[number % 2], ("wave", "jump")[number // 2]
        pose, score = people(seed=number, frames=12)
        pose[:, 5] = score[:, 5] = 0
        for t, frame in enumerate(yolo(pose, score)):
            folder = raw / side / label / f"v{number}.2"
            save(folder / f"frame.{t + 7}.json", frame)
    # Images of MMPoseInferencer, and a video without persons.
    pose, score = people(seed=4)
    for t, frame in enumerate(mmpose(pose, score)["instance_info"]):
        save(raw / "train" / "wave" / "v4" / f"{t:03d}.json", frame["instances"])
    save(raw / "train" / "wave" / "none.json", [])
    report = convert_coco_json(raw, tmp_path / "a.pkl", img_shape=(480, 640))
    assert report["written"]
    assert not report["refused"]
    assert report["sequences"] == 5
    assert report["left_out"] == {NO_PERSON: ["train/wave/none.json"]}
    data = load_annotations(tmp_path / "a.pkl")
    for sample in data["annotations"]:
        number = int(sample["frame_dir"].split("/")[2][1])
        pose, score = people(seed=number, frames=8 if number == 4 else 12)
        if number < 4:
            pose[:, 5] = score[:, 5] = 0
        check(sample, pose, score)
    assert data["split"]["val"] == ["val/jump/v3.2", "val/wave/v1.2"]
    save(raw / "train" / "wave" / "v4" / "again_003.json", frame["instances"])
    (entry,) = convert_coco_json(raw, tmp_path / "b.pkl", img_shape=(4, 6))["refused"]
    assert entry["file"] == "train/wave/v4"
    assert entry["kind"] == "frame-numbers"


def test_normalized_coordinates_become_pixels_if_the_size_is_known(tmp_path):
    raw = tmp_path / "raw"
    for number in range(4):
        pose, score = people(seed=number)
        data = yolo(pose / np.float32([640, 480]), score)
        side, label = ("train", "val")[number % 2], ("wave", "jump")[number // 2]
        save(raw / side / label / f"v{number}.json", data)
    for shape, scale, units in (
        (None, 1, "normalized"),
        ((480, 640), [640, 480], "px"),
    ):
        convert_coco_json(raw, tmp_path / "a.pkl", img_shape=shape, normalized=True)
        data = load_annotations(tmp_path / "a.pkl")
        assert data["meta"]["units"] == units
        for sample in data["annotations"]:
            pose, _ = people(seed=int(sample["frame_dir"][-1]))
            expected = pose / [640, 480] * scale
            np.testing.assert_allclose(sample["keypoint"], expected, rtol=1e-6)
            assert sample["img_shape"] == (shape or (1, 1))


@pytest.mark.parametrize("list_has_sizes", [False, True])
def test_image_size_of_list_overrides_file_overrides_option(tmp_path, list_has_sizes):
    raw = tmp_path / "raw"
    lines = ["file,label,split" + list_has_sizes * ",height,width"]
    for number, form in enumerate(("coco", "mmpose", "coco", "mmpose")):
        save(raw / f"{number}.json", WRITE[form](*people(seed=number)))
        line = f"{number}.json,{number // 2},{('train', 'val')[number % 2]}"
        lines.append(line + list_has_sizes * f",{700 + number},900")
    table = tmp_path / "list.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    convert_coco_json(raw, tmp_path / "a.pkl", list_file=table, img_shape=(500, 600))
    data = load_annotations(tmp_path / "a.pkl")
    shapes = [sample["img_shape"] for sample in data["annotations"]]
    if list_has_sizes:
        assert shapes == [(700, 900), (701, 900), (702, 900), (703, 900)]
    else:
        assert shapes == [(480, 640), (500, 600)] * 2


def test_image_size_in_the_list_gives_pixels(tmp_path):
    raw, lines = tmp_path / "raw", ["file,label,split,height,width"]
    for number in range(4):
        pose, score = people(seed=number)
        save(raw / f"{number}.json", yolo(pose / np.float32([640, 480]), score))
        line = f"{number}.json,{number // 2},{('train', 'val')[number % 2]},480,640"
        lines.append(line)
    table = tmp_path / "list.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    options = {"list_file": table, "img_shape": (5, 6), "normalized": True}
    convert_coco_json(raw, tmp_path / "a.pkl", **options)
    data = load_annotations(tmp_path / "a.pkl")
    for number, sample in enumerate(data["annotations"]):
        pose, _ = people(seed=number)
        np.testing.assert_allclose(sample["keypoint"], pose, rtol=1e-5)


def test_missing_size_split_or_files(tmp_path):
    raw = videos(tmp_path / "raw")
    with raises("img-shape", sample="train/wave/v0"):
        convert_coco_json(raw, tmp_path / "a.pkl")
    with raises("split", file="train"):
        convert_coco_json(raw / "train", tmp_path / "a.pkl")
    (tmp_path / "empty").mkdir()
    with raises("empty", file="empty"):
        convert_coco_json(tmp_path / "empty", tmp_path / "a.pkl")
    with raises("not-found", file="none"):
        convert_coco_json(tmp_path / "none", tmp_path / "a.pkl")
    assert not (tmp_path / "a.pkl").exists()


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("", "empty", 1),
        ("file,label\na,b", "columns", 1),
        ("file,label,split\n", "empty", None),
        ("file,label,split\na.json,x,train\na.json,x,val", "duplicate", 3),
        ("file,label,split\na.json,,train", "label", 2),
        ("file,label,split\na.json,x,both", "split", 2),
        ("file,label,split\na.json,x", "row", 2),
        ("file,label,split,height,width\na.json,x,val,480,", "img-shape", 2),
        (b"file,label,split\n\xff,x,val", "encoding", 2),
    ],
)
def test_invalid_list(tmp_path, text, kind, line):
    path = tmp_path / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with raises(kind, file="list.csv", line=line):
        read_list(path, (".json",))


def test_command(tmp_path, monkeypatch, capsys):
    raw, out = videos(tmp_path / "raw"), tmp_path / "a.pkl"
    shape = ["--img-shape", 480, 640]
    assert command(raw, out, *shape) == 0
    printed = capsys.readouterr().out
    assert "note           read as the output of yolo: 2 in 2 sequences" in printed
    assert "split val: 4 train, 4 val" in printed
    assert command(raw, out) == 1
    assert "train/wave/v0" in capsys.readouterr().err
    assert command(raw, out, *shape, "--format", "yolo") == 1
    printed = capsys.readouterr().out
    assert "NOT written" in printed
    assert "(6 files rejected)" in printed
    options = [*shape, "--format", "yolo", "--skip-invalid", "--max-persons", 1]
    yolo_files = tmp_path / "yolo"
    shutil.copytree(raw, yolo_files)
    for path in yolo_files.glob("*/*/*.json"):
        save(path, yolo(*people(seed=int(path.stem[1:]))))
    save(yolo_files / "train" / "wave" / "invalid.json", 5)
    assert command(yolo_files, out, *options) == 0
    data = load_annotations(out)
    assert {len(sample["keypoint"]) for sample in data["annotations"]} == {1}


def test_pipeline_of_the_2d_configs(tmp_path):
    raw = videos(tmp_path / "raw")
    convert_coco_json(raw, tmp_path / "a.pkl", img_shape=(480, 640))
    init_default_scope("mmaction")
    data = SkeletonDataset(
        ann_file=str(tmp_path / "a.pkl"),
        split="train",
        pipeline=[
            {"type": "PreNormalize2D"},
            {"type": "GenSkeFeat", "dataset": "coco", "feats": ["j"]},
            {"type": "FastUniformSampleFrames", "clip_len": 8},
            {"type": "PoseDecode"},
            {"type": "FormatGCNInput", "num_person": 2},
            {"type": "PackActionInputs"},
        ],
    )
    assert len(data) == 4
    assert data.metainfo["classes"] == ["jump", "wave"]
    inputs = data[0]["inputs"].numpy()
    assert inputs.shape == (1, 2, 8, 17, 3)
    assert inputs.dtype == np.float32
    name = data.get_data_info(0)["frame_dir"]
    pose, score = people(seed=int(name[-1]))
    expected = (pose - [320, 240]) / [320, 240]
    np.testing.assert_allclose(inputs[0, ..., :2], expected, atol=1e-6)
    np.testing.assert_array_equal(inputs[0, ..., 2], score)
