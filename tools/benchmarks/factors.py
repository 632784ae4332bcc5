"""Where the speed comes from: each idea added to those before it."""

import contextlib
import importlib
import statistics
from collections.abc import Callable, Iterator

from .networks import OURS, PLAIN, build
from .progress import progress
from .results import Results, table
from .steps import Step, infer_step, keypoints, train_step
from .stopwatch import loops_for, round_robin, seconds

NEVER = float("inf")
# Switches of the models, by what is left out while an idea is not added yet.
UNFOLDED = ("msg3d.can_fold", lambda model: False)
BY_BATCH = ("by_sample.MIN_ELEMENTS", NEVER)
UNCUT = ("inference.CACHE_ELEMENTS", 10**12)
# part -> rows: what it is called, and what is left out
STAGES = {
    "infer": {
        "the cheapest order, channels last": (UNFOLDED, BY_BATCH),
        "graph convolutions a sample at a time": (UNFOLDED,),
        "BatchNorm folded, graph kept, branches by shifts": (UNCUT,),
        "the whole network a few samples at a time": (),
    },
    "absent": {"absent persons computed once": ()},
    "train": {
        "the cheapest order, channels last": (BY_BATCH,),
        "operators by hand, a few samples at a time": (),
    },
}


def run(options, results: Results) -> None:
    """Every stage at float32 and the first batch size; `results.data["factors"]`."""
    rows = results.data["factors"] = []
    for layout in options.layouts:
        plain, ours = (build(name, layout, options) for name in (PLAIN, OURS))
        for part, stages in STAGES.items():
            if part == "absent" and options.persons == 1:
                continue
            present = part != "absent"
            batch = options.batch[0]
            clips = keypoints(batch, layout, options, "float32", present=present)
            make = train_step if part == "train" else infer_step
            steps = {PLAIN: make(plain, clips, "float32")}
            for stage, left_out in stages.items():
                steps[stage] = _without(left_out, make(ours, clips, "float32"))
            medians = _medians(steps, f"factors {layout} {part}", options)
            for stage in stages:
                row = dict(part=part, layout=layout, batch=batch, stage=stage)
                times = medians[PLAIN] / medians[stage]
                rows.append({**row, "seconds": medians[stage], "times_plain": times})
    results.show("Factors", _text(rows))


def _without(left_out: tuple, step: Step) -> Step:
    def changed():
        with _switched(left_out):
            return step()

    return changed


@contextlib.contextmanager
def _switched(left_out: tuple) -> Iterator[None]:
    with contextlib.ExitStack() as undo:
        for path, value in left_out:
            module, name = path.split(".")
            module = importlib.import_module(f"msg3d.models.{module}")
            undo.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, value)
        yield


def _medians(steps: dict[str, Callable], what: str, options) -> dict[str, float]:
    readings, errors, timed = {}, {}, {}
    for name, step in steps.items():
        step()
        timed[name] = step, loops_for(seconds(step, options.device))
    rounds = round_robin(timed, options.repeats, options.device, readings, errors)
    for number in rounds:
        progress(f"{what}: round {number} of {options.repeats}")
    for error in errors.values():
        raise error
    return {name: statistics.median(values) for name, values in readings.items()}


def _text(rows: list) -> str:
    columns = {
        "part": lambda row: row["part"],
        "layout": lambda row: row["layout"],
        "with": lambda row: row["stage"],
        "median ms": lambda row: f"{1000 * row['seconds']:,.1f}",
        "times plain": lambda row: f"{row['times_plain']:.2f}",
    }
    return (
        f"{table(rows, columns)}\n\nEach row has the ideas of the rows of its part "
        "above it too; `absent` has all those of `infer`. Timed in turn with the plain "
        "form, float32."
    )
