"""Minimal annotation files for the studies."""

from msg3d.annotations.files import save_annotations
from samples import annotations

STYLES = ["active", "elderly", "exhausted", "feminine", "masculine", "normal"]
STYLES += ["youthful"]


def write_files(folder):
    data = annotations(joints=21, classes=7, samples=21, frames=(20, 60))
    train, val = data["split"].values()
    data["split"] = {"xcontent_train": train, "xcontent_val": val}
    for number, sample in enumerate(data["annotations"]):
        sample["content"] = f"action {number % 2}"
    data["meta"] = {"classes": STYLES}
    save_annotations(data, folder / "bandai_styles.pkl")
    data = annotations(classes=10, samples=30)
    train, val = data["split"].values()
    data["split"] = {"xview_train": train, "xview_val": val, "xview_clean_val": val[:4]}
    data["meta"] = {"classes": [f"action {number}" for number in range(10)]}
    save_annotations(data, folder / "nw_ucla.pkl")
