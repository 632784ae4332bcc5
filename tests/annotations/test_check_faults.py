"""Valid files have no faults, and every kind of fault is detected.

Each case mutates a valid file in a way that occurs in practice.
"""

import json

import numpy as np
import pytest

from faulty import (
    NAMES,
    by_name,
    copy_of,
    every,
    field,
    filled,
    good,
    kinds,
    labels,
    share_most,
    split,
    three_persons,
    turned,
)
from msg3d.annotations.faults import ERROR, KINDS
from msg3d.annotations.inspection import as_json, inspect_annotations
from msg3d.datasets import check_annotations
from msg3d.errors import DataError


def shrink(data):
    field(keypoint=lambda k: k / 1000)(data)


def several(*mutations):
    def mutate(data):
        for mutation in mutations:
            mutation(data)

    return mutate


MILLIMETERS = (
    every(keypoint=lambda k: k * 300),
    lambda data: data["meta"].update(units="meters, y up"),
)

# fault -> (kind, mutation, channels of the file, sample, field, values in the message
# separated by |, other kinds that follow)
S2, KEY = "sample002", "keypoint"
CASES = {
    # the file and its ids
    "no split": ("form", lambda d: d.pop("split"), 3, None, "split", "dict", ()),
    "split is a list": (
        *("form", lambda d: d.update(split=["a"]), 3, None, "split"),
        *("list|dict", ()),
    ),
    "annotations is a dict": (
        *("form", lambda d: d.update(annotations={}), 3, None, "annotations"),
        *("dict|list", ("split-unknown-id",)),
    ),
    "no samples": (
        *("no-samples", lambda d: d.update(annotations=[]), 3, None, None),
        *("", ()),
    ),
    "a sample is text": (
        *("sample-kind", lambda d: d["annotations"].append("x"), 3, None, None),
        *("12|str", ()),
    ),
    "id missing": (
        *("id-missing", field(frame_dir=None), 3, 2, "frame_dir"),
        *("annotation 2", ("split-unknown-id",)),
    ),
    "id is a number": (
        *("id-missing", field(frame_dir=7), 3, 2, "frame_dir"),
        *("annotation 2|7", ("split-unknown-id",)),
    ),
    "id twice": (
        *("id-twice", lambda d: d["annotations"].append(by_name(d)), 3, None),
        *("frame_dir", "'sample002'|2", ()),
    ),
    # splits
    "split is text": (
        *("split-kind", split("val", str), 3, None, "split['val']"),
        *("'val'|str", ("split-unused",)),
    ),
    "split is empty": (
        *("split-empty", split("val", lambda ids: []), 3, None, "split['val']"),
        *("'val'", ("split-unused",)),
    ),
    "unknown id in a split": (
        *("split-unknown-id", split("val", lambda ids: [*ids, "ghost"]), 3, None),
        *("split['val']", "'val'|'ghost'|1 of 5", ()),
    ),
    "id twice in a split": (
        *("split-twice", split("val", lambda ids: [*ids, ids[0]]), 3, "sample008"),
        *("split['val']", "'val'", ()),
    ),
    "id in train and val": (
        *("split-overlap", split("val", lambda ids: [*ids, S2]), 3, S2),
        *("split['val']", "'train'|'val'", ()),
    ),
    "sample in no split": (
        *("split-unused", split("train", lambda ids: ids[:2] + ids[3:]), 3, S2, None),
        *("", ()),
    ),
    # labels
    "label missing": (
        *("label-missing", field(label=None), 3, S2, "label", "frame_dir"),
        ("split-unused",),
    ),
    "label is bool": ("label-kind", field(label=True), 3, S2, "label", "True", ()),
    "label is float": ("label-kind", field(label=2.0), 3, S2, "label", "2.0", ()),
    "label is text": ("label-kind", field(label="sit"), 3, S2, "label", "'sit'", ()),
    "label is a list": ("label-kind", field(label=[1]), 3, S2, "label", "[1]", ()),
    "label negative": ("label-negative", field(label=-1), 3, S2, "label", "-1", ()),
    "targets are text": (
        *("targets-kind", field(targets="calm"), 3, S2, "targets"),
        *("'calm'", ()),
    ),
    "targets are lists": (
        *("targets-kind", field(targets=[[1], [2, 3]]), 3, S2, "targets"),
        *("[[1], [2, 3]]", ()),
    ),
    "targets are empty": (
        "targets-kind",
        field(targets=[]),
        3,
        S2,
        "targets",
        "[]",
        (),
    ),
    "target is one number": (
        *("targets-kind", field(targets=1.5), 3, S2, "targets", "1.5", ()),
    ),
    "target is NaN": (
        *("targets-not-finite", field(targets=[0, np.nan]), 3, S2, "targets"),
        *("[0.0, nan]", ()),
    ),
    "targets of other samples": (
        *("targets-differ", several(every(targets=[1, 2]), field(targets=[1])), 3),
        *(S2, "targets", "1|'sample000'|2", ()),
    ),
    "labels from 1": (
        *("label-start", labels([1, 2, 3] * 4), 3, None, "label"),
        *("1 to 3", ()),
    ),
    "class without a sample": (
        *("label-gap", labels([0, 1, 3] * 4), 3, None, "label"),
        *("2 ('wave')|1 of 4", ()),
    ),
    "huge label": (
        *("label-beyond-classes", field(label=10**12), 3, S2, "label"),
        *("1000000000000|meta['classes']|4", ("label-gap",)),
    ),
    "fewer names than classes": (
        *("label-beyond-classes", lambda d: d["meta"]["classes"].pop(), 3),
        *("sample003", "label", "3|meta['classes']", ()),
    ),
    "more names than classes": (
        *("label-gap", lambda d: d["meta"]["classes"].append("fly"), 3, None, "label"),
        *("4 ('fly')", ()),
    ),
    "class name twice": (
        *("classes-twice", lambda d: d["meta"].update(classes=["a", "b", "a", "c"])),
        *(3, None, "meta['classes']", "'a'|2|0, 2", ()),
    ),
    "class names are numbers": (
        *("classes-kind", lambda d: d["meta"].update(classes=[0, 1, 2, 3]), 3, None),
        *("meta['classes']", "list", ()),
    ),
    "meta is a list": (
        *("classes-kind", lambda d: d.update(meta=NAMES), 3, None, "meta['classes']"),
        *("list", ()),
    ),
    "single class in training": (
        *("one-class", labels([0] * 8 + [0, 1, 2, 3]), 3, None, "split['train']"),
        *("'train'|0", ("class-untrained",)),
    ),
    "class missing in training": (
        *("class-untrained", labels([0, 1] * 4 + [0, 1, 2, 3]), 3, None),
        *("split['val']", "'val'|2, 3|'train'", ()),
    ),
    # total_frames
    "total_frames missing": (
        *("total-frames-missing", field(total_frames=None), 3, S2, "total_frames"),
        *("total_frames", ()),
    ),
    "total_frames wrong": (
        *("total-frames", field(total_frames=lambda t: t + 1), 3, S2),
        *("total_frames", "frames|(1, ", ()),
    ),
    "total_frames is the number of joints": (
        *("total-frames", field(total_frames=20, keypoint=lambda k: k[:, :19]), 3, S2),
        *("total_frames", "20|19|(1, 19, 20, 3)", ()),
    ),
    "total_frames is text": (
        *("total-frames", field(total_frames=str), 3, S2, "total_frames"),
        *("'", ()),
    ),
    "total_frames is an array": (
        *("total-frames", field(total_frames=np.array([3, 3])), 3, S2, "total_frames"),
        *("array([3, 3])", ()),
    ),
    # form of keypoint
    "keypoint missing": (
        *("keypoint-missing", field(keypoint=None), 3, S2, KEY, "frame_dir", ()),
    ),
    "keypoint is a list": (
        *("keypoint-kind", field(keypoint=lambda k: k.tolist()), 3, S2, KEY),
        *("list", ()),
    ),
    "keypoint of objects": (
        *("keypoint-kind", field(keypoint=lambda k: k.astype(object)), 3, S2, KEY),
        *("object", ()),
    ),
    "keypoint is complex": (
        *("keypoint-kind", field(keypoint=lambda k: k.astype(complex)), 3, S2, KEY),
        *("complex128", ()),
    ),
    "keypoint of three axes": (
        *("keypoint-axes", field(keypoint=lambda k: k[0]), 3, S2, KEY),
        *("keypoint[None]", ()),
    ),
    "keypoint [T, M, V, C]": (
        *("keypoint-axes", field(keypoint=turned(1, 0, 2, 3)), 3, S2, KEY),
        *("[T, M, V, C]|[M, T, V, C]|transpose(1, 0, 2, 3)", ()),
    ),
    "keypoint [M, V, T, C]": (
        *("keypoint-axes", field(keypoint=turned(0, 2, 1, 3)), 3, S2, KEY),
        *("[M, V, T, C]", ()),
    ),
    "keypoint [M, C, T, V]": (
        *("keypoint-axes", field(keypoint=turned(0, 3, 1, 2)), 3, S2, KEY),
        *("keypoint.transpose(0, 2, 3, 1)", ()),
    ),
    "keypoint [C, T, V, M]": (
        *("keypoint-axes", field(keypoint=turned(3, 1, 2, 0)), 3, S2, KEY),
        *("keypoint.transpose(3, 1, 2, 0)", ()),
    ),
    "all keypoints [M, V, T, C]": (
        *("keypoint-axes", every(keypoint=turned(0, 2, 1, 3)), 3, S2, KEY),
        *("[M, V, T, C]", ()),
    ),
    "all keypoints [T, M, V, C], and total_frames 1": (
        "keypoint-axes",
        every(keypoint=turned(1, 0, 2, 3), total_frames=1),
        *(3, None, KEY, "[T, M, V, C]|transpose(1, 0, 2, 3)", None),
    ),
    "no persons": (
        *("keypoint-empty", field(keypoint=lambda k: k[:0]), 3, S2, KEY),
        *("persons|(0, ", ()),
    ),
    "no frames": (
        "keypoint-empty",
        field(keypoint=lambda k: k[:, :0], total_frames=0),
        *(3, S2, KEY, "frames|(1, 0, 20, 3)", ()),
    ),
    "no joints": (
        *("keypoint-empty", field(keypoint=lambda k: k[:, :, :0]), 3, S2, KEY),
        *("joints|, 0, 3)", ()),
    ),
    "one channel": (
        *("keypoint-channels", field(keypoint=lambda k: k[..., :1]), 3, S2, KEY),
        *(", 1)", ()),
    ),
    "four channels": (
        "keypoint-channels",
        field(keypoint=lambda k: np.concatenate([k, k[..., :1]], axis=-1)),
        *(3, S2, KEY, "4|, 4)", ()),
    ),
    "joints differ": (
        *("joints-differ", field(keypoint=lambda k: k[:, :, :17]), 3, S2, KEY),
        *("17|20", ()),
    ),
    "joints of the first sample differ": (
        "joints-differ",
        lambda d: by_name(d, 0).update(keypoint=by_name(d, 0)["keypoint"][:, :, :17]),
        *(3, "sample000", KEY, "17|20", ()),
    ),
    "channels differ": (
        *("channels-differ", field(keypoint=lambda k: k[..., :2]), 3, S2, KEY),
        *("2|3", ()),
    ),
    # values of keypoint
    "NaN": (
        "keypoint-not-finite",
        field(keypoint=filled((0, 3, 7), np.nan)),
        *(3, S2, KEY, "3 NaN|person 0, frame 3, joint 7", ()),
    ),
    "infinite": (
        "keypoint-not-finite",
        field(keypoint=filled((0, 3, 7, 1), np.inf)),
        *(3, S2, KEY, "1 NaN|person 0, frame 3, joint 7", ()),
    ),
    "integers": (
        *("keypoint-integer", field(keypoint=lambda k: k.astype(int)), 2, S2, KEY),
        *("int64|float32", ()),
    ),
    "float16": (
        *("float16", field(keypoint=lambda k: k.astype(np.float16)), 2, S2, KEY),
        *("float16|0.25", ()),
    ),
    "huge coordinate": (
        *("keypoint-huge", field(keypoint=filled((0, 3, 7, 1), 1e30)), 3, S2, KEY),
        *("1e+30", ()),
    ),
    "millimeters instead of meters": (
        *("scale-differs", field(keypoint=lambda k: k * 1000), 3, S2, KEY),
        *("", ()),
    ),
    "meters instead of millimeters": (
        "scale-differs",
        lambda d: (every(keypoint=lambda k: k * 1000)(d), shrink(d)),
        *(3, S2, KEY, "", ()),
    ),
    "all zero": (
        *("keypoint-zero", field(keypoint=np.zeros_like), 3, S2, KEY),
        *("", ()),
    ),
    "all on one point": (
        *("one-point", field(keypoint=np.ones_like), 3, S2, KEY),
        *("", ("frozen",)),
    ),
    "an empty frame": (
        *("frame-zero", field(keypoint=filled((0, slice(3, 5)), 0)), 3, S2, KEY),
        *("2 of |frame 3", ()),
    ),
    "absent person before a present one": (
        *("person-gap", field(keypoint=three_persons(1)), 3, S2, KEY),
        *("person 1|person 2", ()),
    ),
    "frozen": (
        *("frozen", field(keypoint=lambda k: k[:, [0] * k.shape[1]]), 3, S2, KEY),
        *(" frames", ()),
    ),
    "one frame": (
        *("one-frame", field(keypoint=lambda k: k[:, :1], total_frames=1), 3, S2, KEY),
        *("", ()),
    ),
    "joint always absent": (
        *("joint-never", every(keypoint=filled((..., 5, slice(None)), 0)), 3, None),
        *(KEY, "joint 5", ()),
    ),
    # keypoint_score
    "scores missing in one sample": (
        *("score-missing", field(keypoint_score=None), 2, S2, "keypoint_score"),
        *("'sample000'", ()),
    ),
    "scores in one sample only": (
        "score-missing",
        lambda d: by_name(d).update(
            keypoint_score=by_name(d)["keypoint"][..., 0] * 0 + 1
        ),
        *(3, S2, "keypoint_score", "'sample000'", ()),
    ),
    "scores of another shape": (
        *("score-kind", field(keypoint_score=lambda s: s[:, 1:]), 2, S2),
        *("keypoint_score", "(1, ", ()),
    ),
    "scores NaN": (
        *("score-not-finite", field(keypoint_score=lambda s: s * np.nan), 2, S2),
        *("keypoint_score", "person 0, frame 0, joint 0", ()),
    ),
    "scores of 0 to 100": (
        *("score-range", field(keypoint_score=lambda s: s * 100), 2, S2),
        *("keypoint_score", "100 to 100|0 to 1", ()),
    ),
    "scores all zero": (
        *("score-zero", field(keypoint_score=np.zeros_like), 2, S2),
        *("keypoint_score", "", ()),
    ),
    "scores of 3D joints": (
        "score-3d",
        lambda d: [
            s.update(keypoint_score=np.ones(s["keypoint"].shape[:3], np.float32))
            for s in d["annotations"]
        ],
        *(3, S2, "keypoint_score", "GenSkeFeat", ()),
    ),
    # img_shape
    "img_shape missing": (
        *("img-shape-missing", field(img_shape=None), 2, S2, "img_shape"),
        *("(1080, 1920)", ()),
    ),
    "img_shape of three": (
        *("img-shape-kind", field(img_shape=(480, 640, 3)), 2, S2, "img_shape"),
        *("(480, 640, 3)|(height, width)", ()),
    ),
    "img_shape is an array without axes": (
        *("img-shape-kind", field(img_shape=np.array(480)), 2, S2, "img_shape"),
        *("480", ()),
    ),
    "img_shape is text": (
        *("img-shape-kind", field(img_shape="480x640"), 2, S2, "img_shape"),
        *("'480x640'", ()),
    ),
    "img_shape swapped": (
        "img-shape-swapped",
        field(img_shape=(640, 360), keypoint=lambda k: (k - 300) / 3 + [560, 100]),
        *(2, S2, "img_shape", "(640, 360)|100%|(360, 640)", ()),
    ),
    "joints outside the image": (
        *("outside-image", field(keypoint=lambda k: k + 5000), 2, S2, "img_shape"),
        *("(480, 640)|100%", ()),
    ),
    "already normalized": (
        *("not-pixels", every(keypoint=lambda k: k / 240 - 1), 2, S2, KEY),
        *("(480, 640)", ()),
    ),
    # copies
    "copy in validation": (
        *("leak-identical", copy_of(0, 8), 3, "sample008", "split['val']"),
        *("'sample000'|'train'", ()),
    ),
    "most frames shared": (
        *("leak-mostly", share_most, 3, "sample008", "split['val']"),
        *("'train'|'sample000'", ()),
    ),
    "copy in training": (
        *("copy", copy_of(0, 4), 3, "sample004", KEY),
        *("'sample000'|'train'", ()),
    ),
    "copy with another label": (
        *("copy-other-label", copy_of(0, 5), 3, "sample005", KEY),
        *("'sample000'|1|0", ()),
    ),
    # unit
    "implausible size": (
        *("person-size", every(keypoint=lambda k: k / 5000), 3, None, KEY),
        *("0.2 to 5 m", ()),
    ),
    "wrong unit in meta": (
        *("person-size", several(*MILLIMETERS), 3, None, KEY),
        *("mm|'meters, y up'", ()),
    ),
}


@pytest.mark.parametrize("channels", [2, 3])
def test_valid_file_has_no_faults(channels):
    assert not inspect_annotations(good(channels)).faults
    assert not inspect_annotations(good(channels, persons=2)).faults
    assert not inspect_annotations(good(channels)["annotations"]).faults


@pytest.mark.parametrize("case", CASES)
def test_fault(case):
    kind, mutate, channels, sample, field_name, values, also = CASES[case]
    data = good(channels)
    mutate(data)
    inspection = inspect_annotations(data)
    matches = [f for f in inspection.faults if f.kind == kind and f.sample == sample]
    assert matches, [str(fault) for fault in inspection.faults]
    fault = matches[0]
    assert fault.field == field_name
    assert all(value in str(fault) for value in values.split("|")), fault
    if isinstance(sample, str):
        assert str(fault).startswith(f"sample {sample!r}: ")
    assert all("\n" not in str(other) for other in inspection.faults)
    if also is not None:
        assert kinds(inspection) - set(also) == {kind}
    # The check before training raises only errors that the checker reports. It compares
    # with the first sample, while the checker compares with the most common form.
    raised = None
    try:
        check_annotations(data, source="x.pkl")
    except DataError as error:
        raised = error
    if raised is not None:
        assert raised.where.file == "x.pkl"
        assert KINDS[raised.kind] == ERROR
        key = raised.kind, raised.where.sample, raised.where.field
        known = {(error.kind, error.sample, error.field) for error in inspection.errors}
        assert key in known or sample == "sample000"


def test_every_kind_is_tested():
    elsewhere = {"unreadable", "layout-joints", "mirrored", "missing-marker"}
    elsewhere |= {"rate-invalid", "frozen-track", "persons-swapped", "left-right-flip"}
    assert {case[0] for case in CASES.values()} | elsewhere == set(KINDS)
    assert len(CASES) > 40


def test_all_faults_are_reported():
    data = good()
    every(label="x", total_frames=3)(data)
    inspection = inspect_annotations(data)
    for kind in ("label-kind", "total-frames"):
        samples = [fault.sample for fault in inspection.faults if fault.kind == kind]
        assert samples == [f"sample{number:03d}" for number in range(12)]


def test_unusual_valid_files_have_no_faults():
    """Padded persons, invisible joints at (1, 1), joints at the border, NumPy labels."""
    data = good(2, persons=2)
    for sample in data["annotations"]:
        sample["label"] = np.int64(sample["label"])
        sample["keypoint"][1] = 0
        sample["keypoint_score"][1] = 0
        sample["keypoint"][0, :, 3] = 1
        sample["keypoint_score"][0, :, 3] = 0
        sample["keypoint"][0, 0, 5] = [-8, 485]
    assert not inspect_annotations(data).faults


def test_invalid_values_do_not_stop_the_checker():
    rng = np.random.default_rng(0)
    invalid = [None, [], {}, "x", 1.5, (1,), np.zeros((2, 2)), np.array(3), {1: 2}]
    for _ in range(300):
        data = good()
        sample = by_name(data, int(rng.integers(12)))
        name = rng.choice([*sample, "keypoint_score", "img_shape", "meta", "split"])
        value = invalid[rng.integers(len(invalid))]
        (data if name in ("meta", "split") else sample)[name] = value
        inspection = inspect_annotations(data, multi_class=bool(rng.integers(2)))
        json.dumps(as_json(inspection, "x.pkl"))


def test_correct_unit_in_meta_is_no_fault():
    data = good()
    MILLIMETERS[0](data)
    data["meta"]["units"] = "millimetres"  # British spelling is accepted, too
    assert not inspect_annotations(data).faults


@pytest.mark.parametrize("units", ["unscaled", "parts of the image, 0..1, y down"])
def test_units_without_length_are_not_checked(units):
    data = good()
    every(keypoint=lambda k: k / 5000)(data)
    data["meta"]["units"] = units
    assert not inspect_annotations(data).faults
