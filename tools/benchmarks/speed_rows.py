"""From readings of the stopwatch to rows of figures, and to a table."""

import statistics

from .gemm import GEMM
from .networks import PLAIN
from .results import table

# Differences of the outputs, by the greatest of them, that rounding explains.
ROUNDING = dict(float64=1e-8, float32=1e-3, tf32=0.1, bfloat16=0.3, float16=0.1)


def speed_rows(
    case: dict,
    readings: dict[str, list[float]],
    differences: dict[str, float],
    errors: dict[str, str],
    forward: dict[str, int | None],
    product_flops: int,
) -> list[dict]:
    """One row a network, in the order in which they were warmed up.

    Args:
        case: part, layout, dtype, batch and mode.
        readings: name -> seconds a step; `GEMM` is the matrix product.
        differences: name -> of its output from the plain form's, relative.
        errors: name -> what it raised.
        forward: name -> FLOPs of one clip.
        product_flops: of the matrix product.
    """
    rows, gemm = [], None
    if GEMM in readings:
        gemm = product_flops / statistics.median(readings[GEMM])
    for name in dict.fromkeys([*readings, *errors]):
        row = {**case, "network": name}
        if name in readings:
            row.update(_statistics(readings[name]))
            if name == GEMM:
                row["flop_per_second"] = gemm
            else:
                row.update(_rates(row, readings, forward[name], gemm))
        if name in differences:
            row["difference"] = differences[name]
            row["exact"] = differences[name] <= ROUNDING[case["dtype"]]
        if name in errors:
            row["error"] = errors[name]
        rows.append(row)
    return rows


def _statistics(seconds: list[float]) -> dict:
    median = statistics.median(seconds)
    return dict(seconds=seconds, median=median, min=min(seconds), max=max(seconds))


def _rates(row: dict, readings: dict, forward: int | None, gemm: float | None) -> dict:
    """Clips a second, and the arithmetic beside that of plain matrix products.

    A training step is taken as three forward passes. What an absent person costs is
    the network's own affair, so that there no FLOPs are given.
    """
    found = dict(clips_per_second=row["batch"] / row["median"])
    if PLAIN in readings:
        found["ratio"] = statistics.median(readings[PLAIN]) / row["median"]
    if forward and row["part"] != "absent":
        total = forward * row["batch"] * (3 if row["part"] == "train" else 1)
        found["flop_per_second"] = total / row["median"]
        if gemm:
            found["gemm_limit_seconds"] = total / gemm
            found["gemm_share"] = found["gemm_limit_seconds"] / row["median"]
    return found


def speed_text(rows: list[dict]) -> str:
    """The table, and what its columns mean."""
    columns = {
        name: lambda row, name=name: row[name]
        for name in ("part", "layout", "dtype", "mode", "batch", "network")
    }
    columns |= {
        "median ms": lambda row: f"{1e3 * row['median']:,.1f}",
        "min ms": lambda row: f"{1e3 * row['min']:,.1f}",
        "max ms": lambda row: f"{1e3 * row['max']:,.1f}",
        "clips/s": lambda row: f"{row['clips_per_second']:,.4g}",
        "times plain": lambda row: f"{row['ratio']:.2f}",
        "GFLOP/s": lambda row: f"{row['flop_per_second'] / 1e9:,.1f}",
        "GEMM limit ms": lambda row: f"{1e3 * row['gemm_limit_seconds']:,.1f}",
        "share": lambda row: f"{row['gemm_share']:.0%}",
        "difference": lambda row: (
            f"{row['difference']:.0e}" + ("" if row["exact"] else " WRONG")
        ),
        "error": lambda row: row["error"],
    }
    return (
        f"{table(rows, columns)}\n\n`times plain`: median of the plain form divided by "
        "that of this network, both run in the same mode, in turn. `gemm` is one large "
        "square matrix product, timed in turn with them. `GEMM limit`: all FLOPs of "
        "this network at its rate (a training step counts as three forward passes), "
        "`share` its part of the median. `difference`: of the outputs from the plain "
        "form's, relative to the greatest; WRONG if rounding does not explain it. "
        "ST-GCN and AAGCN are of their own size and have no plain form here."
    )
