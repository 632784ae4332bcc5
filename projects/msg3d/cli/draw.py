"""Draw skeleton layouts with the numbers and names of the joints.

The person faces the viewer. The left side is blue, and the right side is orange. A ring
marks the center of the graph. With --file, a frame of an annotation file is drawn in
these layouts, by default the first frame with a person:

    msg3d draw coco nturgb+d --output layouts.png
    msg3d draw penn13 --file penn_action.pkl --sample 0001 --frame 12 --output frame.png
"""

import argparse
import sys

from .options import add_shared, check_overwrite, complete, layout, layout_names

RENAMED = {"--out": "--output"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    layouts = add(
        "layouts",
        nargs="*",
        type=layout,
        metavar="LAYOUT",
        help="name of a layout, or .json file that defines a layout",
    )
    complete(layouts, layout_names)
    add("--all", action="store_true", help="draw all named layouts")
    add("--list", action="store_true", help="list the names instead of drawing")
    add_shared(parser, "--output", help="image to write: .png, .svg, or .pdf")
    add("--file", help="annotation file or packed store with the frame to draw")
    add(
        "--sample",
        metavar="ID",
        help="id (frame_dir) of the sequence (default: the first)",
    )
    add(
        "--frame",
        type=int,
        metavar="N",
        help="index of the frame, from 0 (default: the first frame with a person)",
    )
    add(
        "--y-down",
        action=argparse.BooleanOptionalAction,
        help="whether y points down in 3D (default: as in meta['units'] of the file, or "
        "no). In 2D, y always points down",
    )
    add_shared(parser, "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..skeletons import SKELETONS

    if args.list:
        for name, skeleton_layout in SKELETONS.items():
            print(f"{name:12} {len(skeleton_layout.joints)} joints")
        return
    from ..visualization.files import check_picture, save_figure
    from ..visualization.layouts import layouts_figure, pose_of_file

    names = list(SKELETONS) if args.all else args.layouts
    if not names or not args.output:
        raise argparse.ArgumentError(
            None,
            "LAYOUT (or --all) and --output are required. Run `msg3d draw --list` to list "
            "the layouts.",
        )
    check_picture(args.output)
    check_overwrite(args.overwrite, args.output)
    poses = []
    if args.file:
        pose = pose_of_file(args.file, names[0], args.sample, args.frame, args.y_down)
        if pose.upside_down:
            print(
                "WARNING: the person is upside down. Pass --y-down or --no-y-down.",
                file=sys.stderr,
            )
        poses = [pose] * len(names)
    save_figure(layouts_figure(names, poses), args.output, dpi=90)
    print(f"wrote {args.output}")
