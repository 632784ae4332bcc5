"""Write synthetic actions as a folder of CSV files, as an example of user data."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from ..io import StrPath
from ..io.atomic import whole_file
from ..skeletons import skeleton


def write_csv_folder(data: dict[str, Any], folder: StrPath) -> None:
    """Write each sample to FOLDER/ACTION/sSSS_eEEE.csv.

    Args:
        data: synthetic actions, as `make_synthetic_actions` returns them.
        folder: output folder. A new folder has a temporary name until it is complete.

    Raises:
        OSError: a file cannot be written.
    """
    final = Path(os.path.abspath(folder))  # noqa: PTH100  (keeps links)
    target = final if final.exists() else Path(f"{final}.{os.getpid()}.tmp")
    try:
        for sample in data["annotations"]:
            action = data["meta"]["classes"][sample["label"]]
            subject, _, repeat = sample["frame_dir"].split("_")
            path = target / action / f"{subject}_{repeat}.csv"
            with whole_file(path, "x") as file:
                file.write(as_csv(sample["keypoint"][0]))
        if target != final:
            target.rename(final)
    except BaseException:
        if target != final:
            shutil.rmtree(target, ignore_errors=True)
        raise


def as_csv(keypoint: np.ndarray) -> str:
    """Format joint positions [T, V, 3] in meters as CSV in millimeters.

    The cells of absent joints are empty.
    """
    columns = [
        f"{joint}_{axis}" for joint in skeleton("kinect20").joints for axis in "xyz"
    ]
    lines = [",".join(columns)]
    for frame in keypoint:
        cells = [
            f"{1000 * value:.1f}" if joint.any() else ""
            for joint in frame
            for value in joint
        ]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"
