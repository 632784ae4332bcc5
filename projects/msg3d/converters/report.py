"""The integrity report of a converted data set: numbers first, then as text."""

import json

import numpy as np

from ..annotations.leaks import find_leaks
from ..io.atomic import whole_file


def describe(
    samples: list[dict], splits: dict[str, tuple[list[str], list[str]]]
) -> dict:
    """Frames, persons, missing joints, splits and leaks of the samples.

    Args:
        samples: annotations.
        splits: protocol -> (train ids, val ids).

    Returns:
        A dictionary that JSON can hold.
    """
    keypoints = {sample["frame_dir"]: sample["keypoint"] for sample in samples}
    frames = [keypoint.shape[1] for keypoint in keypoints.values()] or [0]
    persons = [keypoint.shape[0] for keypoint in keypoints.values()] or [0]
    zero = {
        name: int(np.sum(~keypoint.any(axis=-1)))
        for name, keypoint in keypoints.items()
    }
    return dict(
        sequences=len(samples),
        frames=dict(min=min(frames), median=float(np.median(frames)), max=max(frames)),
        persons=dict(min=min(persons), max=max(persons)),
        joints_at_zero={name: count for name, count in zero.items() if count},
        single_frame=[name for name, one in keypoints.items() if one.shape[1] == 1],
        labels={
            str(label): int(count)
            for label, count in zip(
                *np.unique(
                    [s["label"] for s in samples if "label" in s], return_counts=True
                )
            )
        },
        splits={
            name: dict(
                train=len(train), val=len(val), leaks=find_leaks(keypoints, train, val)
            )
            for name, (train, val) in splits.items()
        },
    )


def write_report(report: dict) -> None:
    """Write the report beside its file, as OUT.report.json and OUT.report.txt."""
    with whole_file(f"{report['out']}.report.json", "x") as file:
        json.dump(report, file, indent=1)
    with whole_file(f"{report['out']}.report.txt", "x") as file:
        file.write(report_text(report) + "\n")


def report_text(report: dict) -> str:
    """The report for people; a leak and a refused file each get a line."""
    released = report["files_released"]
    where = report["files_released_where"]
    lines = [
        f"files read     {report['files_read']}"
        + (f" of {released} {where}" if released else ""),
        f"sequences      {report['sequences']}",
        *(_of_samples(report) if report["sequences"] else []),
    ]
    lines += [
        f"left out       {len(files)} files: {reason}"
        for reason, files in report["left_out"].items()
    ]
    lines += [
        f"note           {what}: {sum(found.values())} in {len(found)} sequences"
        for what, found in report["notes"].items()
    ]
    lines += [
        f"{'WARNING' if one['about'] == 'units' else 'note':14} {one['text']}"
        for one in report["remarks"]
    ]
    lines += [f"used           {path}" for path in report["files_used"]]
    lines += [f"not looked at  {path}" for path in report["other_files"]]
    for one in report["refused"]:
        line = f" line {one['line']}:" if "line" in one else ""
        lines.append(f"refused        {one['file']}:{line} {one['why']}")
    lines.append(
        f"{'wrote' if report['written'] else 'NOT written:'} {report['out']} "
        f"({len(report['refused'])} files refused)"
    )
    return "\n".join(lines)


def _of_samples(report: dict) -> list[str]:
    """The lines that say nothing where nothing was read."""
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
            f"split {name}: {split['train']} train, {split['val']} val; of val "
            f"{leaks['identical']} are byte for byte in train, {leaks['mostly']} share "
            f"most frames with it, {leaks['partly']} any"
        )
        lines += [
            f"note           split {name} has nothing to {what}: 0 {side}"
            for side, what in (("train", "train on"), ("val", "test on"))
            if not split[side]
        ]
    lines += [
        f"left out       split {one}: one of its sides would be empty"
        for one in report["one_sided_splits"]
    ]
    return lines
