"""Write example user data: synthetic actions as a folder of CSV files.

OUT/ACTION/sSSS_eEEE.csv is repetition EEE of an action by subject SSS. It has one row per
frame with the joints of Kinect v1 in millimeters; cells of lost joints are empty.
"""

import argparse
import os
import sys

from msg3d.io.atomic import whole_file
from msg3d.skeletons import skeleton
from msg3d.synthetic.actions import make_synthetic_actions


def as_csv(keypoint) -> str:
    """Return [T, V, 3] in meters as a CSV table in millimeters."""
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", metavar="OUT", help="folder to write to")
    add = parser.add_argument
    add("--subjects", type=int, default=16, help="number of people (default: 16)")
    add(
        "--repeats",
        type=int,
        default=2,
        help="samples of each action by each person (default: 2)",
    )
    args = parser.parse_args()
    try:
        data = make_synthetic_actions(args.subjects, args.repeats)
        for sample in data["annotations"]:
            action = data["meta"]["classes"][sample["label"]]
            subject, _, repeat = sample["frame_dir"].split("_")
            path = os.path.join(args.out, action, f"{subject}_{repeat}.csv")
            with whole_file(path, "x") as file:
                file.write(as_csv(sample["keypoint"][0]))
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    print(f"{len(data['annotations'])} sequences written to {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
