"""NTU RGB+D converter: comparison with a line-by-line reader, and invalid files."""

import gzip
import io
import itertools
import json
import random
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import plain_ntu
from errors import raises
from in_process import msg3d_command
from msg3d.converters import convert_ntu
from msg3d.converters.ntu import (
    BENCHMARKS,
    TOO_SHORT,
    TOO_WIDE,
    make_splits,
    parse_sequence,
    remove_noise,
)
from msg3d.converters.ntu_actions import ACTIONS
from msg3d.converters.ntu_lists import LISTED, PUBLISHED, read_lists
from msg3d.converters.report import report_text
from msg3d.datasets import (
    load_annotations,
)
from msg3d.errors import DataError, SkipFile
from msg3d.formats.base import ReadOptions, Source, detect_format, read
from msg3d.formats.ntu_skeleton import NO_BODY, read_bodies, read_skeleton

REPOSITORY = Path(__file__).parents[2]
NAME = "S001C001P001R001A001"


def reference_read(content):
    """Return coordinates and ids from the line-by-line reader."""
    return plain_ntu.read_plainly(io.StringIO(content.decode()))


def body(identity=7, value=1.0, joints=25, rest="0 " * 8 + "2"):
    """Return the lines of one body with all joints at `value`."""
    joint = f"{value} {value} {value} " + rest
    head = f"{identity} 0 1 1 1 1 0 -0.1 -0.5 2"
    return [head, str(joints), *[joint] * joints]


def text(*frames):
    """Return a file of frames, each a list of bodies."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines += [str(len(bodies)), *[line for body in bodies for line in body]]
    return ("\n".join(lines) + "\n").encode()


def same_bits(left, right):
    return left.dtype == right.dtype and left.tobytes() == right.tobytes()


def assert_reads_like(content):
    array, ids = reference_read(content)
    bodies = read_skeleton(content)
    assert bodies.frames == len(ids)
    assert bodies.ids == [identity for frame in ids for identity in frame]
    indices = [(m, t) for t, frame in enumerate(ids) for m in range(len(frame))]
    assert bodies.frame.tolist() == [t for _, t in indices]
    expected = np.array([array[index] for index in indices], dtype=np.float32)
    assert same_bits(bodies.joints, expected.reshape(-1, 25, 3))


def coordinates(tokens):
    """Parse a file whose coordinates are these tokens; return them as float32."""
    count = len(tokens)
    tokens = [*tokens, *[b"1"] * (-count % 75)]
    lines = [b" ".join(tokens[i : i + 3]) for i in range(0, len(tokens), 3)]
    head, joints, rest = b"7 0 1 1 1 1 0 0 0 2", b"25", b" 0 0 0 0 0 0 0 0 2"
    content = [b"%d" % (len(lines) // 25)]
    for i in range(0, len(lines), 25):
        content += [b"1", head, joints, *[line + rest for line in lines[i : i + 25]]]
    return read_skeleton(b"\n".join(content)).joints.ravel()[:count]


def test_numbers_equal_those_of_float():
    rng = random.Random(0)
    tokens = []
    for _ in range(60000):
        digits = "".join(rng.choices("0123456789", k=rng.randint(1, 18)))
        point = rng.choice([1, 1, 1, rng.randint(0, len(digits))])
        token = rng.choice(["", "-", "-", "+"]) + digits[:point]
        token += "." * (rng.random() < 0.9) + digits[point:]
        token += f"e{rng.randint(-60, 10)}" if rng.random() < 0.1 else ""
        tokens.append(token.encode())
        # Small numbers start with zeros after the point.
        zeros = "0" * rng.randint(0, 9)
        tokens.append(f"{rng.choice(['', '-'])}0.{zeros}{digits[:8]}".encode())
    # Halfway between two adjacent float32 numbers, and nearby.
    for exponent in range(-20, 3):
        for step in range(200):
            middle = (2**23 + step + 0.5) * 2.0 ** (exponent - 23)
            tokens += [b"%.17g" % middle, b"%.9f" % middle, b"%.7g" % middle]
    tokens += b"-0 -0.0 0.00000000 9.99999999 -9.99999999 1. .5 -.5 -5".split()
    tokens += b"00.5 4.9e-324 6.464287E-05 0.123456789 3.4028235e38 1e-400".split()
    expected = np.array([float(token) for token in tokens]).astype(np.float32)
    assert same_bits(coordinates(tokens), expected)


def test_invalid_numbers_are_rejected():
    texts = b"-|.|-.|1.2.3|0.1.2|1-2|--1|1_0|1_0.5|0.1_0|0x10|1,5|1e|e5|0./5|0.:5|0.5:"
    texts += b"|/.5|:.5|0.\xb05|0.5\x00|1.#QNAN|0.1234567x|\xd9\xa1"
    for token in texts.split(b"|"):
        with raises("number", DataError, line=6):
            coordinates([b"0.5", b"0.5", b"0.5", token])
    for token in b"nan NaN inf -Infinity infinity 1e400 -1e39 3.5e38".split():
        with raises("not-finite", DataError, line=6):
            coordinates([b"0.5", b"0.5", b"0.5", token])


@pytest.mark.parametrize(("frames", "bodies"), [(1, 1), (5, 2), (3, 11), (2, 0)])
def test_file_equals_the_reference(frames, bodies):
    assert_reads_like(plain_ntu.skeleton_text(frames, bodies, seed=frames))


def test_bodies_in_some_frames_only():
    frames = [[], [body(1)], [body(2, 3.5), body(1, -2)], [], [body(3, 0.25)], []]
    assert_reads_like(text(*frames))


def test_real_files(shared):
    paths = sorted((shared / "data" / "ntu_raw").glob("*.skeleton"))
    assert len(paths) == 12
    for path in paths:
        assert_reads_like(path.read_bytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b"\n", b" \n"),
        lambda content: content.replace(b" ", b"\t"),
        lambda content: content.replace(b" ", b"  "),
        lambda content: b" " + content,
        lambda content: content + b"\n\r\n \n",
        lambda content: content.rstrip(),
        lambda content: content.replace(b"\n2\n", b"\n02\n"),
    ],
)
def test_white_space_does_not_matter(change):
    content = plain_ntu.skeleton_text(4, 2, seed=0)
    expected, actual = read_skeleton(content), read_skeleton(change(content))
    assert actual.ids == expected.ids
    assert same_bits(actual.joints, expected.joints)


def test_numbers_with_excess_digits():
    content = text([body(1, "0.12345678901234567890123456789"), body(2, 1e-7)])
    assert_reads_like(content)


def test_unused_fields_are_not_parsed():
    content = text([body(rest="-Infinity NaN 1.#IND - - - - - 2")])
    assert (read_skeleton(content).joints == 1).all()


VALID = text([body(1)], [body(1), body(2)], [])  # 2 + 27, 1 + 54, 1 lines
LINES = VALID.split(b"\n")


def with_line(number, line):
    lines = list(LINES)
    lines[number - 1] = line
    return b"\n".join(lines)


def without_line(number):
    return b"\n".join(LINES[: number - 1] + LINES[number:])


# case -> content, kind of the error, line of the error
INVALID = {
    "empty": (b"", "empty", 1),
    "blank": (b" \r\n\n", "empty", 1),
    "utf-16": (VALID.decode().encode("utf-16"), "number", 1),
    "byte order mark": (b"\xef\xbb\xbf" + VALID, "number", 1),
    "count is text": (with_line(1, b"x"), "number", 1),
    "negative count": (with_line(1, b"-3"), "number", 1),
    "count of 5000 digits": (with_line(1, b"9" * 5000), "number", 1),
    "frame count too small": (with_line(1, b"2"), "structure", 85),
    "frame count too large": (with_line(1, b"4"), "truncated", 86),
    "body count is text": (with_line(2, b"one"), "number", 2),
    "two counts": (with_line(2, b"1 1"), "row", 2),
    "body count too small": (with_line(30, b"1"), "row", 58),
    "body count too large": (with_line(30, b"3"), "row", 85),
    "24 joints": (with_line(4, b"24"), "layout", 4),
    "missing joint": (without_line(10), "row", 29),
    "11 fields": (with_line(10, LINES[9].rsplit(b" ", 1)[0]), "row", 10),
    "13 fields": (with_line(10, LINES[9] + b" 1"), "row", 10),
    "700 fields": (with_line(10, b"1 " * 700), "row", 10),
    "body of 9 fields": (with_line(3, LINES[2].rsplit(b" ", 1)[0]), "row", 3),
    "missing counts": (b"\n".join(LINES[2:29]), "row", 1),
    "fractional id": (with_line(3, LINES[2].replace(b"1", b"1.5", 1)), "number", 3),
    "long id": (with_line(3, b"1" * 40 + LINES[2]), "number", 3),
    "NaN": (
        with_line(61, LINES[60].replace(b"1.0 1.0", b"1.0 NaN", 1)),
        "not-finite",
        61,
    ),
    "beyond float32": (
        with_line(10, LINES[9].replace(b"1.0", b"1e300", 1)),
        "not-finite",
        10,
    ),
    "decimal comma": (
        with_line(10, LINES[9].replace(b"1.0 1.0 1.0", b"1.0 1.0 1,0", 1)),
        "number",
        10,
    ),
    "blank line": (with_line(2, b""), "row", 2),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file(case):
    content, kind, line = INVALID[case]
    with raises(kind, DataError, line=line) as error:
        parse_sequence(f"{NAME}.skeleton", content, "ntu60")
    assert "\n" not in str(error.value)


def test_truncation_is_detected():
    """The only exception is the last character of the last line."""
    for end in range(len(VALID) - 2):
        with pytest.raises(DataError) as error:
            read_skeleton(VALID[:end])
        lines = VALID[:end].rstrip().count(b"\n") + 1
        assert error.value.where.line in (lines, lines + 1)


def test_corrupt_bytes():
    """Files with replaced bytes are rejected or parsed as by a line-by-line reader."""
    rng = random.Random(1)
    content = plain_ntu.skeleton_text(3, 2, seed=5)
    rejected = 0
    for _ in range(1500):
        corrupt = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            corrupt[rng.randrange(len(corrupt))] = rng.choice(
                [rng.randrange(256), *b"0123456789 \n.-e\x00"]
            )
        if rng.random() < 0.2:
            del corrupt[rng.randrange(len(corrupt)) :]
        try:
            bodies = read_skeleton(bytes(corrupt))
        except DataError:
            rejected += 1
            continue
        lines = bytes(corrupt).split(b"\n")
        numbers = [
            line.split()[:3]
            for line in lines
            if 12 in (line.count(b" ") + 1, len(line.split()))
        ]
        expected = np.array(numbers, dtype=np.float64).astype(np.float32)
        np.testing.assert_array_equal(bodies.joints.reshape(-1, 3), expected)
    assert 100 < rejected < 1500


def sample_of(content, name=NAME, benchmark="ntu60", **options):
    (sample,) = parse_sequence(f"raw/{name}.skeleton", content, benchmark, **options)
    return sample


def test_sample():
    sample = sample_of(text([body(1, 2)], [], [body(1, 4)]), "S001C002P003R002A013")
    keypoint = sample["keypoint"]
    assert sample["frame_dir"] == "S001C002P003R002A013"
    assert sample["label"] == 12
    assert sample["total_frames"] == 3
    assert same_bits(
        keypoint, np.repeat(np.float32([2, 0, 4]), 75).reshape(1, 3, 25, 3)
    )
    assert sample["notes"] == {"frames without any body, kept as zeros": 1}


def test_bodies_are_matched_by_id():
    """The order of the bodies changes, and one body is absent in a frame."""
    content = text(
        [body(1, 1), body(2, 5)],
        [body(2, 6), body(1, 2)],
        [body(2, 7)],
        [body(1, 3), body(2, 8)],
    )
    keypoint, notes = read_bodies(content)
    assert keypoint.shape == (2, 4, 25, 3)
    assert notes == {}
    assert keypoint[0, :, 0, 0].tolist() == [1, 2, 0, 3]
    assert keypoint[1, :, 24, 2].tolist() == [5, 6, 7, 8]


def test_duplicate_id_in_a_frame():
    content = text([body(9, 1), body(9, 5)], [body(9, 2)], [body(9, 3), body(9, 6)])
    sample = sample_of(content)
    assert sample["keypoint"][:, :, 0, 0].tolist() == [[1, 2, 3], [5, 0, 6]]
    assert list(sample["notes"].values()) == [2]


def moving(amounts):
    """Return frames in which body b moves along x by amounts[b] per frame."""
    return text(
        *[
            [body(b, f"{1 + amount * t:.6f}") for b, amount in enumerate(amounts)]
            for t in range(6)
        ]
    )


def test_bodies_with_the_highest_energy_are_kept():
    """The energy is the sum of the standard deviations of x, y, and z."""
    amounts = (0.1, 0.4, 0.0, 0.2)
    content = moving(amounts)
    bodies = sample_of(content, max_persons=0)["keypoint"]
    energy = bodies.astype(np.float64).reshape(4, -1, 3).std(axis=1).sum(axis=1)
    np.testing.assert_allclose(
        energy, 3 * np.std(np.arange(6)) * np.array([0.4, 0.2, 0.1, 0]), atol=1e-5
    )
    for max_persons in (1, 2, 3):
        sample = sample_of(content, max_persons=max_persons)
        assert same_bits(sample["keypoint"], bodies[:max_persons])
        assert list(sample["notes"].values()) == [4 - max_persons]
    assert sample_of(content, max_persons=9)["keypoint"].shape[0] == 4


def person(frames, step=0.01, wide=(), width=0.5):
    """Return [T, 25, 3]: height 2 and width `width`, or width 3 in the frames `wide`."""
    points = np.zeros((frames, 25, 3), dtype=np.float32)
    points[:, :, 1] = np.linspace(1, 3, 25)
    points[:, :, 0] = np.linspace(1, 1 + width, 25)
    points[list(wide), :, 0] = np.linspace(1, 4, 25)
    points[:, :, 2] = 3 + step * np.arange(frames)[:, None]
    return points


def test_short_bodies_are_removed():
    long, short = np.zeros((2, 40, 25, 3), dtype=np.float32)
    long[:] = person(40)
    for frames, kept in ((11, 1), (12, 2)):
        short[:] = 0
        short[3 : 3 + frames] = person(frames)
        keypoint, notes = remove_noise(np.stack([short, long]))
        assert len(keypoint) == kept
        assert same_bits(keypoint[0], long)
        assert notes == ({TOO_SHORT: 1} if kept == 1 else {})
    # If all bodies are short, none is removed.
    keypoint, notes = remove_noise(np.stack([person(5), person(5)]))
    assert len(keypoint) == 2
    assert notes == {}


def test_wide_bodies_are_removed():
    narrow = person(100)
    for wide, kept in ((69, 2), (70, 1)):  # 0.69754 of the frames
        keypoint, notes = remove_noise(
            np.stack([person(100, wide=range(wide)), narrow])
        )
        assert len(keypoint) == kept
        assert notes == ({TOO_WIDE: 1} if kept == 1 else {})
    # The limit is 0.8 of the height.
    for width, kept in ((1.59, 2), (1.61, 1)):
        keypoint, _ = remove_noise(np.stack([person(20, width=width), narrow[:20]]))
        assert len(keypoint) == kept
    # The last body is kept even if it is wide.
    keypoint, notes = remove_noise(np.stack([person(20, wide=range(20))] * 3))
    assert len(keypoint) == 1
    assert notes == {TOO_WIDE: 2}


def test_bodies_are_sorted_by_motion():
    slow, fast = person(30, step=0.01), person(30, step=0.1)
    keypoint, _ = remove_noise(np.stack([slow, fast]))
    assert same_bits(keypoint, np.stack([fast, slow]))
    # The variance of the wide frames does not count.
    twitching = person(30, step=0.01, wide=range(10))
    middle = person(30, step=0.03)
    variance = [body.reshape(-1, 3).var(axis=0).sum() for body in (twitching, middle)]
    assert variance[0] > variance[1]
    keypoint, _ = remove_noise(np.stack([twitching, middle]))
    assert same_bits(keypoint, np.stack([middle, twitching]))


def test_single_body_is_kept():
    chair = person(5, wide=range(5))[None]
    keypoint, notes = remove_noise(chair)
    assert keypoint is chair
    assert notes == {}


def test_removed_noise_is_noted():
    frames = [[body(1, 1 + t / 10)] for t in range(20)]
    frames[4].append(body(2, 5))
    sample = sample_of(text(*frames), denoise=True)
    assert sample["notes"] == {TOO_SHORT: 1}
    assert len(sample["keypoint"]) == 1
    assert len(sample_of(text(*frames))["keypoint"]) == 2


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("walking", None),
        (f"{NAME} (1)", None),
        ("S033C001P001R001A001", "setup"),
        ("S001C004P001R001A001", "camera"),
        ("S001C001P107R001A001", "performer"),
        ("S001C001P001R003A001", "replication"),
        ("S001C001P001R001A000", "action"),
    ],
)
def test_invalid_name(name, field):
    with raises("file-name", DataError, field=field):
        sample_of(VALID, name)


def test_skipped_files():
    missing = (NAME,)
    empty, zero = text([], []), text([body(1, 0)])
    cases = [
        (NAME, empty, "ntu60", (), NO_BODY),
        (NAME, b"0\n", "ntu120", (), NO_BODY),
        (NAME, zero, "ntu60", (), NO_BODY),
        ("S018C001P001R001A001", VALID, "ntu60", (), "not part of NTU RGB+D 60"),
        ("S001C001P001R001A061", VALID, "ntu60", (), "not part of NTU RGB+D 60"),
        (NAME, empty, "ntu60", missing, LISTED),
        (NAME, VALID, "ntu60", missing, f"{LISTED}, but contains a body"),
        (NAME, b"", "ntu60", missing, f"{LISTED}, and corrupt"),
    ]
    for name, content, benchmark, names, reason in cases:
        with pytest.raises(SkipFile, match=f"^{re.escape(reason)}$"):
            sample_of(content, name, benchmark, missing=names)
    assert sample_of(VALID, "S018C001P001R001A120", "ntu120")["label"] == 119


def test_lists(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(
        f"2 of the samples are missing:\nignore them\n\n{NAME}\n\n", encoding="utf-8"
    )
    other = tmp_path / "other.txt"
    other.write_text(f"S002C001P001R001A001.skeleton\r\n{NAME}\n", encoding="utf-8")
    assert read_lists([path]) == (NAME,)
    assert read_lists([path, other]) == (NAME, "S002C001P001R001A001")
    path.write_text(f"{NAME}\nS001C001P001R001A0001\n", encoding="utf-8")
    with raises("structure", DataError, file="list.txt", line=2):
        read_lists([path])
    path.write_text("no names\n", encoding="utf-8")
    with raises("empty", DataError, file="list.txt"):
        read_lists([path])
    with raises("not-found", DataError, file="none.txt"):
        read_lists([tmp_path / "none.txt"])


def test_report_of_used_lists(tmp_path):
    """Missing lists and lists without matching names are reported too."""
    raw = as_folder(release(), tmp_path / "raw")
    report = convert_ntu(raw, tmp_path / "a.pkl", "ntu60", jobs=1)
    (remark,) = report["remarks"]
    assert remark["text"].startswith("missing list: not found")
    path = raw / PUBLISHED[0]
    first = sorted(release())[0].removesuffix(".skeleton")
    for names, here in ((["S017C003P020R002A060"], 0), ([first, NAME[:-1] + "9"], 1)):
        path.write_text("\n".join(names), encoding="utf-8")
        report = convert_ntu(raw, tmp_path / "a.pkl", "ntu60", jobs=1)
        (remark,) = report["remarks"]
        assert (remark["names"], remark["here"]) == (len(names), here)
        text = report_text(report)
        assert f"{PUBLISHED[0]}: {len(names)} names, {here} of them in" in text
        assert f"used           {PUBLISHED[0]}" in text
        assert "ignored" not in text


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_file_that_ends_in_the_middle_of_a_line(end):
    lines = text([body()], [body()]).splitlines()
    content = b"\n".join([*lines[:40], b"0.5 0.5 0."]) + end
    with raises("row" if end else "truncated", DataError, line=41):
        read_skeleton(content)


def test_published_splits(shared):
    """Compare the sizes of the splits for all names with a skeleton."""
    lists = shared / "data" / "ntu_raw" / "lists"
    sizes = {}
    for benchmark, count in (("ntu60", 302), ("ntu120", 535)):
        missing = read_lists(
            [lists / f"{benchmark}_samples_with_missing_skeletons.txt"]
        )
        assert len(missing) == count
        with gzip.open(
            lists / f"{benchmark}_skes_available_name.txt.gz", "rt", encoding="utf-8"
        ) as file:
            names = file.read().split()
        assert len(names) + count == BENCHMARKS[benchmark].files
        assert not set(names) & set(missing)
        splits = make_splits([{"frame_dir": name} for name in names], benchmark)
        sizes[benchmark] = {key: tuple(map(len, ids)) for key, ids in splits.items()}
    assert sizes == {
        "ntu60": {"xsub": (40091, 16487), "xview": (37646, 18932)},
        "ntu120": {"xsub": (63026, 50919), "xset": (54468, 59477)},
    }


def test_actions():
    assert len(ACTIONS) == len(set(ACTIONS)) == 120
    assert ACTIONS[0] == "drink water"
    assert ACTIONS[49] == "punching/slapping other person"
    assert ACTIONS[59].startswith("walking apart")
    assert ACTIONS[102] == "yawn"


def test_prediction_and_training_read_the_same(shared):
    for path in sorted((shared / "data" / "ntu_raw").glob("*.skeleton")):
        (sample,) = parse_sequence(path.name, path.read_bytes(), "ntu120")
        source = Source(str(path))
        assert detect_format(source).name == "ntu_skeleton"
        (sequence,) = read(source, ReadOptions(max_persons=2))
        assert same_bits(sequence["keypoint"], sample["keypoint"])
        assert (sequence["layout"], sequence["unit"]) == ("nturgb+d", "m")
        assert sequence["frame_dir"] == str(path.with_suffix(""))


def test_prediction_from_invalid_files():
    with raises("number", DataError, file="a.skeleton", line=1):
        read(Source("a.skeleton", b"frames\n"))
    with pytest.raises(SkipFile):
        read(Source("a.skeleton", text([], [])))


def release():
    """Return eight small files: performers 1 (training) and 3, two cameras and setups."""
    names = [
        f"S{setup:03d}C{camera:03d}P{performer:03d}R001A{action:03d}"
        for action, (setup, camera, performer) in enumerate(
            itertools.product((1, 2), (1, 2), (1, 3)), 1
        )
    ]
    return {
        f"{name}.skeleton": plain_ntu.skeleton_text(
            3 + number % 3, 1 + number % 2, seed=number
        )
        for number, name in enumerate(names)
    }


def as_folder(files, path):
    path.mkdir(parents=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def as_zip(files, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"nturgb+d_skeletons/{name}", content)
    return path


def same_annotations(left, right):
    left, right = load_annotations(left), load_annotations(right)
    assert left["split"] == right["split"]
    assert left["meta"] == right["meta"]
    for sample, other in zip(left["annotations"], right["annotations"], strict=True):
        assert {**sample, "keypoint": 0} == {**other, "keypoint": 0}
        assert same_bits(sample["keypoint"], other["keypoint"])


def test_folder_zip_and_folder_of_zips_give_the_same_annotations(tmp_path):
    files = release()
    items = list(files.items())
    as_zip(dict(items[:5]), tmp_path / "zips" / "s001.zip")
    as_zip(dict(items[5:]), tmp_path / "zips" / "s002.zip")
    (tmp_path / "zips" / "._s001.zip").write_bytes(b"metadata of macOS")
    raws = [
        as_folder(files, tmp_path / "folder"),
        as_zip(files, tmp_path / "all.zip"),
        tmp_path / "zips",
    ]
    for number, raw in enumerate(raws):
        out = tmp_path / f"{number}.pkl"
        report = convert_ntu(raw, out, "ntu60", jobs=1 + number % 2)
        assert report["written"]
        assert report["files_read"] == 8
        assert report["files_released"] == 56880
        assert report["other_files"] == ["._s001.zip"] * (raw.name == "zips")
        same_annotations(out, tmp_path / "0.pkl")


def test_corrupt_zip(tmp_path):
    path = as_zip(release(), tmp_path / "zips" / "a.zip")
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(content)
    with raises("corrupt-archive", DataError, file="a.zip"):
        convert_ntu(path.parent, tmp_path / "a.pkl", "ntu60", jobs=1)


def test_annotations(tmp_path):
    files = release()
    report = convert_ntu(
        as_folder(files, tmp_path / "raw"), tmp_path / "a.pkl", "ntu60"
    )
    data = load_annotations(tmp_path / "a.pkl")
    names = [name.removesuffix(".skeleton") for name in files]
    assert [sample["frame_dir"] for sample in data["annotations"]] == names
    assert data["split"] == {
        "xsub_train": [name for name in names if "P001" in name],
        "xsub_val": [name for name in names if "P003" in name],
        "xview_train": [name for name in names if "C002" in name],
        "xview_val": [name for name in names if "C001" in name],
    }
    meta = data["meta"]
    assert meta["classes"] == list(ACTIONS[:60])
    assert meta["center"] == 20
    assert len(meta["joints"]) == 25
    assert meta["joints"][4] == "l_shoulder"
    for label, (sample, content) in enumerate(
        zip(data["annotations"], files.values(), strict=True)
    ):
        array, _ = reference_read(content)
        assert sample["label"] == label
        assert sample["total_frames"] == array.shape[1]
        expected = array.astype(np.float32)
        energy = [person.reshape(-1, 3).std(axis=0).sum() for person in array]
        assert same_bits(sample["keypoint"], expected[np.argsort(energy)[::-1]])
        assert set(sample) == {"frame_dir", "label", "total_frames", "keypoint"}
    assert report["persons"] == {"min": 1, "max": 2}
    assert not report["refused"]

    convert_ntu(tmp_path / "raw", tmp_path / "b.pkl", "ntu120")
    data = load_annotations(tmp_path / "b.pkl")
    assert data["split"]["xset_train"] == [name for name in names if "S002" in name]
    assert data["split"]["xset_val"] == [name for name in names if "S001" in name]
    assert set(data["split"]) == {"xsub_train", "xsub_val", "xset_train", "xset_val"}
    assert data["meta"]["classes"] == list(ACTIONS)


def test_search_for_lists_and_explicit_lists(tmp_path):
    files = release()
    first, second = (name.removesuffix(".skeleton") for name in list(files)[:2])
    raw = as_folder(files, tmp_path / "raw")
    reason = f"{LISTED}, but contains a body"

    def skipped(**options):
        report = convert_ntu(raw, tmp_path / "a.pkl", "ntu60", **options)
        return report["left_out"]

    assert skipped() == {}
    (tmp_path / PUBLISHED[0]).write_text(f"The list\n\n{first}\n", encoding="utf-8")
    assert skipped() == {reason: [f"{first}.skeleton"]}
    (raw / PUBLISHED[1]).write_text(f"The list\n{second}\n", encoding="utf-8")
    assert skipped() == {reason: [f"{first}.skeleton", f"{second}.skeleton"]}
    other = tmp_path / "list.txt"
    other.write_text(second, encoding="utf-8")
    assert skipped(missing=[other]) == {reason: [f"{second}.skeleton"]}
    assert skipped(missing=[]) == {}


def command(*arguments):
    return msg3d_command("prepare", "ntu", *arguments, "--overwrite")


def test_command(tmp_path, capsys):
    files = release()
    raw = as_folder({**files, f"{NAME}.skeleton": text([])}, tmp_path / "raw")
    out = tmp_path / "a.pkl"
    arguments = (raw, out, "--benchmark", "ntu60")
    assert command(*arguments) == 0
    printed = capsys.readouterr().out
    assert f"skipped        1 files: {NO_BODY}" in printed
    assert "split xview: 4 train, 3 val" in printed

    before = out.read_bytes()
    (raw / "S001C001P003R001A002.skeleton").write_bytes(b"5\n")
    assert command(*arguments) == 1
    printed = capsys.readouterr().out
    assert "rejected       S001C001P003R001A002.skeleton: line 2: " in printed
    assert out.read_bytes() == before
    options = ("--max-persons", 1, "--denoise", "--num-workers", 1)
    assert command(*arguments, "--skip-invalid", *options) == 0
    report = json.loads((tmp_path / "a.pkl.report.json").read_text(encoding="utf-8"))
    assert report["sequences"] == 6
    assert report["persons"] == {"min": 1, "max": 1}

    capsys.readouterr()
    assert command(*arguments, "--missing", tmp_path / "none.txt") == 1
    assert "none.txt" in capsys.readouterr().err
    for options in (("--max-persons", "-1"), ("--benchmark", "ntu61")):
        assert command(*arguments, *options) == 2


def test_conversion_of_real_files(shared, tmp_path):
    raw = shared / "data" / "ntu_raw"
    missing = raw / "lists" / "ntu60_samples_with_missing_skeletons.txt"
    report = convert_ntu(raw, tmp_path / "a.pkl", "ntu60", missing=[missing], jobs=1)
    assert report["written"]
    assert report["sequences"] == 12
    assert not report["refused"]
    assert report["frames"] == {"min": 42, "median": 75.0, "max": 124}
    assert report["persons"] == {"min": 1, "max": 2}
    assert report["notes"] == {}
    data = load_annotations(tmp_path / "a.pkl")
    persons = [len(sample["keypoint"]) for sample in data["annotations"]]
    assert persons.count(2) == 7
    report = convert_ntu(
        raw, tmp_path / "b.pkl", "ntu60", [missing], denoise=True, jobs=1
    )
    assert report["sequences"] == 12
    assert report["notes"] == {}
