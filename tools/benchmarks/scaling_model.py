"""How long a step of data-parallel training takes on n GPUs, from a few numbers.

    step(n) = step(1) + max(0, all_reduce(n) - overlap) + all_reduce(n) of 8 bytes

The gradients are exchanged once a step. DDP does so while the backward pass is still
under way, in buckets of 25 MB: a network whose gradients are smaller is one bucket
(beside a first one of 1 MB), which is complete when the pass is over. The 8 bytes are
`PreemptionHook`'s.

Terms of an all-reduce (Patarasuk and Yuan, 2009, "Bandwidth optimal all-reduce
algorithms"): each process sends and receives 2 (n-1)/n of the bytes in 2 (n-1) hops
around a ring, or twice the bytes up and down a tree. The slowest link limits the rate.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """Nodes of a few GPUs each.

    Attributes:
        node_gpus: GPUs in a node.
        inside: bytes a second between the GPUs of a node, each way.
        between: bytes a second between two nodes, each way.
    """

    node_gpus: int = 8
    inside: float = 200e9
    between: float = 25e9


# Seconds to begin, of a hop inside a node and of one between nodes, which NCCL itself
# reckons with when it chooses (src/graph/tuning.cc of NCCL 2.1x: ring, protocol Simple;
# tree, protocol LL128).
RING = 8.4e-6, 3.4e-6, 9.6e-6
TREE = 14.0e-6, 1.2e-6, 8.5e-6


def ring_seconds(
    gpus: int, size: float, bandwidth: float, begin: float, hops: float
) -> float:
    """An all-reduce around a ring.

    Args:
        gpus: that take part, n.
        size: bytes, of each of them.
        bandwidth: of the slowest link, bytes a second.
        begin: seconds that it takes anyhow.
        hops: seconds that its 2 (n-1) hops take beside the bytes.
    """
    if gpus == 1:
        return 0.0
    return begin + hops + 2 * (gpus - 1) / gpus * size / bandwidth


def all_reduce_seconds(gpus: int, size: float, cluster: Cluster) -> float:
    """Around a ring or over a tree, whichever is faster, as NCCL chooses.

    Args:
        gpus: that take part; fills up one node after the other.
        size: bytes, of each of them.
        cluster: what connects them.
    """
    if gpus == 1:
        return 0.0
    nodes = math.ceil(gpus / cluster.node_gpus)
    inside = min(gpus, cluster.node_gpus) - 1
    bandwidth = cluster.inside if nodes == 1 else min(cluster.inside, cluster.between)
    begin, near, far = RING
    crossing = 2 * (nodes - 1)
    hops = (2 * (gpus - 1) - crossing) * near + crossing * far
    ring = ring_seconds(gpus, size, bandwidth, begin, hops)
    begin, near, far = TREE
    hops = 2 * (inside * near + math.log2(nodes) * far)
    tree = begin + hops + 2 * size / bandwidth
    return min(ring, tree)


@dataclass(frozen=True)
class Training:
    """What is trained, and how.

    Attributes:
        size: bytes of the gradients.
        step: seconds of a step on one GPU. An assumption, unless it was measured.
        batch: samples of a GPU and step.
        samples: of the data set.
        passes: over the data set, in the whole training.
        overlap: seconds of the exchange that the backward pass hides.
    """

    size: float
    step: float
    batch: int
    samples: int
    passes: int
    overlap: float = 0.0


def predict(gpus: int, training: Training, cluster: Cluster) -> dict:
    """One row of the table.

    Returns:
        `gpus`; `batch`, of all GPUs together; `exchange` and `step` in seconds;
        `efficiency`, step(1) / step(n); `share`, the part of a step that the exchange
        takes; `samples_per_second`; `steps` of one pass; `hours` of all passes.
    """
    exchange = max(
        0.0, all_reduce_seconds(gpus, training.size, cluster) - training.overlap
    )
    exchange += all_reduce_seconds(gpus, 8, cluster)
    step, batch = training.step + exchange, training.batch * gpus
    steps = math.ceil(training.samples / batch)
    return dict(
        gpus=gpus,
        batch=batch,
        exchange=exchange,
        step=step,
        efficiency=training.step / step,
        share=exchange / step,
        samples_per_second=batch / step,
        steps=steps,
        hours=steps * training.passes * step / 3600,
    )
