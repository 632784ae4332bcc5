"""Errors of tracking that the checker locates."""

import numpy as np
import pytest

from in_process import msg3d_command
from msg3d.annotations.files import load_annotations, save_annotations
from msg3d.annotations.inspection import inspect_annotations
from msg3d.annotations.inspection.tracks import track_faults
from msg3d.preprocessing.augment import mirrored_order
from msg3d.skeletons import skeleton

FRAMES = 40
LAYOUT = skeleton("kinect20")


def walking(persons=2):
    """Return persons who walk and wave, [M, T, 20, 3], in meters."""
    rng = np.random.default_rng(0)
    pose = rng.uniform(-0.5, 0.5, (persons, 1, 20, 3))
    path = np.arange(FRAMES)[:, None, None] * [0.02, 0, 0.01]
    place = np.arange(persons)[:, None, None, None] * [1.5, 0, 0]
    noise = rng.normal(0, 0.003, (persons, FRAMES, 20, 3))
    return (pose + path + place + noise).astype(np.float32)


def found(keypoint, body=LAYOUT):
    return {
        fault.kind: (fault, event) for fault, event in track_faults("a", keypoint, body)
    }


def test_walking_persons_have_no_fault():
    assert not found(walking())


def test_frozen_track():
    keypoint = walking()
    keypoint[1, 12:25] = keypoint[1, 12]
    [(fault, event)] = found(keypoint).values()
    assert fault.kind == "frozen-track"
    assert "person 1 in frames 12 to 24" in fault.text
    keypoint[1, 12:25] = 0  # absent
    assert not found(keypoint)
    assert event.frame == 13


def test_swapped_persons():
    keypoint = walking()
    keypoint[:, 20:30] = keypoint[::-1, 20:30].copy()
    [(fault, event)] = found(keypoint).values()
    assert fault.kind == "persons-swapped"
    assert "2 times, first in frame 20" in fault.text
    assert event.frame == 20


def test_left_right_flip():
    keypoint = walking(1)
    order = mirrored_order("kinect20")
    keypoint[0, 10:15] = keypoint[0, 10:15][:, order]
    [(fault, event)] = found(keypoint).values()
    assert fault.kind == "left-right-flip"
    assert "2 times, first in frame 10" in fault.text
    np.testing.assert_array_equal(event.after[0], keypoint[0, 10])
    assert not found(keypoint, body=None)


@pytest.mark.parametrize(
    ("name", "layout"),
    [("nw_ucla", "kinect20"), ("sbu", "sbu15"), ("penn_action", "penn13")],
)
def test_real_data_have_few_faults(shared, name, layout):
    samples = load_annotations(shared / "data" / f"{name}.pkl")["annotations"]
    faults = [
        fault
        for sample in samples
        for fault, _ in track_faults("a", sample["keypoint"], skeleton(layout))
    ]
    assert len(faults) <= 2


def test_report_and_picture(tmp_path):
    keypoint = walking()
    keypoint[:, 20:] = keypoint[::-1, 20:].copy()
    sample = {
        "frame_dir": "a",
        "label": 0,
        "total_frames": FRAMES,
        "keypoint": keypoint,
    }
    others = [
        {**sample, "frame_dir": name, "label": label, "keypoint": walking() + number}
        for number, (name, label) in enumerate([("b", 1), ("c", 0), ("d", 1)])
    ]
    splits = {"train": ["a", "b"], "val": ["c", "d"]}
    data = {"split": splits, "annotations": [sample, *others]}
    data["meta"] = {"layout": "kinect20"}
    inspection = inspect_annotations(data, "kinect20")
    assert "persons-swapped" in {fault.kind for fault in inspection.warnings}
    assert [event.sample for event in inspection.events] == ["a"]
    save_annotations(data, tmp_path / "a.pkl")
    picture = tmp_path / "a.png"
    assert msg3d_command("check", tmp_path / "a.pkl", "--picture", picture) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    data["meta"]["persons"] = "rank"  # rows are ranks, which change on purpose
    assert not inspect_annotations(data, "kinect20").events
