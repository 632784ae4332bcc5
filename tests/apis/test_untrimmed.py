"""Long recordings: scores a frame, smoothing, segments, files."""

import csv
import json
import re

import numpy as np
import pytest

from errors import raises
from in_process import msg3d_command
from msg3d.apis import Recognizer
from msg3d.apis.untrimmed import Segment, as_srt, frame_scores, segments, smooth
from msg3d.errors import ConfigError
from tiny_models import NTU_3D, trained

NAN = np.nan


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("model") / "3d", NTU_3D, list("abcd"))


@pytest.fixture(scope="module")
def recognizer(files):
    return Recognizer(*files, device="cpu", clips=1, batch_size=2)


def recording(frames, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(1, frames, 25, 3)).cumsum(1).astype(np.float32)


@pytest.mark.parametrize("frames", [7, 20, 33])
def test_a_frame_has_the_mean_of_its_windows(recognizer, frames):
    keypoint = recording(frames)
    found = frame_scores(recognizer, keypoint, window=20, stride=8)
    windows = [(0, frames)] if frames <= 20 else [(0, 20), (8, 28), (13, 33)]
    several = [[] for _ in range(frames)]
    for start, stop in windows:
        scores = recognizer.predict(keypoint[:, start:stop]).scores
        for frame in range(start, stop):
            several[frame].append(scores)
    expected = [np.mean(one, axis=0) for one in several]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_frames_with_nobody_have_no_score(recognizer):
    keypoint = recording(40)
    keypoint[:, 10:30] = 0
    found = frame_scores(recognizer, keypoint, window=10, stride=10)
    assert np.isnan(found[10:30]).all()
    assert not np.isnan(found[:10]).any()
    with raises("option", ConfigError, field="stride"):
        frame_scores(recognizer, keypoint, window=10, stride=0)


@pytest.mark.parametrize("width", [1, 3, 7, 99])
def test_smoothing_is_the_mean_about_a_frame(width):
    rng = np.random.default_rng(1)
    scores = rng.random((20, 3)).astype(np.float32)
    scores[[4, 5, 11]] = NAN
    expected = np.full_like(scores, NAN)
    for frame in range(20):
        if not np.isnan(scores[frame, 0]):
            near = scores[max(0, frame - width // 2) : frame + width // 2 + 1]
            expected[frame] = np.nanmean(near, axis=0)
    np.testing.assert_allclose(smooth(scores, width), expected, atol=1e-6)
    with raises("option", ConfigError, field="width"):
        smooth(scores, 4)


def of_labels(labels, score=0.8):
    """Scores [T, 3] in which a letter's class leads; a dot is nobody."""
    scores = np.full((len(labels), 3), (1 - score) / 2)
    for frame, letter in enumerate(labels):
        scores[frame] = NAN if letter == "." else scores[frame]
        if letter != ".":
            scores[frame, "abc".index(letter)] = score
    return scores


@pytest.mark.parametrize(
    ("labels", "least", "expected"),
    [
        ("aaabbb", 1, "a0-3 b3-6"),
        ("aaa..abb", 1, "a0-3 a5-6 b6-8"),
        ("aabaaccc", 2, "a0-5 c5-8"),
        ("....", 1, ""),
        ("..a..", 2, ""),
        ("abc", 4, ""),
    ],
)
def test_segments(labels, least, expected):
    found = segments(of_labels(labels), "abc", min_frames=least)
    assert " ".join(f"{s.name}{s.start}-{s.stop}" for s in found) == expected


def test_a_short_part_goes_to_the_likelier_neighbour():
    scores = of_labels("aaabccc")
    scores[3] = 0.1, 0.5, 0.4
    found = segments(scores, "abc", min_frames=2)
    assert [(one.name, one.start, one.stop) for one in found] == [
        ("a", 0, 3),
        ("c", 3, 7),
    ]
    assert found[1].score == pytest.approx((0.4 + 3 * 0.8) / 4)


def test_threshold_leaves_frames_out():
    scores = np.concatenate([of_labels("aa", 0.9), of_labels("bb", 0.5)])
    (found,) = segments(scores, "abc", threshold=0.6)
    assert (found.name, found.start, found.stop) == ("a", 0, 2)


def test_subtitles():
    found = [Segment(0, 45, 0, "sit down", 0.876), Segment(45, 108_015, 1, "wave", 1)]
    assert as_srt(found, 30) == (
        "1\n00:00:00,000 --> 00:00:01,500\nsit down (0.88)\n\n"
        "2\n00:00:01,500 --> 01:00:00,500\nwave (1.00)\n"
    )


def test_command(files, recognizer, tmp_path, capsys):
    keypoint = recording(70)
    np.save(tmp_path / "long.npy", keypoint)
    np.save(tmp_path / "bad.npy", keypoint[:, :, :3])
    options = [
        "--unit",
        "m",
        "--window",
        "20",
        "--stride",
        "10",
        "--fps",
        "25",
        "--smooth",
        "5",
    ]
    config, checkpoint = files
    command = [config, tmp_path, "--checkpoint", checkpoint]
    command += ["--output", tmp_path / "out", "--device", "cpu", *options]

    def run(*more):
        return msg3d_command("predict", *command, *more), capsys.readouterr()

    code, said = run("--clips", "1")
    assert code == 1
    assert "bad.npy" in said.err
    assert "expected [T, 25, 3]" in said.err
    scores = smooth(frame_scores(recognizer, keypoint, 20, 10), 5)
    expected = segments(scores, "abcd")
    record = json.loads(
        (tmp_path / "out" / "long.npy.json").read_text(encoding="utf-8")
    )
    (sample,) = record["samples"]
    assert [(s["start"], s["stop"], s["name"]) for s in sample["segments"]] == [
        (s.start, s.stop, s.name) for s in expected
    ]
    with (tmp_path / "out" / "segments.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["stop_seconds"]) for r in rows] == [s.stop / 25 for s in expected]
    text = (tmp_path / "out" / "long.npy.srt").read_text(encoding="utf-8")
    assert len(re.findall(" --> ", text)) == len(expected)
    # Done is done, until an option changes.
    assert "done before 1" in run("--clips", "1")[1].out
    assert "done before 0" in run("--clips", "1", "--min-frames", "9")[1].out
    assert "--smooth is 4" in run("--smooth", "4")[1].err
