"""Convert a labeled data set to the format of another code base.

The format of INPUT is detected. The suffix of OUTPUT determines the output format:

    msg3d convert NTU60_CS.npz ntu60.packed
    msg3d convert xsub/train_data_joint.npy ntu60.packed
    msg3d convert nw_ucla.pkl ucla/train_data_joint.npy --train-split xview_train

For raw recordings, and to divide them into classes and splits, use `msg3d prepare`.
"""

import argparse

from .options import add_shared, check_overwrite, fraction, regex

OUTPUTS = """\
formats of INPUT and OUTPUT:
  .pkl      annotation file of MMAction2 or PYSKL
  .packed   packed store
  .npz      CTR-GCN and its derivatives: x_train, y_train, x_test, y_test
  .npy      ST-GCN, 2s-AGCN, MS-G3D, Shift-GCN: train_data*.npy with train_label.pkl
  .csv      table with one row per sample, person, and frame

An interrupted conversion to a packed store is resumed by the same command.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    parser.epilog = OUTPUTS
    add(
        "input",
        metavar="INPUT",
        help="file or packed store; or a folder of files with one sample each",
    )
    add("output", metavar="OUTPUT", help="file or packed store to write")
    add(
        "--labels",
        metavar="FILE",
        help="labels of an .npy file (default: train_label.pkl next to it); or a table "
        "with the columns file,label,split, or name,split, that replaces the labels and "
        "splits of other files",
    )
    add(
        "--label-pattern",
        type=regex,
        metavar="REGEX",
        help="regular expression whose match in the path of a file is the name of its "
        "class, such as 'A(\\d+)' for NTU RGB+D",
    )
    add_shared(parser, "--layout", "--img-shape", "--unit", "--missing-marker", "--fps")
    add("--train-split", metavar="NAME", help="split to write for training")
    add("--val-split", metavar="NAME", help="split to write for testing")
    add(
        "--val-fraction",
        type=fraction,
        metavar="F",
        help="fraction of each class to hold out, if INPUT has no splits",
    )
    add_shared(parser, "--seed", "--overwrite")


def run(args: argparse.Namespace) -> None:
    from ..converters.interchange import convert_data_set, output_files, output_format
    from ..formats.base import ReadOptions
    from ..stores.store_format import is_unfinished

    output_format(args.output)
    if not is_unfinished(args.output):
        check_overwrite(args.overwrite, *output_files(args.output))
    options = ReadOptions(
        layout=args.layout,
        labels=args.labels,
        unit=args.unit,
        missing_marker=args.missing_marker,
        fps=args.fps,
        img_shape=None if args.img_shape is None else tuple(args.img_shape),
    )
    result = convert_data_set(
        args.input,
        args.output,
        options,
        args.val_fraction,
        args.seed,
        (args.train_split, args.val_split),
        args.label_pattern,
    )
    if not args.quiet:
        print(f"input: {result.input_format}")
        splits = ", ".join(f"{name} {count}" for name, count in result.splits.items())
        print(f"samples: {result.samples}\nsplits: {splits or 'none'}")
        for title, counts in (("changed", result.changes), ("not stored", result.lost)):
            for text, count in counts.items():
                print(f"{title}: {text}" + f" ({count:,})" * (count > 1))
        if result.skipped:
            print(f"skipped: {len(result.skipped)} samples without a person")
    print(f"wrote {args.output}")
