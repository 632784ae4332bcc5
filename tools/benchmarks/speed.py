"""Time of inference and of a training step, all networks in turn.

* infer: forward in eval mode, everybody present;
* absent: the same with only the first person of each clip present;
* train: forward and backward in training mode.
"""

from itertools import product

from torch import Tensor

from . import flops, modes, precision
from .gemm import GEMM, gemm_step
from .networks import OURS, PLAIN, build, is_comparable, names
from .options import SPEED
from .progress import first_line, progress
from .results import Results
from .speed_rows import speed_rows, speed_text
from .steps import infer_step, keypoints, train_step
from .stopwatch import LONG, loops_for, round_robin, seconds, timed_output


def run(options, results: Results) -> None:
    """Every combination of the options; `results.data["speed"]` and "flops"."""
    flops.run(options, results)
    rows = results.data["speed"] = []
    groups = product(options.layouts, options.dtypes, options.batch, options.modes)
    try:
        for layout, dtype, batch, mode in groups:
            group = dict(layout=layout, dtype=dtype, batch=batch, mode=mode)
            device = options.device
            reason = precision.lacks(dtype, device) or modes.lacks(mode, device)
            if reason:
                rows.append({**group, "error": reason})
            else:
                _measure(group, options, results)
            results.save()
    finally:
        if rows:
            results.show("Speed", speed_text(rows))


def _measure(group: dict, options, results: Results) -> None:
    """One group: its networks are made once, and compiled once, for all parts."""
    dtype, networks, same, broken = group["dtype"], {}, set(), {}
    made = plain = None
    for name in names(options):
        try:
            made = build(name, group["layout"], options)
            made = made.to(options.device, precision.storage(dtype))
            plain = made if name == PLAIN else plain
            if is_comparable(name, made, plain):
                same.add(name)
            networks[name] = modes.run_in(group["mode"], made)
        except Exception as error:
            broken[name] = error
    try:
        for part in (part for part in SPEED if part in options.parts):
            case = {"part": part, **group}
            if part == "absent" and options.persons == 1:
                reason = "skipped: with one person a clip nobody is absent"
                results.data["speed"].append({**case, "error": reason})
            else:
                with precision.settings(dtype):
                    _time(case, networks, same, dict(broken), options, results)
    finally:
        made = plain = None  # and the memory with them
        networks.clear()
        modes.forget(options.device)


def _time(case, networks, same, errors, options, results: Results) -> None:
    """Adds the rows of one part, also of what an interruption leaves.

    Args:
        case: part, layout, dtype, batch and mode.
        networks: by name, as the mode runs them.
        same: names of those whose output should be the plain form's.
        errors: name -> exception of those that could not be made.
    """
    device, dtype, repeats = options.device, case["dtype"], options.repeats
    what = "{part} {layout} {dtype} {mode} batch {batch}".format(**case)
    present, train = case["part"] != "absent", case["part"] == "train"
    clips = keypoints(case["batch"], case["layout"], options, dtype, present=present)
    make = train_step if train else infer_step
    steps = {name: make(network, clips, dtype) for name, network in networks.items()}
    steps[GEMM], product_flops = gemm_step(dtype, device)
    timed, readings, differences, expected = {}, {}, {}, None
    try:
        for name, step in steps.items():
            progress(f"{what}: warming up {name}")
            try:
                for _ in range(modes.WARM_UPS[case["mode"]] - 1):
                    step()
                out, once = timed_output(step, device)
                if name == PLAIN:
                    expected = out.clone()  # CUDA graphs write the next one over it
                elif name in same and expected is not None:
                    differences[name] = _relative_difference(out, expected)
                del out
                if once < LONG:  # it may have been mostly loading
                    once = seconds(step, device)
                timed[name] = step, loops_for(once)
            except Exception as error:
                errors[name] = error
        del expected
        for number in round_robin(timed, repeats, device, readings, errors):
            progress(f"{what}: round {number} of {repeats}")
    finally:
        forward = {
            name: flops.flops_of(results, name, case["layout"]) for name in networks
        }
        errors = {name: first_line(error) for name, error in errors.items()}
        rows = speed_rows(case, readings, differences, errors, forward, product_flops)
        results.data["speed"] += rows
        wrong = any(
            row["network"] == OURS and not row.get("exact", True) for row in rows
        )
        results.exact = results.exact and not wrong


def _relative_difference(found: Tensor, expected: Tensor) -> float:
    """Greatest difference, as a part of the greatest expected value."""
    found, expected = found.double(), expected.double()
    return float((found - expected).abs().max() / expected.abs().max())
