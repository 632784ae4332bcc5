"""Study of new classes from a few examples, on tiny data in this process."""

import numpy as np
import pytest
import torch

import msg3d  # noqa: F401
from in_process import without_paperwork
from msg3d.annotations.files import load_annotations, save_annotations
from samples import annotations
from studies import few_shot


def recordings(classes=10, subjects=4, views=3):
    """Return samples of each class, subject, and view."""
    names = [
        f"a{action:02d}_s{subject:02d}_e00_v{view:02d}"
        for subject in range(1, subjects + 1)
        for view in range(1, views + 1)
        for action in range(1, classes + 1)
    ]
    samples = annotations(classes=classes, samples=len(names))["annotations"]
    return [
        dict(sample, frame_dir=name)
        for sample, name in zip(samples, names, strict=True)
    ]


def test_copies_are_removed(tmp_path):
    first, second, third = recordings(classes=3, subjects=1, views=1)
    second["keypoint"][:, 4] = first["keypoint"][:, 2]  # one frame
    # All frames without a person are equal, and not copies.
    first["keypoint"][:, 0] = third["keypoint"][:, 0] = 0
    samples = [second, third, first]
    save_annotations({"split": {}, "annotations": samples}, tmp_path / "a.pkl")
    kept = few_shot.distinct(tmp_path / "a.pkl")
    assert [s["frame_dir"][:3] for s in kept] == ["a01", "a03"]


def test_labels_of_two_data_sets_differ():
    groups = [
        [{"frame_dir": "a", "label": n} for n in labels] for labels in ([7, 2], [2])
    ]
    samples = few_shot.joined(*groups)
    assert [sample["label"] for sample in samples] == [0, 1, 2]
    assert len({sample["frame_dir"] for sample in samples}) == 3


@pytest.mark.parametrize("protocol", ["any", "subject", "view"])
def test_episodes(protocol, monkeypatch):
    monkeypatch.setattr(few_shot, "EPISODES", 5)
    samples = recordings(classes=6)
    drawn = list(few_shot.episodes(samples, protocol, 2, seed=0))
    assert len(drawn) == 5
    for examples, queries in drawn:
        labels = [samples[index]["label"] for index in examples]
        assert sorted(labels) == sorted(labels[::2] * 2)
        assert len(set(labels)) == few_shot.WAYS
        assert {samples[index]["label"] for index in queries} == set(labels)
        assert not set(examples) & set(queries)
        names = [
            [samples[n]["frame_dir"] for n in part] for part in (examples, queries)
        ]
        subjects, views = (
            [{n[i:j] for n in part} for part in names] for i, j in ((5, 7), (-3, None))
        )
        if protocol == "subject":
            assert not subjects[0] & subjects[1]
        if protocol == "view":
            assert views == [{"v02", "v03"}, {"v01"}]
    again = list(few_shot.episodes(samples, protocol, 2, seed=0))
    assert all((a[0] == b[0]).all() for a, b in zip(drawn, again, strict=True))
    assert any((a[0] != drawn[0][0]).any() for a in drawn)


def test_methods_find_separate_classes(monkeypatch):
    monkeypatch.setattr(few_shot, "EPISODES", 3)
    samples, rng = recordings(classes=5, subjects=7), np.random.default_rng(0)
    labels = np.array([sample["label"] for sample in samples])
    noise = rng.normal(scale=0.1, size=(len(labels), 8))
    features = 5 * np.eye(5, 8)[labels] + 3 + noise
    accuracy, confusion = few_shot.evaluate(features, samples, 0, ("any", "subject"))
    for name in few_shot.METHODS:
        for protocol in ("any", "subject"):
            assert set(accuracy[name][protocol]) == {"1", "5", "10"}
            assert min(accuracy[name][protocol].values()) > 99, name
    assert np.count_nonzero(confusion) == 5
    assert (np.diag(confusion) == 3 * few_shot.QUERIES).all()
    # Without information, all methods are near chance.
    accuracy, _ = few_shot.evaluate(noise, samples, 0, ("any",))
    for name in few_shot.METHODS:
        assert 5 < accuracy[name]["any"]["5"] < 40, name


def test_run_and_report(tmp_path, monkeypatch):
    sizes = {"CHANNELS": 8, "FRAMES": 8, "PASSES": 2, "EPISODES": 2, "QUERIES": 2}
    for name, value in sizes.items():
        monkeypatch.setattr(few_shot, name, value)
    names = [f"action {number}" for number in range(10)]
    content = {"split": {}, "annotations": recordings(), "meta": {"classes": names}}
    save_annotations(content, tmp_path / few_shot.NW_UCLA)
    save_annotations(
        annotations(classes=20, samples=240), tmp_path / few_shot.MSR_ACTION3D
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with without_paperwork():
        results = [
            few_shot.run(f"{features}/fold3", 0, tmp_path, tmp_path / "work")
            for features in few_shot.FEATURES
        ]
    torch.set_num_threads(threads)
    trained_on = [
        load_annotations(tmp_path / "work" / f"{features}_fold3.pkl")["annotations"]
        for features in ("nw-ucla", "both")
    ]
    # Five of ten classes of twelve samples, and 17 of 20 classes of twelve
    assert [len(samples) for samples in trained_on] == [60, 60 + 204]
    assert [len({s["label"] for s in samples}) for samples in trained_on] == [5, 22]
    new = {s["keypoint"].tobytes() for s in recordings() if s["label"] % 2 == 0}
    assert not any(s["keypoint"].tobytes() in new for s in trained_on[1])
    for result in results:
        assert result["classes"] == names[::2]
        assert ("msr" in result) == (result["setting"] != "both/fold3")
        assert sum(map(sum, result["confusion"])) == 2 * 5 * 2
    text = few_shot.report(results)
    first, second, third = text.split("\n\n")
    for result in results:
        accuracy = result["new"][few_shot.OURS]["view"]["5"]
        features = result["setting"].split("/")[0]
        (line,) = [
            line
            for line in first.splitlines()
            if line.split("|")[1:4]
            and [w.strip() for w in line.split("|")[1:4]]
            == [features, "enroll", "fold3"]
        ]
        assert f" {accuracy:.1f} " in line
    assert f" {results[1]['msr']['cosine']['any']['5']:.1f} " in second
    confusion = np.array(results[2]["confusion"])
    assert [line.split("|")[1].strip() for line in third.splitlines()[2:]] == names[::2]
    assert (
        f" {100 * confusion[0, 0] / confusion[0].sum():.0f} " in third.splitlines()[2]
    )
