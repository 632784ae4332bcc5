"""The Kinetics-skeleton converter: clips, label lists, the authors' choice of persons."""

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
    """A clip as the release writes it; frame 2 without anybody."""
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
    """Three clips of training and three of validation, and the lists."""
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


def ranked_plainly(record, rows=2, read=5):
    """The authors' rule frame by frame: sort the first five by score, keep two."""
    frames = record["data"][-1]["frame_index"]
    keypoint = np.zeros((rows, frames, 18, 2), dtype=np.float32)
    score = np.zeros((rows, frames, 18), dtype=np.float32)
    for frame in record["data"]:
        persons = frame["skeleton"][:read]
        persons = sorted(persons, key=lambda one: -np.float32(one["score"]).sum())
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
def test_clip_as_the_authors_rank_it(persons, rows):
    record = clip(persons=persons, seed=persons)
    sample = parse(record, max_persons=rows)
    keypoint, score = ranked_plainly(record, rows, read=max(5, rows))
    assert sample["frame_dir"] == "xyz"
    assert sample["total_frames"] == 6
    assert sample["img_shape"] == (1, 1)
    kept = min(persons, rows)
    assert sample["keypoint"].shape == (kept, 6, 18, 2)
    assert sample["keypoint"].dtype == sample["keypoint_score"].dtype == np.float32
    np.testing.assert_array_equal(sample["keypoint"], keypoint[:kept])
    np.testing.assert_array_equal(sample["keypoint_score"], score[:kept])
    assert not sample["keypoint"][:, 1].any(), "frame 2 is empty"


def test_sixth_person_of_a_frame_is_not_looked_at():
    record = clip(persons=6)
    for frame in record["data"]:
        for person in frame["skeleton"][5:]:
            person["score"] = [9.0] * 18
    assert parse(record)["keypoint_score"].max() <= 1


def test_frame_1_is_the_first_whoever_is_listed():
    record = clip()
    del record["data"][:3]
    sample = parse(record)
    assert sample["total_frames"] == 6
    assert not sample["keypoint"][:, :3].any()
    np.testing.assert_array_equal(sample["keypoint"], ranked_plainly(record)[0])


def test_tracked_persons_stay_in_their_row():
    """Two persons who change places in the file from frame to frame."""
    record = clip(frames=8)
    two = copy.deepcopy(record["data"][0]["skeleton"])
    two[1]["pose"] = [(x + 2) * (x > 0) for x in two[1]["pose"]]  # far away
    for place, frame in enumerate(record["data"]):
        frame["skeleton"] = two[:: -1 if place % 2 else 1]
    sample = parse(record, persons="track", max_persons=5)
    assert sample["keypoint"].shape == (2, 8, 18, 2)
    assert not np.ptp(sample["keypoint"], axis=1).any(), "nobody moves"


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
    assert [one["label"] for one in data["annotations"]] == [0, 1, 2] * 2
    assert set(data["annotations"][0]) == {
        *("frame_dir", "label", "total_frames", "img_shape"),
        *("keypoint", "keypoint_score"),
    }


def test_lists_decide(tmp_path):
    """On labels, sides, and which clips belong at all."""
    raw = release(tmp_path / "raw")
    train = raw / "kinetics_train"
    renumbered = clip(1)
    renumbered["label_index"] = 7
    (train / "clip_1.json").write_text(json.dumps(renumbered), encoding="utf-8")
    (train / "stranger.json").write_text(json.dumps(clip(0)), encoding="utf-8")
    shutil.copy(train / "stranger.json", train / "nobody.json")
    lists = json.loads((raw / "kinetics_train_label.json").read_text(encoding="utf-8"))
    lists.update(nobody=entry(has_skeleton=False), lost=entry())
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
        "in no label list": ["stranger.json"],
        "has_skeleton is false in the label list": ["nobody.json"],
    }
    used = ["kinetics_train_label.json.gz", "kinetics_val_label.json"]
    assert sorted(report["files_used"]) == used
    assert not report["other_files"]
    text = report_text(report)
    assert "files read     6 of 7 in the label lists found" in text.splitlines()[0]
    assert f"used           {used[0]}" in text
    assert "not looked at" not in text
    assert not report["remarks"]
    labels = {
        one["frame_dir"]: one["label"]
        for one in load_annotations(tmp_path / "a.pkl")["annotations"]
    }
    assert labels["clip_1"] == 1


def test_other_name_is_refused(tmp_path):
    raw = release(tmp_path / "raw")
    (raw / "kinetics_val" / "clip_3.json").write_text(
        json.dumps(clip(2)), encoding="utf-8"
    )
    report = convert_kinetics(raw, tmp_path / "a.pkl")
    (refused,) = report["refused"]
    assert refused["file"] == "clip_3.json"
    assert not report["written"]
    assert refused["kind"] == "label"


def changed(change):
    def damaged(record):
        change(record)
        return json.dumps(record)

    return damaged


def person_of(record, frame=2):
    return record["data"][frame]["skeleton"][1]


# case -> what is done to the clip, kind of the error, field
BAD = {
    "cut off": (lambda record: json.dumps(record)[:-9], "syntax", None),
    "empty": (lambda record: "", "syntax", None),
    "too deep": (lambda record: "[" * 100000, "syntax", None),
    "list": (lambda record: "[1]", "structure", None),
    "field gone": (changed(lambda record: record.pop("label")), "structure", None),
    "label number": (changed(lambda r: r.update(label=3)), "label", "label"),
    "index text": (changed(lambda r: r.update(label_index="0")), "label", "label"),
    "no frames": (changed(lambda r: r.update(data={})), "structure", "data"),
    "frame gone": (
        changed(lambda r: r["data"].insert(1, 5)),
        "structure",
        "data[1]",
    ),
    "frame text": (
        changed(lambda r: r["data"][3].update(frame_index="4")),
        "structure",
        "data[3]",
    ),
    "frame twice": (
        changed(lambda r: r["data"][3].update(frame_index=3)),
        "frame-numbers",
        "data[3]",
    ),
    "frame 0": (
        changed(lambda r: r["data"][0].update(frame_index=0)),
        "frame-numbers",
        "data[0]",
    ),
    "frame far away": (
        changed(lambda r: r["data"][-1].update(frame_index=10**9)),
        "frame-numbers",
        None,
    ),
    "no score": (
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
    "text": (
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
    "huge": (
        changed(lambda r: person_of(r)["pose"].__setitem__(3, 10**400)),
        "number",
        "data[2].skeleton[1].pose",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_clip_is_named(case):
    damage, kind, field = BAD[case]
    with raises(kind, DataError, field=field) as error:
        parse_clip("a.json", damage(clip()).encode())
    assert "\n" not in str(error.value)


def test_clips_without_anybody_are_left_out():
    absent = clip()
    for frame in absent["data"]:
        for person in frame["skeleton"]:
            person["score"] = [0.0] * 18
    for record in (clip(persons=0), absent, {**clip(), "data": []}):
        with pytest.raises(SkipFile, match="no person in any frame"):
            parse_clip("a.json", json.dumps(record).encode())


def test_damaged_bytes_are_refused_or_read():
    """Truncations and flips end in DataError, SkipFile or a sample, never otherwise."""
    rng = np.random.default_rng(0)
    good, refused = json.dumps(clip(frames=3)).encode(), 0
    for _ in range(400):
        content = bytearray(good[: rng.integers(len(good) + 1)])
        for place in rng.integers(len(content) + 1, size=rng.integers(3)):
            if place < len(content):
                content[place] ^= 1 << rng.integers(8)
        try:
            parse_clip("a.json", bytes(content))
        except (DataError, SkipFile):
            refused += 1
    assert refused > 300


def test_other_encodings_are_read():
    plain = parse(clip())["keypoint"]
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        content = json.dumps(clip()).encode(encoding)
        (sample,) = parse_clip("a.json", content)
        np.testing.assert_array_equal(sample["keypoint"], plain)


# case -> content, kind of the error, place
BAD_LISTS = {
    "cut off": ('{"a": ', "syntax", {"file": "kinetics_val_label.json"}),
    "not gzip": (
        b"\x1f\x8b\x08cut",
        "corrupt-archive",
        {"file": "kinetics_val_label.json.gz"},
    ),
    "list": ("[1]", "structure", {"file": "kinetics_val_label.json"}),
    "field gone": (
        '{"a": {"label": "zumba"}}',
        "structure",
        {"file": "kinetics_val_label.json", "field": "a"},
    ),
    "in both": (json.dumps({"clip_0": entry()}), "split", {"sample": "clip_0"}),
}


@pytest.mark.parametrize("case", BAD_LISTS)
def test_bad_list_is_named(tmp_path, case):
    content, kind, where = BAD_LISTS[case]
    raw = release(tmp_path / "raw")
    path = raw / "kinetics_val_label.json"
    path.unlink()
    if isinstance(content, bytes):
        path.with_name(f"{path.name}.gz").write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    with raises(kind, DataError, **where):
        convert_kinetics(raw, tmp_path / "a.pkl")


def test_one_list(tmp_path):
    """The other side is the clips that it does not name, labelled by their class."""
    raw = release(tmp_path / "raw")
    both = convert_kinetics(raw, tmp_path / "both.pkl")
    data = load_annotations(tmp_path / "both.pkl")
    (raw / "kinetics_train_label.json").unlink()
    (raw / "kinetics_train" / "odd.json").write_text(
        json.dumps({**clip(), "label": "archery"}), encoding="utf-8"
    )
    report = convert_kinetics(raw, tmp_path / "one.pkl")
    assert report["splits"] == both["splits"]
    (remark,) = report["remarks"]
    assert remark["side"] == "train"
    assert remark["clips"] == ["clip_0", "clip_1", "clip_2"]
    text = report_text(report)
    assert (
        "note           3 clips are in no label list: taken as train, label by class "
        "name, because no train list was found" in text
    )
    assert "of 3 in the label list found" in text
    (left_out,) = report["left_out"].items()
    assert "a class that the list lacks" in left_out[0]
    assert left_out[1] == ["odd.json"]
    one = load_annotations(tmp_path / "one.pkl")
    assert one["split"] == data["split"]
    known = {sample["frame_dir"]: sample for sample in data["annotations"]}
    names = data["meta"]["classes"]
    for sample in one["annotations"]:
        name = names[known[sample["frame_dir"]]["label"]]
        assert one["meta"]["classes"][sample["label"]] == name


def test_lists_of_two_releases_are_refused(tmp_path):
    raw = release(tmp_path / "raw")
    other = {"x": dict(entry(), label="archery")}  # another name for 0
    (raw / "kinetics_val_label.json").write_text(json.dumps(other), encoding="utf-8")
    with raises("label", DataError):
        convert_kinetics(raw, tmp_path / "a.pkl")
    (raw / "kinetics_val_label.json.gz").write_bytes(gzip.compress(b"{}"))
    with raises("duplicate", DataError, file="kinetics_val_label.json.gz"):
        find_label_lists(raw)


def test_command(tmp_path, monkeypatch, capsys):
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
    assert {one["keypoint"].shape[0] for one in data["annotations"]} == {1}
    lists = tmp_path / "lists"
    lists.mkdir()
    for path in raw.glob("*_label.json"):
        path.rename(lists / path.name)
    assert command(raw, out, "--skip-invalid") == 1
    assert "--lists" in capsys.readouterr().err
    options = ["--skip-invalid", "--lists", lists]
    assert command(raw, out, *options) == 0


def test_prediction_reads_what_training_reads():
    """The persons tracked, and the image as the unit."""
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


def test_trains_as_2d_joints(tmp_path):
    """File -> data set -> network input, absent joints zero, present ones centred."""
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
    keypoint, score = ranked_plainly(clip(1, seed=1))
    expected = (keypoint - 0.5) * [1, -1] * (score > 0)[..., None]
    np.testing.assert_allclose(inputs[0, ..., :2], expected, atol=1e-6)
    np.testing.assert_array_equal(inputs[0, ..., 2], score)


def test_real_clips(shared, tmp_path):
    """Twelve clips of the release, five of them with a renumbered label_index."""
    source = shared / "data" / "kinetics_raw"
    known = source / "labels_kinetics_val_label.json.gz"
    with gzip.open(known) as file:
        val = json.load(file)
    index = {one["label"]: one["label_index"] for one in val.values()}
    raw, train = tmp_path / "raw", {}
    (raw / "kinetics_train").mkdir(parents=True)
    (raw / "kinetics_val").mkdir()
    shutil.copyfile(known, raw / known.name)
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
        keypoint, score = ranked_plainly(record)
        np.testing.assert_array_equal(sample["keypoint"], keypoint)
        np.testing.assert_array_equal(sample["keypoint_score"], score)
