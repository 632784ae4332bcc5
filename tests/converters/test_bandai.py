"""Bandai-Namco converter: styles, units, frame step, and both splits."""

import numpy as np
import pytest

from errors import raises
from formats.test_bvh import as_bvh
from in_process import msg3d_command
from msg3d.annotations.files import load_annotations
from msg3d.converters import convert_bandai
from msg3d.converters.bandai import JOINTS, PARENTS, ROOT, parse_recording
from msg3d.errors import SkipFile

NAME = "dataset-2_walk_active_001.bvh"
CHANNELS = "Xposition Yposition Zposition Zrotation Xrotation Yrotation"


def recording(keypoint, **options):
    """Return the BVH text of a recording [T, 21, 3] in meters."""
    joints = {ROOT: (None, (0, 0, 0), CHANNELS)}
    joints |= {name: (parent, (9, 9, 9), CHANNELS) for name, parent in PARENTS.items()}
    # BVH lists children after their parents.
    order = []

    def visit(name):
        order.append(name)
        for child in PARENTS:
            if PARENTS[child] == name:
                visit(child)

    visit(ROOT)
    points = {ROOT: np.zeros((len(keypoint), 3))}
    points |= {name: 100.0 * keypoint[:, joint] for joint, name in enumerate(JOINTS)}
    columns = []
    for name in order:
        parent = joints[name][0]
        local = points[name] - (points[parent] if parent else 0)
        columns += [local, np.zeros_like(local)]
    values = np.concatenate(columns, axis=1)
    return as_bvh({name: joints[name] for name in order}, values, **options)


def keypoints(frames=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 2, (frames, 21, 3)).astype(np.float32)


def test_sample():
    expected = keypoints()
    (sample,) = parse_recording(f"data/{NAME}", recording(expected).encode())
    assert sample["frame_dir"] == "walk_active_001"
    assert sample["label"] == 0
    assert (sample["style"], sample["content"]) == ("active", "walk")
    assert sample["total_frames"] == 3
    assert sample["keypoint"].dtype == np.float32
    np.testing.assert_allclose(sample["keypoint"][0], expected[::2], atol=1e-6)


def test_motiondataset_1_is_skipped():
    with pytest.raises(SkipFile):
        parse_recording("dataset-1_bow_angry_001.bvh", b"")


@pytest.mark.parametrize(
    ("name", "change", "kind"),
    [
        ("walk_active_001.bvh", str, "file-name"),
        ("dataset-2_sit_active_001.bvh", str, "file-name"),
        ("dataset-2_walk_sad_001.bvh", str, "file-name"),
        (NAME, lambda text: text.replace("JOINT Neck", "JOINT Nose"), "layout"),
        (NAME, lambda text: text.replace("0.0333333", "0.0166667"), "frame-numbers"),
        (NAME, lambda text: text.replace("Frames: 5", "Frames: 6"), "truncated"),
        (NAME, lambda text: text.replace("Frames:", "Frames"), "structure"),
    ],
)
def test_invalid_files(name, change, kind):
    with raises(kind):
        parse_recording(name, change(recording(keypoints())).encode())


def write(folder, names):
    folder.mkdir()
    for seed, name in enumerate(names):
        text = recording(keypoints(seed=seed))
        (folder / f"dataset-2_{name}.bvh").write_text(text, encoding="utf-8")
    return folder


def test_command(tmp_path, capsys):
    names = [
        f"{content}_{style}_{number:03d}"
        for content in ("walk", "walk-turn-right")
        for style in ("active", "elderly")
        for number in (1, 2, 6)
    ]
    raw, out = write(tmp_path / "raw", names), tmp_path / "a.pkl"
    for number in range(20):
        (raw / f"dataset-2_{number}.json").write_text("{}", encoding="utf-8")
    assert msg3d_command("prepare", "bandai", raw, out, "--num-workers", 1) == 0
    printed = capsys.readouterr().out
    assert printed.count("ignored") == 1
    assert "20 files" in printed
    data = load_annotations(out)
    assert data["split"]["xcontent_val"] == sorted(names)[:6]
    assert [name[-3:] for name in data["split"]["seq_train"]] == ["002"] * 4
    assert len(data["split"]["seq_val"]) == 8
    assert data["meta"]["joints"] == JOINTS
    assert len(data["meta"]["inward"]) == 20

    (raw / NAME).write_text("HIERARCHY", encoding="utf-8")
    command = ("prepare", "bandai", raw, tmp_path / "b.pkl", "--num-workers", 1)
    assert msg3d_command(*command) == 1
    assert f"rejected       {NAME}" in capsys.readouterr().out
    assert not (tmp_path / "b.pkl").exists()


def test_published_annotations(shared, tmp_path):
    """Convert BVH files written from the published annotations; compare the results."""
    reference = load_annotations(shared / "data" / "bandai_styles.pkl")
    samples = reference["annotations"][::60]
    raw = tmp_path / "raw"
    raw.mkdir()
    for sample in samples:
        frames = np.repeat(sample["keypoint"][0].astype(np.float64), 2, axis=0)
        path = raw / f"dataset-2_{sample['frame_dir']}.bvh"
        path.write_text(recording(frames), encoding="utf-8")
    report = convert_bandai(raw, tmp_path / "a.pkl", jobs=1)
    assert report["written"]
    assert not report["remarks"]
    data = load_annotations(tmp_path / "a.pkl")
    assert data["meta"] == reference["meta"]
    names = {sample["frame_dir"] for sample in samples}
    for name, ids in data["split"].items():
        assert ids == [key for key in reference["split"][name] if key in names]
    for sample, expected in zip(data["annotations"], samples, strict=True):
        keypoint = sample.pop("keypoint")
        np.testing.assert_allclose(keypoint, expected["keypoint"], atol=1e-6)
        assert sample == {key: expected[key] for key in expected if key != "keypoint"}
