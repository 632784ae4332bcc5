"""Options of `benchmark.py`, and what the commands have in common.

NOTE: `--help` imports this module: nothing here may import torch.
"""

import argparse
from pathlib import Path

NAME = "benchmark.py"
# Training comes last: it changes the statistics that inference is compared with.
SPEED = ("infer", "absent", "train")
PARTS = ("exact", *SPEED, "factors", "memory", "data", "stream", "mim-test")
DTYPES = ("float32", "tf32", "bfloat16", "float16", "float64")
MODES = ("eager", "compiled", "cudagraphs")
MODELS = ("msg3d", "stgcn", "aagcn")
# Form of the data -> (type of the data set, ending of its file).
FORMS = {
    "pickle": ("SkeletonDataset", ".pkl"),
    "store": ("PackedSkeletonDataset", ".packed"),
}


def parser() -> argparse.ArgumentParser:
    """All options; their defaults are the published size at a batch a CPU can train."""
    made = argparse.ArgumentParser(
        prog=NAME,
        description="Measure MS-G3D against the plain published form on this machine.",
        epilog="Tables go to the standard output, progress to the standard error. "
        "Ctrl-C ends the run and keeps what was measured.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    many = dict(nargs="+")
    add("--parts", **many, choices=PARTS, default=list(PARTS), help="what to measure")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="where")
    add("--threads", type=whole_number, default=2, help="of torch, on the CPU")
    add("--layouts", **many, default=["nturgb+d", "coco"], help="of msg3d.skeletons")
    add("--batch", **many, type=whole_number, default=[8], help="clips per step")
    add("--frames", type=whole_number, default=100, help="of a clip")
    add("--persons", type=whole_number, default=2, help="of a clip")
    add(
        "--base-channels",
        type=whole_number,
        default=96,
        help="of MS-G3D and the plain form",
    )
    add("--dtypes", **many, choices=DTYPES, default=["float32"], help="to compute in")
    add("--modes", **many, choices=MODES, default=["eager"], help="ways to run")
    add("--models", **many, choices=MODELS, default=list(MODELS), help="beside plain")
    add(
        "--against",
        action="append",
        default=[],
        metavar="NAME=FILE.py:CLASS",
        help="one more backbone, made with graph_cfg, num_person and base_channels as "
        "far as it knows them; it gets the plain form's weights if they fit",
    )
    add("--repeats", type=whole_number, default=5, help="rounds of speed and data")
    add("--mim-repeats", type=whole_number, default=3, help="rounds of mim-test")
    add(
        "--mim-samples",
        type=whole_number,
        nargs=2,
        metavar=("FEW", "MANY"),
        default=[1, 9],
        help="test samples of the two runs of mim-test",
    )
    add("--data-samples", type=whole_number, default=16, help="samples a round of data")
    out = Path("work_dirs/benchmark/benchmark.json")
    add("--out", type=Path, default=out, help="the json; the tables lie beside as .md")
    return made


def whole_number(text: str) -> int:
    """An integer above 0, as the type of an argument."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
