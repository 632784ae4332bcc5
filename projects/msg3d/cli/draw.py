"""Draw skeleton layouts: joints with numbers and names, colored sides, and the center.

Blue is the left side of the person, who faces you, and orange the right. The ring is the
center of the graph. With --file, a frame of that file is drawn, by default the first
with a person:

    msg3d draw coco nturgb+d --output layouts.png
    msg3d draw penn13 --file penn_action.pkl --sample 0001 --frame 12 --output frame.png
"""

import argparse
import sys

from .options import add_shared, complete, layout, layout_names, refuse_existing

RENAMED = {"--out": "--output"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    layouts = add(
        "layouts",
        nargs="*",
        type=layout,
        metavar="LAYOUT",
        help="name, or .json file that describes a layout",
    )
    complete(layouts, layout_names)
    add("--all", action="store_true", help="draw every named layout")
    add("--list", action="store_true", help="list the names, and draw nothing")
    add_shared(parser, "--output", help="image to write: .png, .svg, or .pdf")
    add("--file", help="annotation file or packed store to draw a frame of")
    add(
        "--sample",
        metavar="ID",
        help="id of the sequence, its frame_dir (default: the first)",
    )
    add(
        "--frame",
        type=int,
        metavar="N",
        help="frame to draw, counted from 0 (default: the first with a person)",
    )
    add(
        "--y-down",
        action=argparse.BooleanOptionalAction,
        help="whether y points down in 3D (default: as in meta['units'] of the file, else "
        "no; always in 2D)",
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
            "expected names of layouts, or --all, and --output. `msg3d draw --list` lists "
            "the names",
        )
    check_picture(args.output)
    refuse_existing(args.overwrite, args.output)
    poses = []
    if args.file:
        pose = pose_of_file(args.file, names[0], args.sample, args.frame, args.y_down)
        if pose.upside_down:
            print(
                "the person is upside down: add --y-down, or --no-y-down",
                file=sys.stderr,
            )
        poses = [pose] * len(names)
    save_figure(layouts_figure(names, poses), args.output, dpi=90)
    print(f"wrote {args.output}")
