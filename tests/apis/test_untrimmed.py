"""Long recordings: scores per frame, smoothing, segments, and files."""

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
def test_frame_scores_are_means_over_windows(recognizer, frames):
    keypoint = recording(frames)
    actual = frame_scores(recognizer, keypoint, window=20, stride=8)
    windows = [(0, frames)] if frames <= 20 else [(0, 20), (8, 28), (13, 33)]
    scores_per_frame = [[] for _ in range(frames)]
    for start, stop in windows:
        scores = recognizer.predict(keypoint[:, start:stop]).scores
        for frame in range(start, stop):
            scores_per_frame[frame].append(scores)
    expected = [np.mean(scores, axis=0) for scores in scores_per_frame]
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_frames_without_persons_are_nan(recognizer):
    keypoint = recording(40)
    keypoint[:, 10:30] = 0
    scores = frame_scores(recognizer, keypoint, window=10, stride=10)
    assert np.isnan(scores[10:30]).all()
    assert not np.isnan(scores[:10]).any()
    with raises("option", ConfigError, field="stride"):
        frame_scores(recognizer, keypoint, window=10, stride=0)


@pytest.mark.parametrize("width", [1, 3, 7, 99])
def test_smoothing_is_a_moving_average(width):
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


def scores_of(labels, score=0.8):
    """Return scores [T, 3] with the highest score for each letter; dots are NaN."""
    scores = np.full((len(labels), 3), (1 - score) / 2)
    for frame, letter in enumerate(labels):
        scores[frame] = NAN if letter == "." else scores[frame]
        if letter != ".":
            scores[frame, "abc".index(letter)] = score
    return scores


@pytest.mark.parametrize(
    ("labels", "min_frames", "expected"),
    [
        ("aaabbb", 1, "a0-3 b3-6"),
        ("aaa..abb", 1, "a0-3 a5-6 b6-8"),
        ("aabaaccc", 2, "a0-5 c5-8"),
        ("....", 1, ""),
        ("..a..", 2, ""),
        ("abc", 4, ""),
    ],
)
def test_segments(labels, min_frames, expected):
    parts = segments(scores_of(labels), "abc", min_frames=min_frames)
    assert " ".join(f"{s.name}{s.start}-{s.stop}" for s in parts) == expected


def test_short_segments_are_merged_into_the_likelier_neighbor():
    scores = scores_of("aaabccc")
    scores[3] = 0.1, 0.5, 0.4
    first, second = segments(scores, "abc", min_frames=2)
    assert (first.name, first.start, first.stop) == ("a", 0, 3)
    assert (second.name, second.start, second.stop) == ("c", 3, 7)
    assert second.score == pytest.approx((0.4 + 3 * 0.8) / 4)


def test_threshold():
    scores = np.concatenate([scores_of("aa", 0.9), scores_of("bb", 0.5)])
    (segment,) = segments(scores, "abc", threshold=0.6)
    assert (segment.name, segment.start, segment.stop) == ("a", 0, 2)


def test_subtitles():
    parts = [Segment(0, 45, 0, "sit down", 0.876), Segment(45, 108_015, 1, "wave", 1)]
    assert as_srt(parts, 30) == (
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

    status, printed = run("--clips", "1")
    assert status == 1
    assert "bad.npy" in printed.err
    assert "expected [T, 25, 3]" in printed.err
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
    # Results are reused until an option changes.
    assert "already done 1" in run("--clips", "1")[1].out
    assert "already done 0" in run("--clips", "1", "--min-frames", "9")[1].out
    assert "--smooth is 4" in run("--smooth", "4")[1].err
