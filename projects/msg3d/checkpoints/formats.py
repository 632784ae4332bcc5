"""Published weight formats and their conversion to the format of this package.

Sources: kenziyuliu/MS-G3D, yysijie/st-gcn, lshiwjx/2s-AGCN, and PYSKL, which released
these weights. Unless specified otherwise below, they differ from checkpoints of this
package only in the names of the entries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import CheckpointError
from ..models.graph import binary_adjacency, disentangled_scales, spacetime_adjacency
from ..skeletons import SKELETONS, skeleton
from .renaming import Table

State = dict[str, Tensor]

# number of joints -> layout that the authors trained on
AUTHORS_LAYOUTS = {25: "kinect25", 18: "openpose", 20: "kinect20"}
PYSKL_LAYOUTS = {25: "nturgb+d", 18: "openpose", 17: "coco"}


def _unchanged(state: State) -> State:
    return state


@dataclass(frozen=True)
class Format:
    """Published weight format.

    "Our" keys are those of this package's checkpoints.

    Attributes:
        name: description for messages.
        table: pairs of templates (key of the format, our key).
        marks: keys that identify the format.
        model: callable that returns the config of our model for (published state dict,
            layout).
        layouts: number of joints -> default layout.
        joints: callable that returns V for a published state dict.
        forward: callable that converts the entries after renaming to our keys.
        backward: callable that converts the entries after renaming to published keys.
        dropped: suffixes of our keys that the format omits, because it computes these
            entries from the layout.
        absorb: callable that takes (our entries, our entries without `dropped`) and
            returns the latter, adjusted for differences in the dropped entries.
    """

    name: str
    table: Table
    marks: tuple[str, ...]
    model: Callable[[State, str], dict[str, Any]]
    layouts: dict[int, str]
    joints: Callable[[State], int]
    forward: Callable[[State], State] = _unchanged
    backward: Callable[[State], State] = _unchanged
    dropped: tuple[str, ...] = ()
    absorb: Callable[[State, State], State] = lambda state, kept: kept


def layout_of(fmt: Format, state: State, named: str | None) -> str:
    """Return the layout of the weights: `named`, or the default of the format.

    Raises:
        CheckpointError: there is no default, or `named` has another number of joints
            (kind `layout`).
    """
    joints = fmt.joints(state)
    layout = named or fmt.layouts.get(joints)
    fitting = [name for name, body in SKELETONS.items() if len(body.joints) == joints]
    advice = ", ".join(fitting) or f"a layout with {joints} joints"
    if layout is None:
        raise CheckpointError(
            f"the weights ({fmt.name}) have {joints} joints, for which there is no "
            f"default layout. Set --layout to {advice}.",
            kind="layout",
        )
    if len(skeleton(layout).joints) != joints:
        raise CheckpointError(
            f"the weights ({fmt.name}) have {joints} joints, but layout {layout!r} has "
            f"{len(skeleton(layout).joints)}. Set --layout to {advice}.",
            kind="layout",
        )
    return layout


def recognizer(
    backbone: dict[str, Any], num_classes: int, in_channels: int
) -> dict[str, Any]:
    """Return the config of a recognizer with the given backbone."""
    head = {"type": "GCNHead", "num_classes": num_classes, "in_channels": in_channels}
    return {"type": "RecognizerGCN", "backbone": backbone, "cls_head": head}


# --- MS-G3D ---------------------------------------------------------------------

_MLP = "sgcn1.0.mlp.layers.0.weight"


def _msg3d_sizes(state: State, prefix: str) -> dict[str, Any]:
    """Infer the arguments of the backbone from the shapes of its weights.

    The mask of the adjacency matrices is [K V, V] in the authors' format and [K, V, V]
    in ours.
    """
    mask = "PA" if f"{prefix}sgcn1.0.PA" in state else "A_res"
    spatial = state[f"{prefix}sgcn1.0.{mask}"]
    joints = spatial.shape[-1]
    spacetime = state[f"{prefix}gcn3d1.gcn3d.0.gcn3d.1.{mask}"]
    scales = spatial.numel() // joints**2
    width, inputs = state[prefix + _MLP].shape[:2]
    channels = inputs // scales
    return {
        "in_channels": channels,
        "base_channels": width,
        "num_gcn_scales": scales,
        "num_g3d_scales": spacetime.numel() // spacetime.shape[-1] ** 2,
        "num_person": len(state[f"{prefix}data_bn.weight"]) // (joints * channels),
    }


def _msg3d(
    prefix: str, fc: str, **options: Any
) -> Callable[[State, str], dict[str, Any]]:
    def model(state: State, layout: str) -> dict[str, Any]:
        backbone = dict(
            type="MSG3D",
            graph_cfg={"layout": layout, "mode": "binary_adj"},
            **_msg3d_sizes(state, prefix),
            **options,
        )
        return recognizer(backbone, *state[f"{fc}.weight"].shape)

    return model


def _masks_to_ours(state: State) -> State:
    """Convert masks [K V, V] (target, source) to [K, V, V] (source, target)."""
    return {
        key: value.view(-1, value.shape[1], value.shape[1]).transpose(1, 2)
        if key.endswith(".PA")
        else value
        for key, value in state.items()
    }


def _masks_to_theirs(state: State) -> State:
    return {
        key: value.transpose(1, 2).flatten(0, 1) if key.endswith(".A_res") else value
        for key, value in state.items()
    }


def _masks_absorb(state: State, kept: State) -> State:
    """Compute PA + A - A', where A' are the matrices of the authors' network."""
    kept = dict(kept)
    joints = state["backbone.sgcn1.0.PA"].shape[-1]
    layout = AUTHORS_LAYOUTS.get(joints)
    if layout is None:
        raise CheckpointError(
            f"the MS-G3D weights have {joints} joints, but the authors' code supports "
            f"only {', '.join(map(str, sorted(AUTHORS_LAYOUTS)))}",
            kind="layout",
        )
    _, skeleton = binary_adjacency({"layout": layout, "mode": "binary_adj"})
    for key, mask in kept.items():
        if key.endswith(".PA"):
            window = mask.shape[1] // joints
            graph = spacetime_adjacency(skeleton, window) if window > 1 else skeleton
            theirs = disentangled_scales(graph, len(mask), "symmetric").to(mask)
            ours = state[key.removesuffix("PA") + "A"]
            kept[key] = mask if torch.equal(ours, theirs) else mask + (ours - theirs)
    return kept


MSG3D_AUTHORS = Format(
    name="MS-G3D as its authors released it",
    table=(
        ("fc.{rest}", "cls_head.fc.{rest}"),
        (
            "gcn3d{block}.gcn3d.{window}.gcn3d.1.A_res",
            "backbone.gcn3d{block}.gcn3d.{window}.gcn3d.1.PA",
        ),
        ("sgcn{block}.0.A_res", "backbone.sgcn{block}.0.PA"),
        ("data_bn.{rest}", "backbone.data_bn.{rest}"),
        ("gcn3d{block}.{rest}", "backbone.gcn3d{block}.{rest}"),
        ("sgcn{block}.{rest}", "backbone.sgcn{block}.{rest}"),
        ("tcn{block}.{rest}", "backbone.tcn{block}.{rest}"),
    ),
    marks=("sgcn1.0.A_res", "gcn3d1.gcn3d.0.gcn3d.1.A_res", "fc.weight"),
    model=_msg3d("", "fc", graph_norm="symmetric"),
    layouts=AUTHORS_LAYOUTS,
    joints=lambda state: state["sgcn1.0.A_res"].shape[-1],
    forward=_masks_to_ours,
    backward=_masks_to_theirs,
    dropped=(".A",),
    absorb=_masks_absorb,
)

# --- PYSKL ----------------------------------------------------------------------
# Only the classifier has another name.

_PYSKL_TABLE = (
    ("cls_head.fc_cls.{rest}", "cls_head.fc.{rest}"),
    ("backbone.{rest}", "backbone.{rest}"),
)

MSG3D_PYSKL = Format(
    name="MS-G3D of PYSKL",
    table=_PYSKL_TABLE,
    marks=("backbone.sgcn1.0.PA", "cls_head.fc_cls.weight"),
    model=_msg3d("backbone.", "cls_head.fc_cls"),
    layouts=PYSKL_LAYOUTS,
    joints=lambda state: state["backbone.sgcn1.0.PA"].shape[-1],
)

# --- ST-GCN ---------------------------------------------------------------------


def _data_bn(length: int, joints: int, channels: int) -> dict[str, Any]:
    """Infer from the length of the input BatchNorm whether persons share it."""
    persons = length // (joints * channels)
    if persons == 1:
        return {"data_bn_type": "VC"}
    return {"data_bn_type": "MVC", "num_person": persons}


def _stgcn(state: State, layout: str) -> dict[str, Any]:
    weight, matrices = state["st_gcn_networks.0.gcn.conv.weight"], state["A"]
    channels = weight.shape[1]
    importance = "edge_importance.0" in state
    backbone = dict(
        type="PartitionSTGCN",
        graph_cfg={"layout": layout, "mode": _partition(matrices)},
        in_channels=channels,
        base_channels=len(weight) // len(matrices),
        gcn_adaptive="importance" if importance else None,
        **_data_bn(len(state["data_bn.weight"]), matrices.shape[-1], channels),
    )
    return recognizer(backbone, *state["fcn.weight"].shape[:2])


def _partition(matrices: Tensor) -> str:
    """Infer the partition strategy from the number of subsets."""
    modes = {1: "uniform", 2: "distance", 3: "stgcn_spatial"}
    if len(matrices) not in modes:
        raise CheckpointError(
            f"the ST-GCN weights have {len(matrices)} subsets, expected 1, 2, or 3",
            kind="weights",
        )
    return modes[len(matrices)]


def _stgcn_to_ours(state: State) -> State:
    """Copy the shared `A` to each block, and flatten the head's 1x1 convolution."""
    state = dict(state)
    matrices = state.pop("backbone.A")
    blocks = {key.split(".")[2] for key in state if key.startswith("backbone.gcn.")}
    for block in blocks:
        state[f"backbone.gcn.{block}.gcn.A"] = matrices.clone()
    state["cls_head.fc.weight"] = state["cls_head.fc.weight"].flatten(1)
    return state


def _stgcn_to_theirs(state: State) -> State:
    state = {
        key: value
        for key, value in state.items()
        if not (key.endswith(".gcn.A") and not key.startswith("st_gcn_networks.0."))
    }
    state["A"] = state.pop("st_gcn_networks.0.gcn.A")
    state["fcn.weight"] = state["fcn.weight"][..., None, None]
    return state


STGCN_AUTHORS = Format(
    name="ST-GCN as its authors released it",
    table=(
        ("A", "backbone.A"),
        ("data_bn.{rest}", "backbone.data_bn.{rest}"),
        ("fcn.{rest}", "cls_head.fc.{rest}"),
        ("edge_importance.{block}", "backbone.gcn.{block}.gcn.PA"),
        ("st_gcn_networks.{block}.gcn.A", "backbone.gcn.{block}.gcn.A"),
        (
            "st_gcn_networks.{block}.gcn.conv.{rest}",
            "backbone.gcn.{block}.gcn.conv.{rest}",
        ),
        # Here the BatchNorm after the graph convolution is part of the temporal unit.
        ("st_gcn_networks.{block}.tcn.0.{rest}", "backbone.gcn.{block}.gcn.bn.{rest}"),
        (
            "st_gcn_networks.{block}.tcn.2.{rest}",
            "backbone.gcn.{block}.tcn.conv.{rest}",
        ),
        ("st_gcn_networks.{block}.tcn.3.{rest}", "backbone.gcn.{block}.tcn.bn.{rest}"),
        (
            "st_gcn_networks.{block}.residual.0.{rest}",
            "backbone.gcn.{block}.residual.conv.{rest}",
        ),
        (
            "st_gcn_networks.{block}.residual.1.{rest}",
            "backbone.gcn.{block}.residual.bn.{rest}",
        ),
    ),
    marks=("A", "st_gcn_networks.0.gcn.conv.weight", "fcn.weight"),
    model=_stgcn,
    layouts=AUTHORS_LAYOUTS,
    joints=lambda state: state["A"].shape[-1],
    forward=_stgcn_to_ours,
    backward=_stgcn_to_theirs,
)

# --- 2s-AGCN and AAGCN ------------------------------------------------------------


def _agcn(kind: str) -> Callable[[State, str], dict[str, Any]]:
    def model(state: State, layout: str) -> dict[str, Any]:
        first = state["l1.gcn1.conv_d.0.weight"]
        joints, channels = state["l1.gcn1.PA"].shape[-1], first.shape[1]
        options: dict[str, Any] = {}
        if kind == "LayoutAAGCN":
            options["gcn_attention"] = "l1.gcn1.conv_ta.weight" in state
        backbone = dict(
            type=kind,
            graph_cfg={"layout": layout, "mode": "spatial"},
            in_channels=channels,
            base_channels=len(first),
            **_data_bn(len(state["data_bn.weight"]), joints, channels),
            **options,
        )
        return recognizer(backbone, *state["fc.weight"].shape)

    return model


def _shifted(blocks: int = 10) -> Table:
    """Yield templates of blocks, numbered from 1 in the format and from 0 in ours."""
    for block in range(1, blocks + 1):
        theirs, ours = f"l{block}", f"backbone.gcn.{block - 1}"
        yield f"{theirs}.gcn1.{{rest}}", f"{ours}.gcn.{{rest}}"
        yield f"{theirs}.tcn1.{{rest}}", f"{ours}.tcn.{{rest}}"
        yield f"{theirs}.residual.{{rest}}", f"{ours}.residual.{{rest}}"


_AGCN_TABLE = (
    ("data_bn.{rest}", "backbone.data_bn.{rest}"),
    ("fc.{rest}", "cls_head.fc.{rest}"),
    *_shifted(),
)


def _end_renamed(old: str, new: str) -> Callable[[State], State]:
    def renamed(state: State) -> State:
        return {
            key.removesuffix(old) + new if key.endswith(old) else key: value
            for key, value in state.items()
        }

    return renamed


AAGCN_AUTHORS = Format(
    name="AAGCN as its authors released it",
    table=_AGCN_TABLE,
    marks=("l1.gcn1.PA", "l1.gcn1.alpha", "l1.gcn1.conv_d.0.weight", "fc.weight"),
    model=_agcn("LayoutAAGCN"),
    layouts=AUTHORS_LAYOUTS,
    joints=lambda state: state["l1.gcn1.PA"].shape[-1],
    forward=_end_renamed(".gcn.PA", ".gcn.A"),
    backward=_end_renamed(".gcn1.A", ".gcn1.PA"),
    dropped=("backbone.A",),
)

AGCN_AUTHORS = Format(
    name="2s-AGCN as its authors released it",
    table=_AGCN_TABLE,
    marks=("l1.gcn1.PA", "l1.gcn1.conv_a.0.weight", "fc.weight"),
    model=_agcn("AGCN"),
    layouts=AUTHORS_LAYOUTS,
    joints=lambda state: state["l1.gcn1.PA"].shape[-1],
    dropped=(".A",),
)

# --- ST-GCN, ST-GCN++ and AAGCN of PYSKL -------------------------------------------

_PYSKL_FIRST, _PYSKL_FC = "backbone.gcn.0.gcn", "cls_head.fc_cls.weight"


def _pyskl_stgcn(state: State, layout: str) -> dict[str, Any]:
    matrices, weight = state[f"{_PYSKL_FIRST}.A"], state[f"{_PYSKL_FIRST}.conv.weight"]
    # ST-GCN++: learned matrices, residual graph convolutions, temporal branches.
    plus = "backbone.gcn.0.tcn.transform.0.weight" in state
    options: dict[str, Any] = {"gcn_adaptive": "importance", "init_cfg": None}
    if plus:
        options.update(gcn_adaptive="init", gcn_with_res=True, tcn_type="mstcn")
    backbone = dict(
        type="PartitionSTGCN",
        graph_cfg={"layout": layout, "mode": "spatial" if plus else "stgcn_spatial"},
        in_channels=weight.shape[1],
        base_channels=len(weight) // len(matrices),
        **options,
        **_data_bn(
            len(state["backbone.data_bn.weight"]), matrices.shape[-1], weight.shape[1]
        ),
    )
    return recognizer(backbone, *state[_PYSKL_FC].shape)


def _pyskl_aagcn(state: State, layout: str) -> dict[str, Any]:
    first = state[f"{_PYSKL_FIRST}.conv_d.0.weight"]
    joints = state[f"{_PYSKL_FIRST}.A"].shape[-1]
    backbone = dict(
        type="LayoutAAGCN",
        graph_cfg={"layout": layout, "mode": "spatial"},
        in_channels=first.shape[1],
        base_channels=len(first),
        gcn_attention=f"{_PYSKL_FIRST}.conv_ta.weight" in state,
        **_data_bn(len(state["backbone.data_bn.weight"]), joints, first.shape[1]),
    )
    return recognizer(backbone, *state[_PYSKL_FC].shape)


def _pyskl(
    name: str, model: Callable[[State, str], dict[str, Any]], mark: str
) -> Format:
    return Format(
        name=name,
        table=_PYSKL_TABLE,
        marks=(f"{_PYSKL_FIRST}.A", f"{_PYSKL_FIRST}.{mark}", _PYSKL_FC),
        model=model,
        layouts=PYSKL_LAYOUTS,
        joints=lambda state: state[f"{_PYSKL_FIRST}.A"].shape[-1],
        dropped=("backbone.A",),
    )


STGCN_PYSKL = _pyskl("ST-GCN or ST-GCN++ of PYSKL", _pyskl_stgcn, "conv.weight")
AAGCN_PYSKL = _pyskl("AAGCN of PYSKL", _pyskl_aagcn, "conv_d.0.weight")

# The first format with all marks present is used: AAGCN must precede 2s-AGCN.
FORMATS = (
    MSG3D_AUTHORS,
    STGCN_AUTHORS,
    AAGCN_AUTHORS,
    AGCN_AUTHORS,
    MSG3D_PYSKL,
    STGCN_PYSKL,
    AAGCN_PYSKL,
)
