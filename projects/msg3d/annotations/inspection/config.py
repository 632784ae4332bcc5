"""Lines for a config, from what a file holds."""

import math

LONGEST_CLIP = 100


def config_lines(numbers: dict, ann_file: str) -> list[str]:
    """What a config of this file sets, as Python.

    Args:
        numbers: of `overview`.
        ann_file: the file's path.

    Returns:
        Lines to go with; without good samples none.
    """
    labels = numbers["classes"]["labels"]
    if not labels or "frames" not in numbers:
        return []
    classes = max(labels[-1] + 1, len(numbers["classes"]["names"] or ()))
    scored = numbers["scores"] is not None
    channels = numbers["channels"] + scored
    layouts, own = numbers["layouts"], numbers["own_layout"] or {}
    own = ", ".join(
        f"{key}={own.get(key, '...')}" for key in ("num_node", "inward", "center")
    )
    layout = repr(layouts[0]) if layouts else f"dict(_delete_=True, {own})"
    others = f"  # or {', '.join(map(repr, layouts[1:]))}" if layouts[1:] else ""
    train, test = (numbers["pairs"] or [[None, None]])[0]
    names = [*"xyz"[: numbers["channels"]], *["score"] * scored]
    return [
        f"ann_file = {ann_file!r}",
        "model = dict(",
        "    backbone=dict(",
        f"        in_channels={channels},  # {', '.join(names)}",
        f"        graph_cfg=dict(layout={layout})),{others}",
        f"    cls_head=dict(num_classes={classes}))",
        "# In the pipelines:",
        f"#     clip_len={_clip_len(numbers)}, FormatGCNInput(num_person="
        f"{_num_person(numbers)})",
    ] + [f"# In the data sets: {one}" for one in _data_set(ann_file, train, test)]


def _data_set(ann_file: str, train: str | None, test: str | None) -> list[str]:
    """What a config says of its data sets, beside the file."""
    packed = ann_file.rstrip("/").endswith(".packed")
    lines = ["type='PackedSkeletonDataset'"] if packed else []
    return lines + ([f"split={train!r}, split={test!r}"] if train else [])


def _clip_len(numbers: dict) -> int:
    """Three quarters of the sequences fit; a multiple of 8, since two blocks stride."""
    longest = numbers["frames"]["three_quarters"]
    return min(max(8 * math.ceil(longest / 8), 16), LONGEST_CLIP)


def _num_person(numbers: dict) -> int:
    """So many that 95 of 100 samples keep everybody."""
    persons = {int(count): samples for count, samples in numbers["persons"].items()}
    total, kept = sum(persons.values()), 0
    for count in sorted(persons):
        kept += persons[count]
        if kept >= 0.95 * total:
            return max(count, 1)
    return 1
