"""Adapt the weights of a network to another data set, for fine-tuning.

Weights of equal shape are copied. For another skeleton layout, weights per joint (graphs and
the normalization of the input) are copied for the joints of the same name, and the others
keep their initial values. If the network takes more persons, the additional persons get the
normalization of the last one. A head for other classes keeps its initial values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..skeletons import skeleton
from ..skeletons.lookup import Layout

HEAD = "cls_head."
# Normalization of the input, [persons * joints * channels] or [joints * channels]
INPUT = ".data_bn."


@dataclass
class Transfer:
    """Names of tensors by what happened to them.

    Attributes:
        loaded: copied from the file.
        adapted: copied for the joints that both layouts have, and for all persons.
        new: not in the file, or of another shape; they keep their initial values.
        unused: in the file, but not in the network.
        joints: number of joints that both layouts have; None for the same layout.
    """

    loaded: list[str] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    joints: int | None = None

    def summary(self) -> str:
        """Return one sentence for the log."""
        parts = [f"{len(self.loaded)} tensors loaded"]
        if self.joints is not None:
            parts.append(f"{len(self.adapted)} adapted ({self.joints} shared joints)")
        elif self.adapted:
            parts.append(f"{len(self.adapted)} adapted (other number of persons)")
        for names, what in ((self.new, "new"), (self.unused, "not used")):
            if names:
                parts.append(f"{len(names)} {what} ({_shortened(names)})")
        return ", ".join(parts)


def adapt_weights(
    state: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    buffers: Iterable[str] = (),
    source: Layout | None = None,
    target: Layout | None = None,
    same_classes: bool = True,
    channels: int = 3,
) -> tuple[dict[str, Tensor], Transfer]:
    """Return weights for a network, and what was transferred.

    Args:
        state: weights of a file.
        own: initial weights of the network, which are not modified.
        buffers: names of the network's buffers. Graphs (`A`) among them belong to the
            layout of the network and are never copied.
        source, target: layouts of the weights and of the network; None if unknown.
        same_classes: whether the head is copied if its shape is the same.
        channels: input channels of the network.

    Returns:
        Weights with the names and shapes of `own`, and the names by what happened.

    Raises:
        CheckpointError: the network has other input channels, or no weight of the
            backbone fits (kind `weights`).
    """
    rows = None
    other_layout = False
    if source is not None and target is not None:
        old, new = skeleton(source).joints, skeleton(target).joints
        index = {name: number for number, name in enumerate(old)}
        rows = [index.get(name, -1) for name in new]
        other_layout = old != new
    graphs = {name for name in buffers if name.rpartition(".")[2] == "A"}
    result, transfer = dict(own), Transfer(unused=[k for k in state if k not in own])
    if rows is not None and other_layout:
        transfer.joints = sum(row >= 0 for row in rows)
    for name, value in own.items():
        stored = state.get(name)
        if name in graphs:
            continue
        if stored is None or (name.startswith(HEAD) and not same_classes):
            transfer.new.append(name)
            continue
        adapted = None
        if rows is not None and (other_layout or stored.shape != value.shape):
            adapted = _adapted(name, stored, value, rows, len(old), channels)
        if adapted is not None:
            result[name] = adapted
            transfer.adapted.append(name)
        elif stored.shape == value.shape:
            result[name] = stored
            transfer.loaded.append(name)
        else:
            transfer.new.append(name)
    _check(state, own, transfer)
    return result, transfer


def _adapted(
    name: str,
    stored: Tensor,
    value: Tensor,
    rows: list[int],
    joints: int,
    channels: int,
) -> Tensor | None:
    """Return a tensor per joint for another layout, or None for other tensors."""
    shared = torch.tensor([new for new, old in enumerate(rows) if old >= 0])
    of_file = torch.tensor([old for old in rows if old >= 0])
    result = value.clone()
    if INPUT in f".{name}" and value.ndim == 1:
        if len(value) % (len(rows) * channels) or len(stored) % (joints * channels):
            return None
        new = result.view(-1, len(rows), channels)  # (persons, V, C)
        known = stored.view(-1, joints, channels)
        person = torch.arange(len(new)).clamp(max=len(known) - 1)
        new[:, shared] = known[person][:, of_file].to(value)
        return result
    if value.ndim < 2 or value.shape[-1] != value.shape[-2]:
        return None
    window, rest = divmod(value.shape[-1], len(rows))
    wanted = (*value.shape[:-2], window * joints, window * joints)
    if rest or stored.shape != wanted:
        return None
    # The nodes of a window are (frame, joint).
    frames = torch.arange(window)[:, None]
    to = (frames * len(rows) + shared).flatten()
    start = (frames * joints + of_file).flatten()
    result[..., to[:, None], to] = stored[..., start[:, None], start].to(value)
    return result


def _check(
    state: Mapping[str, Tensor], own: Mapping[str, Tensor], transfer: Transfer
) -> None:
    copied = [*transfer.loaded, *transfer.adapted]
    backbone = [name for name in copied if not name.startswith(HEAD)]
    weights = [name for name in backbone if own[name].ndim > 1]
    if not weights:
        raise CheckpointError(
            "no weight fits the network of the config. Use weights of the same network and "
            "width; convert published weights with `msg3d convert-checkpoint`.",
            kind="weights",
        )
    mismatched = [
        name for name in transfer.new if name in state and not name.startswith(HEAD)
    ]
    if mismatched:
        fix = "Use weights with the same width and input channels (streams and scores)"
        scales = [key for key in mismatched if key.endswith("sgcn1.0.PA")]
        name = [*scales, *mismatched][0]
        shape, expected = tuple(state[name].shape), tuple(own[name].shape)
        if scales and len(state[scales[0]]) != len(own[scales[0]]):
            fix = f"Set model.backbone.num_gcn_scales={len(state[scales[0]])}"
        raise CheckpointError(
            f"{len(mismatched)} weights do not fit the network: {name} has shape {shape}, "
            f"expected {expected}. {fix}.",
            kind="weights",
            field=name,
        )


def _shortened(names: list[str]) -> str:
    """Return the first components that names share, such as 'cls_head.fc'."""
    stems = list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))
    return ", ".join(stems[:3]) + (", ..." if len(stems) > 3 else "")
