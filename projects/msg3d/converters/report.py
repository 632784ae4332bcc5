"""Integrity report for a converted data set, as JSON and as text."""

from pathlib import PurePosixPath

import numpy as np

from ..annotations.inspection.measures import measure
from ..annotations.leaks import find_leaks
from ..io.atomic import whole_file, write_json
from ..skeletons.body_size import LONGEST, SHORTEST, fits, is_hand, likely_unit
from ..skeletons.units import PER_METER, described_unit, unit_name

MAX_LISTED = 10  # ignored files of a suffix that are listed individually
MEASURED = 200  # samples to measure, spread over the file


def describe(
    samples: list[dict], splits: dict[str, tuple[list[str], list[str]]]
) -> dict:
    """Count frames, persons, absent joints, labels, and leaks between splits.

    Args:
        samples: annotations of the data set.
        splits: protocol -> (train ids, val ids).

    Returns:
        The entries of the report for these counts, as a dictionary for JSON.
    """
    keypoints = {sample["frame_dir"]: sample["keypoint"] for sample in samples}
    frames = [keypoint.shape[1] for keypoint in keypoints.values()] or [0]
    persons = [keypoint.shape[0] for keypoint in keypoints.values()] or [0]
    absent = {
        name: int(np.sum(~keypoint.any(axis=-1)))
        for name, keypoint in keypoints.items()
    }
    labels = [sample["label"] for sample in samples if "label" in sample]
    return {
        "sequences": len(samples),
        "frames": {
            "min": min(frames),
            "median": float(np.median(frames)),
            "max": max(frames),
        },
        "persons": {"min": min(persons), "max": max(persons)},
        "joints_at_zero": {name: count for name, count in absent.items() if count},
        "single_frame": [
            name for name, keypoint in keypoints.items() if keypoint.shape[1] == 1
        ],
        "labels": {
            str(label): int(count)
            for label, count in zip(*np.unique(labels, return_counts=True), strict=True)
        },
        "splits": {
            name: {
                "train": len(train),
                "val": len(val),
                "leaks": find_leaks(keypoints, train, val),
            }
            for name, (train, val) in splits.items()
        },
    }


def unit_remarks(
    samples: list[dict], units: str, file_unit: str, joints: tuple[str, ...] = ()
) -> list[dict]:
    """Return a remark if the size of a person in a typical sample contradicts the unit.

    Args:
        samples: annotations of the data set.
        units: unit of the coordinates, as in the report. Only meters are checked.
        file_unit: unit of the raw files.
        joints: names of the joints, if known.

    Returns:
        A list of dict(about="units", text, person_metres, likely_unit), or an empty list.
    """
    if described_unit(units) != "m":
        return []
    file_unit = unit_name(file_unit)
    step = max(len(samples) // MEASURED, 1)
    measured = [
        measure(sample, scored=False)
        for sample in samples[::step]
        if sample["keypoint"].any()
    ]
    sizes = [measures.size for measures in measured if measures.size > 0]
    hand = is_hand(joints)
    if not sizes or fits(size := float(np.median(sizes)), "m", hand):
        return []
    likely = likely_unit(size * PER_METER[file_unit], hand)
    why = (
        f"The raw files are most likely in {likely}, not in {file_unit}"
        if likely
        else f"This does not fit a person in {file_unit} or any other unit"
    )
    part, least = ("hand", 10) if hand else ("person", 1)
    text = (
        f"a {part} is {size:.4g} m long in a typical sample, expected "
        f"{SHORTEST / least:g} to {LONGEST / least:g}. {why}"
    )
    return [
        {"about": "units", "text": text, "person_metres": size, "likely_unit": likely}
    ]


def write_report(report: dict) -> None:
    """Write a report to OUT.report.json and OUT.report.txt."""
    write_json(report, f"{report['out']}.report.json")
    with whole_file(f"{report['out']}.report.txt", "x") as file:
        file.write(report_text(report) + "\n")


def report_text(report: dict) -> str:
    """Return the report as text, with a line per rejected file."""
    released = report["files_released"]
    where = report["files_released_where"]
    lines = [
        f"files read     {report['files_read']}"
        + (f" of {released} {where}" if released else ""),
        f"sequences      {report['sequences']}",
        *(_sample_lines(report) if report["sequences"] else []),
    ]
    lines += [
        f"skipped        {len(files)} files: {reason}"
        for reason, files in report["left_out"].items()
    ]
    lines += [
        f"note           {text}: {sum(counts.values())} in {len(counts)} sequences"
        for text, counts in report["notes"].items()
    ]
    lines += [
        f"{'WARNING' if remark['about'] == 'units' else 'note':14} {remark['text']}"
        for remark in report["remarks"]
    ]
    lines += [f"used           {path}" for path in report["files_used"]]
    lines += _other_lines(report["other_files"])
    for entry in report["refused"]:
        line = f" line {entry['line']}:" if "line" in entry else ""
        lines.append(f"rejected       {entry['file']}:{line} {entry['why']}")
    count = len(report["refused"])
    hint = "" if report["written"] else ". Use --skip-invalid to write the others"
    lines.append(
        f"{'wrote' if report['written'] else 'NOT written:'} {report['out']} "
        f"({count} file{'' if count == 1 else 's'} rejected){hint}"
    )
    return "\n".join(lines)


def _other_lines(files: list[str]) -> list[str]:
    """Return a line per ignored file, or per suffix if it has many files."""
    by_suffix: dict[str, list[str]] = {}
    for file in files:
        by_suffix.setdefault(PurePosixPath(file).suffix, []).append(file)
    lines = []
    for suffix, names in by_suffix.items():
        if len(names) > MAX_LISTED:
            names = [f"{len(names)} files {suffix}, such as {names[0]}"]
        lines += [f"ignored        {name}" for name in names]
    return lines


def _sample_lines(report: dict) -> list[str]:
    """Return the lines that describe the samples."""
    frames, persons = report["frames"], report["persons"]
    zero = report["joints_at_zero"]
    lines = [
        f"frames         {frames['min']} / {frames['median']:g} / {frames['max']}"
        + " (min / median / max)",
        f"persons        {persons['min']} to {persons['max']}",
        f"joints at zero {sum(zero.values())} in {len(zero)} sequences",
        f"single frame   {len(report['single_frame'])} sequences",
        *([f"labels         {report['labels']}"] if report["labels"] else []),
        f"units          {report['units']}",
    ]
    for name, split in report["splits"].items():
        leaks = {kind: len(ids) for kind, ids in split["leaks"].items()}
        lines.append(
            f"split {name}: {split['train']} train, {split['val']} val; val samples "
            f"also in train: {leaks['identical']} identical, {leaks['mostly']} mostly, "
            f"{leaks['partly']} partly"
        )
        lines += [
            f"note           split {name} contains no {kind} samples"
            for side, kind in (("train", "training"), ("val", "test"))
            if not split[side]
        ]
    lines += [
        f"skipped        split {name}: no training or no test samples"
        for name in report["one_sided_splits"]
    ]
    return lines
