"""The command line: options, their checks, and the parts one after the other."""

import argparse
import sys
import warnings
from pathlib import Path

# The stack's own (compiled ops of mmcv, pkg_resources) would drown the progress.
warnings.filterwarnings("ignore", category=UserWarning)

# In this order: training moves the statistics that inference is compared with.
SPEED = ("infer", "absent", "train")
PARTS = ("exact", *SPEED, "factors", "memory", "data", "stream", "mim-test")
DTYPES = ("float32", "tf32", "bfloat16", "float16", "float64")
MODES = ("eager", "compiled", "cudagraphs")
MODELS = ("msg3d", "stgcn", "aagcn")
NAME = "benchmark.py"


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
    add("--batch", **many, type=whole_number, default=[8], help="clips a step")
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


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, 1 if a result is not exact, 2 for bad options, 130 after Ctrl-C."""
    argv = sys.argv[1:] if argv is None else argv
    options = parser().parse_args(argv)
    try:
        results = _prepare(options, argv)
    except (ValueError, OSError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    try:
        _measure(options, results)
    except KeyboardInterrupt:
        results.data["interrupted"] = True
    results.save()
    print(f"\nwritten: {options.out} and {options.out.with_suffix('.md')}")
    if results.data["interrupted"]:
        print(f"{NAME}: interrupted, the files hold what was measured", file=sys.stderr)
        return 130
    if not results.exact:
        print(f"{NAME}: MSG3D differs from the plain form, see above", file=sys.stderr)
        return 1
    return 0


def _prepare(options: argparse.Namespace, argv: list[str]):
    """Checks the options and opens the results.

    Raises:
        ValueError: an option asks for what there is not.
        OSError: the files cannot be written.
    """
    import torch

    from msg3d.models.graph import build_graph

    from .machine import describe
    from .networks import load_class
    from .results import Results

    if options.out.suffix != ".json":
        raise ValueError(f"--out {options.out}: give a name that ends in .json")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "--device cuda: torch finds no GPU here; leave the option out, or install "
            "a build of torch for the GPU"
        )
    few, many = options.mim_samples
    if few >= many:
        raise ValueError(f"--mim-samples {few} {many}: give the smaller number first")
    # Each branch of MS-TCN has a sixth of them.
    if options.base_channels < 6:
        raise ValueError(f"--base-channels {options.base_channels}: give at least 6")
    for layout in options.layouts:
        try:
            build_graph(layout)
        except ValueError as error:
            raise ValueError(f"--layouts {layout}: {error}") from error
    for spec in options.against:
        load_class(spec)
    torch.set_num_threads(options.threads)
    results = Results(options.out, argv, vars(options), describe(options.device))
    results.save()
    return results


def _measure(options: argparse.Namespace, results) -> None:
    from . import data, exact, factors, memory, mim_test, speed, stream

    parts = options.parts
    if "exact" in parts:
        exact.run(options, results)
    if set(SPEED) & set(parts):
        speed.run(options, results)
    if "factors" in parts:
        factors.run(options, results)
    if "memory" in parts:
        memory.run(options, results)
    if "data" in parts:
        data.run(options, results)
    if "stream" in parts:
        stream.run(options, results)
    if "mim-test" in parts:
        mim_test.run(options, results)


def whole_number(text: str) -> int:
    """The type of an argument that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
