"""Cutting sequences into chunks."""

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.annotations.chunks import cut_annotations
from msg3d.annotations.splits import shared_persons
from msg3d.datasets import load_annotations, save_annotations
from samples import annotations


def command(*arguments):
    return msg3d_command("chunks", *arguments)


def joined(data, name, field="keypoint"):
    chunks = [
        chunk[field]
        for chunk in data["annotations"]
        if chunk["frame_dir"].startswith(f"{name}_c")
    ]
    return np.concatenate(chunks, axis=1)


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("remainder", ["keep", "pad", "drop"])
def test_every_frame_is_kept_or_counted(remainder, channels):
    data = annotations(channels=channels, targets=2, frames=(6, 24))
    cut, report = cut_annotations(data, 10, remainder)
    padded = dropped = 0
    lost = []
    for sample in data["annotations"]:
        name, frames = sample["frame_dir"], sample["total_frames"]
        if remainder == "drop" and frames < 10:
            lost.append(name)
            dropped += frames
            continue
        count = {
            "keep": frames,
            "pad": -(-frames // 10) * 10,
            "drop": frames // 10 * 10,
        }
        count = count[remainder]
        padded, dropped = (
            padded + max(count - frames, 0),
            dropped + max(frames - count, 0),
        )
        indices = np.minimum(np.arange(count), frames - 1)
        for field in ("keypoint", "keypoint_score")[: 4 - channels]:
            expected = sample[field][:, indices]
            np.testing.assert_array_equal(joined(cut, name, field), expected)
    assert (report.frames_padded, report.frames_dropped) == (padded, dropped)
    assert report.lost == lost
    assert padded + dropped + (remainder == "keep") > 0
    short = [s["frame_dir"] for s in data["annotations"] if s["total_frames"] < 10]
    assert report.short == short
    assert report.chunks == len(cut["annotations"])
    for chunk in cut["annotations"]:
        name, _, number = chunk["frame_dir"].rpartition("_c")
        (sequence,) = (s for s in data["annotations"] if s["frame_dir"] == name)
        assert chunk["chunk"] == int(number)
        assert chunk["total_frames"] == chunk["keypoint"].shape[1] <= 10
        for field in ("targets", "person_id", "session"):
            assert chunk[field] is sequence[field]
    for split, ids in cut["split"].items():
        names = [name.rpartition("_c")[0] for name in ids]
        kept = [name for name in data["split"][split] if name not in lost]
        assert list(dict.fromkeys(names)) == kept
    assert "chunk" not in data["annotations"][0]  # the input is not modified


def test_error_without_any_chunk():
    data = annotations()
    with raises("split-empty", field="split['train']"):
        cut_annotations(data, 1000, "drop")
    with raises("no-samples"):
        cut_annotations(data["annotations"], 1000, "drop")


def test_plain_list_with_labels():
    cut, report = cut_annotations(annotations()["annotations"], 5, "keep")
    assert isinstance(cut, list)
    assert report.chunks == len(cut) > 24
    assert cut[0]["label"] == 0
    assert "targets" not in cut[0]


def test_persons_in_two_splits():
    data = annotations(targets=1)  # three samples per person: 0 to 2, 3 to 5, ...
    names = [sample["frame_dir"] for sample in data["annotations"]]
    assert list(shared_persons(data)) == [("train", "val", ["2"])]
    data["split"] = {
        "train": names[:6],
        "val": names[6:9],
        "test": [names[0], names[9]],
    }
    assert list(shared_persons(data)) == [("train", "test", ["0"])]


def test_command(tmp_path, monkeypatch, capsys):
    save_annotations(annotations(targets=2, frames=(6, 24)), tmp_path / "a.pkl")
    arguments = (tmp_path / "a.pkl", tmp_path / "b.pkl", "--length", 10)
    assert command(*arguments) == 0
    text, warnings = capsys.readouterr()
    assert "WARNING: 1 persons are in train and in val: 2" in warnings
    cut = load_annotations(tmp_path / "b.pkl")
    assert text.splitlines()[-1] == (
        f"wrote {tmp_path / 'b.pkl'}: 12 sequences as {len(cut['annotations'])} chunks "
        "of at most 10 frames (0 frames padded, 0 dropped, 0 sequences lost)"
    )
    packed = (arguments[0], tmp_path / "b.packed", *arguments[2:])
    assert command(*packed) == 1
    assert "b.packed" in capsys.readouterr().err
    assert cut["annotations"][0]["frame_dir"] == "sample000_c000"

    before = (tmp_path / "b.pkl").read_bytes()
    too_long = (*arguments[:3], 1000, "--remainder", "drop", "--overwrite")
    assert command(*too_long) == 1
    assert "a.pkl" in capsys.readouterr().err
    assert (tmp_path / "b.pkl").read_bytes() == before
