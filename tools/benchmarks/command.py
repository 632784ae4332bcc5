"""The command `benchmark.py`: check the options, and run the parts in order."""

import argparse
import sys
import warnings

from .options import NAME, SPEED, parser

# Warnings of the stack (compiled ops of mmcv, pkg_resources) would hide the progress.
warnings.filterwarnings("ignore", category=UserWarning)


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
