"""Add a class that is recognized from a few examples, without training.

MODEL is a checkpoint that contains its training config, an exported network (.onnx), or a
config together with --checkpoint. All sequences in INPUT are examples of the class NAME.
If OUTPUT exists, the examples are added to its classes:

    msg3d enroll best.pth wave waves --output gestures.npz
    msg3d enroll best.pth nod nods --output gestures.npz
    msg3d predict best.pth clip.npy --enrolled gestures.npz

Five to ten examples from several persons and viewpoints are more reliable than one.
"""

import argparse
from pathlib import Path

from .options import add_shared, positive
from .recordings import add_reading, load_network, read_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="checkpoint, exported network, or config")
    add("name", metavar="NAME", help="name of the class")
    add("inputs", nargs="+", metavar="INPUT", help="file or folder with examples")
    add_shared(parser, "--checkpoint", help="weights of the network, for a config")
    add_shared(
        parser,
        "--output",
        required=True,
        help="file to write, or to which the examples are added (.npz)",
    )
    add_shared(parser, "--device")
    add(
        "--clips",
        type=positive,
        help="number of clips per sequence, whose features are averaged (default: the "
        "number in the test pipeline)",
    )
    add("--batch-size", type=positive, default=16, help="batch size (default: 16)")
    add_reading(parser)
    add_shared(parser, "--fps")
    parser.set_defaults(classes=None, window=None)


def run(args: argparse.Namespace) -> None:
    from ..apis.input_files import list_inputs, read_sequences

    recognizer, _ = load_network(args)
    if Path(args.output).exists():
        recognizer.load_enrolled(args.output)
    options = read_options(args)
    sources, _ = list_inputs(args.inputs, exclude=args.output)
    examples = [
        sequence
        for source in sources
        if Path(source).resolve() != Path(args.output).resolve()
        for sequence in read_sequences(source, recognizer.expected, options)
    ]
    recognizer.enroll(args.name, examples)
    recognizer.save_enrolled(args.output)
    enrolled = recognizer.enrolled
    print(f"wrote {args.output}: added {len(examples)} examples of {args.name!r}")
    for name, count in zip(enrolled.names, enrolled.counts, strict=True):
        print(f"{name}: {count}")
