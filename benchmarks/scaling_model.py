"""Estimate the time of a data-parallel training step on many GPUs.

    step(n) = step(1) + all_reduce(n) of the gradients + all_reduce(n) of 8 bytes

DDP exchanges gradients in buckets of 25 MB during the backward pass. The gradients of a
smaller network fit into one bucket (after a first bucket of 1 MB). This bucket is complete
only at the end of the backward pass, so its exchange does not overlap with computation.
`PreemptionHook` exchanges the 8 bytes.

All-reduce (Patarasuk and Yuan, 2009, "Bandwidth optimal all-reduce algorithms"): in a ring,
each process sends and receives 2 (n-1)/n of the bytes in 2 (n-1) hops. In a tree, it sends
and receives twice the bytes. The slowest link limits the bandwidth.
"""

import math

# Latencies in milliseconds: start, hop inside a node, hop between nodes. NCCL selects the
# algorithm by them (src/graph/tuning.cc of NCCL 2.1x: ring with protocol Simple, tree with
# protocol LL128).
RING = 8.4e-3, 3.4e-3, 9.6e-3
TREE = 14.0e-3, 1.2e-3, 8.5e-3


def run(options, results) -> None:
    cases = [(network, gpus) for network in options.network for gpus in options.gpus]
    results.table("scaling model", [predict(*case, options) for case in cases])


def predict(network: float, gpus: int, options) -> dict:
    """Return a row of the table.

    Args:
        network: bandwidth between nodes, Gbit/s.
        gpus: number of GPUs.
        options: `bytes` (size of the gradients), `step_ms`, `batch_size` (per GPU),
            `samples`, `node_gpus`, and `inside` (bandwidth within a node, GB/s).
    """
    links = options.node_gpus, options.inside * 1e6, network * 1e6 / 8
    exchange = sum(all_reduce(gpus, size, *links) for size in (options.bytes, 8))
    batch, step = options.batch_size * gpus, options.step_ms + exchange
    return {
        "network_gbit": network,
        "gpus": gpus,
        "global_batch": batch,
        "exchange_ms": exchange,
        "efficiency": options.step_ms / step,
        "samples_per_s": 1e3 * batch / step,
        "steps_per_pass": math.ceil(options.samples / batch),
    }


def ring(gpus: int, size: float, bandwidth: float, start: float, hops: float) -> float:
    """Return the time of a ring all-reduce in milliseconds.

    Args:
        gpus: number of participants.
        size: bytes per participant.
        bandwidth: bandwidth of the slowest link, bytes per millisecond.
        start, hops: latencies of the start and of all hops, milliseconds.
    """
    return start + hops + 2 * (gpus - 1) / gpus * size / bandwidth


def all_reduce(gpus: int, size: float, node_gpus: int, inside: float, between: float):
    """Return the time of a ring or tree all-reduce, whichever is faster, in milliseconds.

    Args:
        gpus: number of participants, which fill one node after the other.
        size: bytes per participant.
        node_gpus: GPUs per node.
        inside, between: bandwidths within and between nodes, bytes per millisecond.
    """
    if gpus == 1:
        return 0.0
    nodes = math.ceil(gpus / node_gpus)
    bandwidth = inside if nodes == 1 else min(inside, between)
    start, near, far = RING
    crossing = 2 * (nodes - 1)
    hops = (2 * (gpus - 1) - crossing) * near + crossing * far
    ring_time = ring(gpus, size, bandwidth, start, hops)
    start, near, far = TREE
    hops = 2 * ((min(gpus, node_gpus) - 1) * near + math.log2(nodes) * far)
    return min(ring_time, start + hops + 2 * size / bandwidth)
