"""FLOPs and parameters of the networks, one clip, forward, all persons present."""

from msg3d.apis.flops import flop_counter

from .networks import PLAIN, build, names
from .progress import first_line, progress
from .results import table
from .steps import infer_step, keypoints


def run(options, results) -> None:
    """Counts every network at every layout; `results.data["flops"]`."""
    rows = results.data["flops"] = []
    for layout in options.layouts:
        for name in names(options):
            progress(f"counting FLOPs: {layout} {name}")
            rows.append(dict(layout=layout, network=name))
            try:
                rows[-1].update(_count(name, layout, options))
            except Exception as error:
                rows[-1]["error"] = first_line(error)
    results.show("Arithmetic", _text(rows, options))


def _count(name: str, layout: str, options) -> dict:
    """On the CPU: the arithmetic is the same everywhere."""
    network = build(name, layout, options)
    clip = keypoints(1, layout, options, "float32").cpu()
    with flop_counter() as counter:
        infer_step(network, clip, "float32")()
    counts = counter.get_flop_counts()["Global"]
    found = dict(
        flop_per_clip=counter.get_total_flops(),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
    if name == PLAIN:
        found["convolution_flop_per_clip"] = sum(
            flops for op, flops in counts.items() if "convolution" in str(op)
        )
    return found


def _text(rows: list, options) -> str:
    columns = {
        "layout": lambda row: row["layout"],
        "network": lambda row: row["network"],
        "GMAC a clip": lambda row: f"{row['flop_per_clip'] / 2e9:.3f}",
        "convolutions alone": lambda row: (
            f"{row['convolution_flop_per_clip'] / 2e9:.3f}"
        ),
        "parameters (M)": lambda row: f"{row['parameters'] / 1e6:.3f}",
        "error": lambda row: row["error"],
    }
    return (
        f"{table(rows, columns)}\n\nForward, {options.persons} persons of "
        f"{options.frames} frames, all present. Counted are convolutions and matrix "
        "products, those with adjacency matrices too; published counts leave the "
        "latter out, as the second column does. One MAC is two FLOPs."
    )


def flops_of(results, name: str, layout: str) -> int | None:
    """One clip, forward, if it was counted."""
    for row in results.data.get("flops", []):
        if (row["network"], row["layout"]) == (name, layout):
            return row.get("flop_per_clip")
    return None
