"""Kinetics-skeleton converter: clips, label lists, and selection of persons."""

import copy
import gzip
import json
import shutil

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from errors import raises
from in_process import msg3d_command
from msg3d.converters import convert_kinetics
from msg3d.converters.kinetics import parse_clip
from msg3d.converters.kinetics_lists import (
    OTHER_INDEX,
    class_names,
    find_label_lists,
    read_label_lists,
)
from msg3d.converters.report import report_text
from msg3d.datasets import (
    SkeletonDataset,
    load_annotations,
)
from msg3d.errors import DataError, SkipFile
from msg3d.formats.base import Source, detect_format, read
from msg3d.formats.kinetics_skeleton import FORMAT

CLASSES = ["abseiling", "air drumming", "zumba"]


def clip(label=0, frames=6, persons=2, seed=0):
    """Return a clip in the format of the release. Frame 2 contains no person."""
    rng = np.random.default_rng(seed)

    def person():
        score = rng.uniform(0.1, 1, 18).round(3)
        score[rng.integers(18)] = 0
        pose = rng.uniform(0.05, 1, (18, 2)).round(3) * (score > 0)[:, None]
        return {"pose": pose.ravel().tolist(), "score": score.tolist()}

    data = [
        {"frame_index": t, "skeleton": [person() for _ in range(persons * (t != 2))]}
        for t in range(1, frames + 1)
    ]
    return {"data": data, "label": CLASSES[label], "label_index": label}


def entry(label=0, has_skeleton=True):
    return {"has_skeleton": has_skeleton, "label": CLASSES[label], "label_index": label}


def release(path):
    """Write three clips per split, and the label lists."""
    for side, first in (("train", 0), ("val", 3)):
        folder = path / f"kinetics_{side}"
        folder.mkdir(parents=True)
        names = [f"clip_{number}" for number in range(first, first + 3)]
        for label, name in enumerate(names):
            text = json.dumps(clip(label, seed=first + label))
            (folder / f"{name}.json").write_text(text, encoding="utf-8")
        entries = {name: entry(label) for label, name in enumerate(names)}
        (path / f"kinetics_{side}_label.json").write_text(
            json.dumps(entries), encoding="utf-8"
        )
    return path


def reference_ranking(record, rows=2, read=5):
    """Apply the authors' rule per frame: sort the first five by score, keep two."""
    frames = record["data"][-1]["frame_index"]
    keypoint = np.zeros((rows, frames, 18, 2), dtype=np.float32)
    score = np.zeros((rows, frames, 18), dtype=np.float32)
    for frame in record["data"]:
        persons = frame["skeleton"][:read]
        persons.sort(key=lambda person: -np.float32(person["score"]).sum())
        for row, person in enumerate(persons[:rows]):
            t = frame["frame_index"] - 1
            score[row, t] = person["score"]
            keypoint[row, t] = np.reshape(person["pose"], (18, 2))
    keypoint[score == 0] = 0
    return keypoint, score


def parse(record, **options):
    (sample,) = parse_clip("a/b/xyz.json", json.dumps(record).encode(), **options)
    return sample


def command(*arguments):
    return msg3d_command("prepare", "kinetics", *arguments, "--overwrite")


@pytest.mark.parametrize(("persons", "rows"), [(1, 2), (2, 2), (7, 2), (7, 6), (3, 1)])
def test_persons_are_ranked_as_by_the_authors(persons, rows):
    record = clip(persons=persons, seed=persons)
    sample = parse(record, max_persons=rows)
    keypoint, score = reference_ranking(record, rows, read=max(5, rows))
    assert sample["frame_dir"] == "xyz"
    assert sample["total_frames"] == 6
    assert sample["img_shape"] == (1, 1)
    rows = min(persons, rows)
    assert sample["keypoint"].shape == (rows, 6, 18, 2)
    assert sample["keypoint"].dtype == sample["keypoint_score"].dtype == np.float32
    np.testing.assert_array_equal(sample["keypoint"], keypoint[:rows])
    np.testing.assert_array_equal(sample["keypoint_score"], score[:rows])
    assert not sample["keypoint"][:, 1].any(), "frame 2 is not empty"


def test_sixth_person_of_a_frame_is_ignored():
    record = clip(persons=6)
    for frame in record["data"]:
        for person in frame["skeleton"][5:]:
            person["score"] = [9.0] * 18
    assert parse(record)["keypoint_score"].max() <= 1


def test_sample_starts_at_frame_1_if_frames_are_missing():
    record = clip()
    del record["data"][:3]
    sample = parse(record)
    assert sample["total_frames"] == 6
    assert not sample["keypoint"][:, :3].any()
    np.testing.assert_array_equal(sample["keypoint"], reference_ranking(record)[0])


def test_tracked_persons_stay_in_their_row():
    """The order of two persons in the file alternates between frames."""
    record = clip(frames=8)
    persons = copy.deepcopy(record["data"][0]["skeleton"])
    persons[1]["pose"] = [(x + 2) * (x > 0) for x in persons[1]["pose"]]  # distant
    for number, frame in enumerate(record["data"]):
        frame["skeleton"] = persons[:: -1 if number % 2 else 1]
    sample = parse(record, persons="track", max_persons=5)
    assert sample["keypoint"].shape == (2, 8, 18, 2)
    assert not np.ptp(sample["keypoint"], axis=1).any(), "a person moves"


def test_release(tmp_path):
    raw = release(tmp_path / "raw")
    report = convert_kinetics(raw, tmp_path / "a.pkl")
    assert report["written"]
    assert report["files_read"] == report["files_released"] == 6
    data = load_annotations(tmp_path / "a.pkl")
    assert data["split"] == {
        "train": ["clip_0", "clip_1", "clip_2"],
        "val": ["clip_3", "clip_4", "clip_5"],
    }
    assert data["meta"]["classes"] == CLASSES
    assert data["meta"]["layout"] == "openpose"
    assert data["meta"]["units"] == report["units"] == "normalized"
    assert [sample["label"] for sample in data["annotations"]] == [0, 1, 2] * 2
    assert set(data["annotations"][0]) == {
        *("frame_dir", "label", "total_frames", "img_shape"),
        *("keypoint", "keypoint_score"),
    }


def test_lists_override_clips(tmp_path):
    """The lists decide on labels, splits, and which clips to use."""
    raw = release(tmp_path / "raw")
    train = raw / "kinetics_train"
    renumbered = clip(1)
    renumbered["label_index"] = 7
    (train / "clip_1.json").write_text(json.dumps(renumbered), encoding="utf-8")
    (train / "unlisted.json").write_text(json.dumps(clip(0)), encoding="utf-8")
    shutil.copy(train / "unlisted.json", train / "excluded.json")
    lists = json.loads((raw / "kinetics_train_label.json").read_text(encoding="utf-8"))
    lists.update(excluded=entry(has_skeleton=False), missing=entry())
    (raw / "kinetics_train_label.json").unlink()
    with gzip.open(
        raw / "kinetics_train_label.json.gz", "wt", encoding="utf-8"
    ) as file:
        json.dump(lists, file)
    report = convert_kinetics(raw, tmp_path / "a.pkl")
    assert report["written"]
    assert report["sequences"] == 6
    assert report["files_released"] == 7
    assert report["notes"] == {OTHER_INDEX: {"clip_1": 1}}
    assert report["left_out"] == {
        "in no label list": ["unlisted.json"],
        "has_skeleton is false in the label list": ["excluded.json"],
    }
    used = ["kinetics_train_label.json.gz", "kinetics_val_label.json"]
    assert sorted(report["files_used"]) == used
    assert not report["other_files"]
    text = report_text(report)
    assert "files read     6 of 7 in the label lists" in text.splitlines()[0]
    assert f"used           {used[0]}" in text
    assert "ignored" not in text
    assert not report["remarks"]
    labels = {
        sample["frame_dir"]: sample["label"]
        for sample in load_annotations(tmp_path / "a.pkl")["annotations"]
    }
    assert labels["clip_1"] == 1


def test_different_class_name_is_rejected(tmp_path):
    raw = release(tmp_path / "raw")
    (raw / "kinetics_val" / "clip_3.json").write_text(
        json.dumps(clip(2)), encoding="utf-8"
    )
    report = convert_kinetics(raw, tmp_path / "a.pkl")
    (entry,) = report["refused"]
    assert entry["file"] == "clip_3.json"
    assert not report["written"]
    assert entry["kind"] == "label"


def changed(change):
    def corrupt(record):
        change(record)
        return json.dumps(record)

    return corrupt


def person_of(record, frame=2):
    return record["data"][frame]["skeleton"][1]


# case -> function that corrupts a clip, kind of the error, field of the error
INVALID = {
    "truncated": (lambda record: json.dumps(record)[:-9], "syntax", None),
    "empty": (lambda record: "", "syntax", None),
    "deeply nested": (lambda record: "[" * 100000, "syntax", None),
    "list": (lambda record: "[1]", "structure", None),
    "missing field": (changed(lambda record: record.pop("label")), "structure", None),
    "number as label": (changed(lambda r: r.update(label=3)), "label", "label"),
    "string index": (changed(lambda r: r.update(label_index="0")), "label", "label"),
    "no frames": (changed(lambda r: r.update(data={})), "structure", "data"),
    "number as frame": (
        changed(lambda r: r["data"].insert(1, 5)),
        "structure",
        "data[1]",
    ),
    "string frame_index": (
        changed(lambda r: r["data"][3].update(frame_index="4")),
        "structure",
        "data[3]",
    ),
    "duplicate frame": (
        changed(lambda r: r["data"][3].update(frame_index=3)),
        "frame-numbers",
        "data[3]",
    ),
    "frame 0": (
        changed(lambda r: r["data"][0].update(frame_index=0)),
        "frame-numbers",
        "data[0]",
    ),
    "huge frame_index": (
        changed(lambda r: r["data"][-1].update(frame_index=10**9)),
        "frame-numbers",
        None,
    ),
    "missing score": (
        changed(lambda r: person_of(r).pop("score")),
        "structure",
        "data[2].skeleton[1]",
    ),
    "35 numbers": (
        changed(lambda r: person_of(r)["pose"].pop()),
        "shape",
        "data[2].skeleton[1].pose",
    ),
    "17 scores": (
        changed(lambda r: person_of(r)["score"].pop()),
        "shape",
        "data[2].skeleton[1].score",
    ),
    "string coordinate": (
        changed(lambda r: person_of(r)["pose"].__setitem__(3, "0.5")),
        "number",
        "data[2].skeleton[1].pose",
    ),
    "null": (
        changed(lambda r: person_of(r)["pose"].__setitem__(3, None)),
        "number",
        "data[2].skeleton[1].pose",
    ),
    "NaN": (
        changed(lambda r: person_of(r)["pose"].__setitem__(3, float("nan"))),
        "not-finite",
        "data[2].skeleton[1].pose",
    ),
    "beyond float32": (
        changed(lambda r: person_of(r)["score"].__setitem__(3, 1e300)),
        "not-finite",
        "data[2].skeleton[1].score",
    ),
    "huge integer": (
        changed(lambda r: person_of(r)["pose"].__setitem__(3, 10**400)),
        "number",
        "data[2].skeleton[1].pose",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_clip(case):
    corrupt, kind, field = INVALID[case]
    with raises(kind, DataError, field=field) as error:
        parse_clip("a.json", corrupt(clip()).encode())
    assert "\n" not in str(error.value)


def test_clips_without_persons_are_skipped():
    absent = clip()
    for frame in absent["data"]:
        for person in frame["skeleton"]:
            person["score"] = [0.0] * 18
    for record in (clip(persons=0), absent, {**clip(), "data": []}):
        with pytest.raises(SkipFile, match="no person in any frame"):
            parse_clip("a.json", json.dumps(record).encode())


def test_corrupt_bytes():
    """Truncated files and flipped bits give a DataError, SkipFile, or a sample."""
    rng = np.random.default_rng(0)
    valid, rejected = json.dumps(clip(frames=3)).encode(), 0
    for _ in range(400):
        content = bytearray(valid[: rng.integers(len(valid) + 1)])
        for index in rng.integers(len(content) + 1, size=rng.integers(3)):
            if index < len(content):
                content[index] ^= 1 << rng.integers(8)
        try:
            parse_clip("a.json", bytes(content))
        except (DataError, SkipFile):
            rejected += 1
    assert rejected > 300


def test_other_encodings():
    expected = parse(clip())["keypoint"]
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        content = json.dumps(clip()).encode(encoding)
        (sample,) = parse_clip("a.json", content)
        np.testing.assert_array_equal(sample["keypoint"], expected)


# case -> content, kind of the error, location of the error
INVALID_LISTS = {
    "truncated": ('{"a": ', "syntax", {"file": "kinetics_val_label.json"}),
    "not gzip": (
        b"\x1f\x8b\x08cut",
        "corrupt-archive",
        {"file": "kinetics_val_label.json.gz"},
    ),
    "list": ("[1]", "structure", {"file": "kinetics_val_label.json"}),
    "missing field": (
        '{"a": {"label": "zumba"}}',
        "structure",
        {"file": "kinetics_val_label.json", "field": "a"},
    ),
    "clip in both lists": (
        json.dumps({"clip_0": entry()}),
        "split",
        {"sample": "clip_0"},
    ),
}


@pytest.mark.parametrize("case", INVALID_LISTS)
def test_invalid_list(tmp_path, case):
    content, kind, where = INVALID_LISTS[case]
    raw = release(tmp_path / "raw")
    path = raw / "kinetics_val_label.json"
    path.unlink()
    if isinstance(content, bytes):
        path.with_name(f"{path.name}.gz").write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    with raises(kind, DataError, **where):
        convert_kinetics(raw, tmp_path / "a.pkl")


def test_single_list(tmp_path):
    """Clips that are not listed form the other split, and are labeled by class name."""
    raw = release(tmp_path / "raw")
    expected_report = convert_kinetics(raw, tmp_path / "both.pkl")
    expected = load_annotations(tmp_path / "both.pkl")
    (raw / "kinetics_train_label.json").unlink()
    (raw / "kinetics_train" / "other.json").write_text(
        json.dumps({**clip(), "label": "archery"}), encoding="utf-8"
    )
    report = convert_kinetics(raw, tmp_path / "single.pkl")
    assert report["splits"] == expected_report["splits"]
    (remark,) = report["remarks"]
    assert remark["side"] == "train"
    assert remark["clips"] == ["clip_0", "clip_1", "clip_2"]
    text = report_text(report)
    assert "note           3 clips are in no label list" in text
    assert "of 3 in the label list\n" in text
    assert list(report["left_out"].values()) == [["other.json"]]
    data = load_annotations(tmp_path / "single.pkl")
    assert data["split"] == expected["split"]
    expected_names = {
        sample["frame_dir"]: expected["meta"]["classes"][sample["label"]]
        for sample in expected["annotations"]
    }
    for sample in data["annotations"]:
        name = data["meta"]["classes"][sample["label"]]
        assert name == expected_names[sample["frame_dir"]]


def test_lists_of_two_releases_are_rejected(tmp_path):
    raw = release(tmp_path / "raw")
    other = {"x": dict(entry(), label="archery")}  # a second name for index 0
    (raw / "kinetics_val_label.json").write_text(json.dumps(other), encoding="utf-8")
    with raises("label", DataError):
        convert_kinetics(raw, tmp_path / "a.pkl")
    (raw / "kinetics_val_label.json.gz").write_bytes(gzip.compress(b"{}"))
    with raises("duplicate", DataError, file="kinetics_val_label.json.gz"):
        find_label_lists(raw)


def test_command(tmp_path, capsys):
    raw, out = release(tmp_path / "raw"), tmp_path / "a.pkl"
    assert command(raw, out) == 0
    assert "split kinetics: 3 train, 3 val" in capsys.readouterr().out
    (raw / "kinetics_val" / "clip_3.json").write_text("{", encoding="utf-8")
    assert command(raw, out) == 1
    assert "NOT written" in capsys.readouterr().out
    options = ["--skip-invalid", "--persons", "track", "--max-persons", "1"]
    assert command(raw, out, *options) == 0
    data = load_annotations(out)
    assert data["meta"]["persons"] == "track"
    assert len(data["annotations"]) == 5
    assert {len(sample["keypoint"]) for sample in data["annotations"]} == {1}
    lists = tmp_path / "lists"
    lists.mkdir()
    for path in raw.glob("*_label.json"):
        path.rename(lists / path.name)
    assert command(raw, out, "--skip-invalid") == 1
    assert "--lists" in capsys.readouterr().err
    options = ["--skip-invalid", "--lists", lists]
    assert command(raw, out, *options) == 0


def test_prediction_and_training_read_the_same():
    """Prediction tracks persons."""
    content = json.dumps(clip(frames=8)).encode()
    source = Source("a/xyz.json", content)
    assert detect_format(source).name == "kinetics_skeleton"
    (sequence,) = read(source)
    sample = parse(clip(frames=8), persons="track", max_persons=5)
    for key in ("keypoint", "keypoint_score", "img_shape", "notes"):
        np.testing.assert_array_equal(sequence[key], sample[key])
    assert (sequence["layout"], sequence["unit"]) == ("openpose", "normalized")
    assert sequence["frame_dir"] == "a/xyz"
    for other in (entry(), {"data": [], "label": "a"}, [clip()]):
        source = Source("a.json", json.dumps(other).encode())
        assert not FORMAT.detect(source)


def test_pipeline_of_the_configs(tmp_path):
    """In the network input, absent joints are zero and the others are centered."""
    convert_kinetics(release(tmp_path / "raw"), tmp_path / "a.pkl")
    init_default_scope("mmaction")
    data = SkeletonDataset(
        ann_file=str(tmp_path / "a.pkl"),
        split="train",
        pipeline=[
            {"type": "CenterPose2D", "half": 0.5, "y_up": True},
            {"type": "GenSkeFeat", "dataset": "openpose", "feats": ["j"]},
            {"type": "FastUniformSampleFrames", "clip_len": 6},
            {"type": "PoseDecode"},
            {"type": "FormatGCNInput", "num_person": 2},
            {"type": "PackActionInputs"},
        ],
    )
    assert data.metainfo["classes"] == CLASSES
    inputs = data[1]["inputs"].numpy()
    assert inputs.shape == (1, 2, 6, 18, 3)
    assert inputs.dtype == np.float32
    keypoint, score = reference_ranking(clip(1, seed=1))
    expected = (keypoint - 0.5) * [1, -1] * (score > 0)[..., None]
    np.testing.assert_allclose(inputs[0, ..., :2], expected, atol=1e-6)
    np.testing.assert_array_equal(inputs[0, ..., 2], score)


def test_real_clips(shared, tmp_path):
    """Convert twelve clips of the release, five of them with another label_index."""
    source = shared / "data" / "kinetics_raw"
    val_list = source / "labels_kinetics_val_label.json.gz"
    with gzip.open(val_list) as file:
        val = json.load(file)
    index = {clip["label"]: clip["label_index"] for clip in val.values()}
    raw, train = tmp_path / "raw", {}
    (raw / "kinetics_train").mkdir(parents=True)
    (raw / "kinetics_val").mkdir()
    shutil.copyfile(val_list, raw / val_list.name)
    records = {}
    for path in source.glob("*.json"):
        records[path.stem] = record = json.loads(path.read_text(encoding="utf-8"))
        side = "val" if path.stem in val else "train"
        shutil.copyfile(path, raw / f"kinetics_{side}" / path.name)
        if side == "train":
            name = record["label"]
            train[path.stem] = {
                "has_skeleton": True,
                "label": name,
                "label_index": index[name],
            }
    (raw / "kinetics_train_label.json").write_text(json.dumps(train), encoding="utf-8")
    report = convert_kinetics(raw, tmp_path / "a.pkl")
    assert report["written"]
    assert report["files_read"] == 12
    assert not report["refused"]
    assert report["frames"] == {"min": 164, "median": 299, "max": 299}
    assert set(report["notes"][OTHER_INDEX]) == set(train)
    assert len(train) == 5
    data = load_annotations(tmp_path / "a.pkl")
    assert len(data["meta"]["classes"]) == 400
    assert data["meta"]["classes"] == class_names(
        read_label_lists(find_label_lists(raw))
    )
    for sample in data["annotations"]:
        record = records[sample["frame_dir"]]
        assert data["meta"]["classes"][sample["label"]] == record["label"]
        keypoint, score = reference_ranking(record)
        np.testing.assert_array_equal(sample["keypoint"], keypoint)
        np.testing.assert_array_equal(sample["keypoint_score"], score)
