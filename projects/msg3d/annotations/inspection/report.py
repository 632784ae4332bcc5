"""What the checker says: numbers, config lines and faults, as text and for JSON."""

from itertools import groupby

from ..faults import Fault
from .config import config_lines
from .inspect import Inspection
from .overview import overview


def as_json(seen: Inspection, path: str) -> dict:
    """Everything, every fault included."""
    numbers = overview(seen)
    return dict(
        file=path,
        errors=len(seen.errors),
        warnings=len(seen.warnings),
        **numbers,
        config=config_lines(numbers, path),
        faults=[fault.as_dict() for fault in seen.faults],
    )


def as_text(report: dict, seen: Inspection, show: int) -> str:
    """The report for people.

    Args:
        report: what `as_json` gave.
        seen: of the same file.
        show: how many faults of a kind to write out.
    """
    lines = [f"{report['file']}: {report['samples']} samples", *_splits(report)]
    lines += _classes(report)
    if "frames" in report:
        lines += _measured(report)
    if report["config"]:
        lines += ["", "for a config:", *(f"    {line}" for line in report["config"])]
    for title, faults in (("errors", seen.errors), ("warnings", seen.warnings)):
        if faults:
            lines += ["", f"{title} ({len(faults)}):", *_faults(faults, show)]
    if not seen.faults:
        lines += ["", "no faults"]
    return "\n".join(lines)


def _splits(report: dict) -> list[str]:
    faults = report["faults"]
    lines = []
    for name, count in report["splits"].items():
        place = f"split[{name!r}]"
        leaks = [f["kind"] for f in faults if f["field"] == place]
        same, most = leaks.count("leak-identical"), leaks.count("leak-mostly")
        note = f"; {same} are byte for byte in training" if same else ""
        note += f"; {most} share most frames with it" if most else ""
        classes = report["classes"]["per_split"][name]
        sizes = classes.values()
        balance = f" of {min(sizes)} to {max(sizes)}" if classes else ""
        lines.append(
            f"    split {name}: {count} samples, {len(classes)} classes{balance}{note}"
        )
    return lines or ["    no splits"]


def _classes(report: dict) -> list[str]:
    classes = report["classes"]
    counts = classes["samples"]
    if not counts:
        return []
    least, most = min(counts, key=counts.get), max(counts, key=counts.get)
    names = classes["names"] or []

    def named(label: str) -> str:
        known = int(label) < len(names)
        return f"{label} ({names[int(label)]})" if known else label

    return [
        f"classes      {len(counts)}, labels {min(classes['labels'])} to "
        f"{max(classes['labels'])}; fewest samples {counts[least]} of {named(least)}, "
        f"most {counts[most]} of {named(most)}"
    ]


def _measured(report: dict) -> list[str]:
    frames, where = report["frames"], report["coordinates"]
    missing, scores = report["missing_joints"], report["scores"]
    persons = ", ".join(f"{k}: {n} samples" for k, n in report["persons"].items())
    ranges = ", ".join(
        f"{axis} {low:.4g} to {high:.4g}"
        for axis, low, high in zip("xyz", where["low"], where["high"])
        if low is not None
    )
    fitting = f" ({' or '.join(report['layouts'])})" if report["layouts"] else ""
    worst = missing["worst"]
    lines = [
        f"frames       {frames['min']} / {frames['median']:g} / {frames['max']} "
        "(min / median / max)",
        f"persons      {persons}",
        f"joints       {report['joints']}{fitting}, {report['channels']} coordinates, "
        f"{', '.join(report['dtypes'])}",
        f"coordinates  {ranges}; unit: {where['unit']}"
        + (f"; up: {where['up']}" if where["up"] else ""),
        "missing      "
        + (
            f"{100 * missing['share']:.2g} % of joints; most joint {worst}, in "
            f"{100 * missing['per_joint'][worst]:.2g} % of persons' frames"
            if missing["share"]
            else "no joints"
        ),
    ]
    if scores:
        lines.append(f"scores       {scores['min']:.4g} to {scores['max']:.4g}")
    return lines


def _faults(faults: list[Fault], show: int) -> list[str]:
    """By kind: the first few, and how many more."""
    lines = []
    for kind, group in groupby(faults, key=lambda fault: fault.kind):
        group = list(group)
        lines.append(f"  {kind} ({len(group)})")
        lines += [f"    {fault}" for fault in group[:show]]
        if len(group) > show:
            lines.append(f"    ... and {len(group) - show} more")
    return lines


def unreadable(error: Exception, path: str) -> dict:
    """The JSON of a file that cannot be read at all."""
    fault = Fault("unreadable", str(error))
    return dict(file=path, errors=1, warnings=0, faults=[fault.as_dict()])
