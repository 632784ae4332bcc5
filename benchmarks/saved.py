"""Bytes that autograd keeps between the forward and the backward pass.

Counted are tensors saved by operators, through saved-tensor hooks, and tensors stored as
attributes of custom functions, which the hooks do not receive. A storage counts once, in
its full size: a saved view keeps all of it. Device `meta` works as well.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def saved_bytes(run: Callable[[], Tensor]) -> int:
    """Return the bytes kept for the backward pass, including parameters and inputs.

    Args:
        run: forward pass with gradients enabled. It returns one tensor.
    """
    storages = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        # Keeping the object prevents reuse of its address.
        storages[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = run()
    for tensor in _attributes(out):
        keep(tensor)
    return sum(storage.nbytes() for storage in storages.values())


def saved_per_clip(forward: Callable[[Tensor], Tensor], clips: Tensor) -> int:
    """Return the bytes kept per additional clip.

    The difference between two batch sizes excludes parameters, buffers, and constants.

    Args:
        forward: function of a batch [N, ...].
        clips: two or more clips [N, ...].
    """
    few, many = 1, len(clips)
    less, more = (
        saved_bytes(lambda n=n: forward(clips[:n].clone())) for n in (few, many)
    )
    return (more - less) // (many - few)


def _attributes(out: Tensor) -> Iterator[Tensor]:
    """Yield tensors in attributes of the custom functions that computed `out`."""
    nodes, seen = [out.grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        nodes += [function for function, _ in node.next_functions]
        yield from _tensors(list(getattr(node, "__dict__", {}).values()))


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
