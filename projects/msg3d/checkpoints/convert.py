"""Conversion of published checkpoints to this package's format, and back."""

import pprint
from pathlib import Path
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from ..errors import CheckpointError
from ..io.atomic import whole_file
from ..skeletons import inline_layouts
from .formats import FORMATS, Format, State, layout_of
from .reading import read_data, read_state, state_of
from .renaming import fits, rename, reverse
from .safe_tensors import SUFFIX, write_safetensors


def convert_checkpoint(source: str, out: str, layout: str | None = None) -> str:
    """Convert published weights to a checkpoint and a config that builds its model.

    Args:
        source: a checkpoint in one of the formats in `formats.FORMATS`.
        out: `NAME.pth` or `NAME.safetensors`; the config is written next to it as
            `NAME.py`.
        layout: skeleton layout of the training data. By default, the authors' layout
            with the same number of joints.

    Returns:
        The name of the recognized format.

    Raises:
        CheckpointError: the file contains no weights or is incomplete (kind `weights`),
            has an unknown format (kind `unknown-format`), or has no default layout
            (kind `layout`).
        OSError: a file cannot be written.
    """
    suffix = Path(out).suffix
    if suffix not in (".pth", SUFFIX):
        raise CheckpointError(
            f"the new checkpoint has the suffix {suffix!r}, expected .pth or {SUFFIX}",
            kind="file-name",
            file=out,
        )
    state = read_state(source)
    try:
        fmt = recognized(state)
        layout = layout_of(fmt, state, layout)
        config = fmt.model(state, layout)
        inline_layouts(config)
        ours = fmt.forward(rename(state, fmt.table))
        ours = _completed(ours, config, fmt)
    except CheckpointError as error:
        raise error.at(file=source) from None
    meta = {"converted_from": fmt.name, "source": Path(source).name}
    write_checkpoint(ours, meta, out)
    with whole_file(f"{out.removesuffix(suffix)}.py", "x") as file:
        file.write(_config_text(config, fmt.name, source))
    return fmt.name


def rewrite(source: str, out: str) -> list[str]:
    """Rewrite a `.pth` checkpoint as `.safetensors`, or vice versa.

    Args:
        source: a `.pth` or `.safetensors` file from MMEngine or `convert_checkpoint`.
        out: `NAME.safetensors` or `NAME.pth`; the type must differ from `source`.

    Returns:
        The entries that the new file does not contain, such as `optimizer`.

    Raises:
        CheckpointError: the source contains no weights, or both names have the same
            type.
        OSError: the file cannot be written.
    """
    if source.endswith(SUFFIX) == out.endswith(SUFFIX):
        raise CheckpointError(
            f"the checkpoint cannot be rewritten as {out}. Exactly one of the two "
            f"names must end in {SUFFIX}.",
            kind="file-name",
            file=source,
        )
    data = read_data(source)
    meta = data.get("meta") if isinstance(data, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    dropped = [key for key in data if key not in ("state_dict", "meta")]
    if "state_dict" not in data:  # a plain state dict
        dropped = []
    return dropped + [
        f"meta[{key!r}]" for key in write_checkpoint(state_of(data, source), meta, out)
    ]


def write_checkpoint(state: State, meta: dict[str, Any], out: str) -> list[str]:
    """Write weights and metadata atomically, as `.pth` or `.safetensors`.

    Returns:
        The keys of `meta` that were not written, see `write_safetensors`.
    """
    if out.endswith(SUFFIX):
        return write_safetensors(state, meta, out)
    with whole_file(out) as file:
        torch.save({"state_dict": state, "meta": meta}, file)
    return []


def convert_back(source: str, out: str) -> str:
    """Convert a checkpoint of this package to the format of the authors' code.

    The authors' MS-G3D computes the adjacency matrices from its own graph and does not
    store them. If this model has another graph or normalization, the difference is
    added to the learned mask, so the outputs are the same.

    Args:
        source: a checkpoint of MSG3D, STGCN, AGCN, or AAGCN in a RecognizerGCN.
        out: output file, a plain state dict.

    Returns:
        The name of the written format.

    Raises:
        CheckpointError: the file contains no weights, or the model has no published
            format.
    """
    state = read_state(source)
    for fmt in FORMATS:
        back = list(reverse(fmt.table))
        kept = {key: state[key] for key in state if not _is_dropped(key, fmt)}
        if fmt.name.endswith("PYSKL") or not fits(kept, back):
            continue
        try:
            theirs = fmt.backward(rename(fmt.absorb(state, kept), back))
        except KeyError:
            continue
        except CheckpointError as error:
            raise error.at(file=source) from None
        if all(mark in theirs for mark in fmt.marks):
            with whole_file(out) as file:
                torch.save(theirs, file)
            return fmt.name
    raise CheckpointError(
        f"no published format has entries such as {_example_keys(state)}, expected a "
        "RecognizerGCN with MSG3D, STGCN, AGCN, or AAGCN",
        kind="unknown-format",
        file=source,
    )


def recognized(state: State) -> Format:
    """Return the published format of the weights.

    Raises:
        CheckpointError: the format is unknown, or is MMAction2's already.
    """
    fmt = _published(state)
    if fmt is not None:
        return fmt
    if (
        any(key.startswith("backbone.") for key in state)
        and "cls_head.fc.weight" in state
    ):
        raise CheckpointError(
            "the checkpoint is already in MMAction2's format. Use it with --checkpoint "
            "or load_from, and with the config of its model.",
            kind="wrong-file-type",
        )
    known = "; ".join(fmt.name for fmt in FORMATS)
    raise CheckpointError(
        "the format of the checkpoint is unknown (with entries such as "
        f"{_example_keys(state)}), expected one of: {known}",
        kind="unknown-format",
    )


def is_published(source: str) -> bool:
    """Return whether a checkpoint has a published format and requires conversion.

    Raises:
        CheckpointError: the file contains no weights.
    """
    return _published(read_state(source)) is not None


def _published(state: State) -> Format | None:
    for fmt in FORMATS:
        if all(mark in state for mark in fmt.marks):
            return fmt
    return None


def _is_dropped(key: str, fmt: Format) -> bool:
    return bool(fmt.dropped) and key.endswith(fmt.dropped)


def _example_keys(state: State) -> str:
    return ", ".join(sorted(state)[:: max(1, len(state) // 4)][:4])


def _completed(ours: State, config: dict[str, Any], fmt: Format) -> State:
    """Add the entries that the published format omits, and check all shapes."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        expected = MODELS.build(config).state_dict()
    for key, value in expected.items():
        omitted = _is_dropped(key, fmt) or key.endswith("num_batches_tracked")
        if key not in ours and omitted:
            ours[key] = value
    missing = sorted(set(expected) - set(ours))
    extra = sorted(set(ours) - set(expected))
    if missing or extra:
        what = f"{missing[0]} is missing" if missing else f"{extra[0]} is unexpected"
        raise CheckpointError(
            f"the checkpoint looks like {fmt.name}, but {what} (name after conversion; "
            f"{len(missing)} missing, {len(extra)} unexpected). Use the weights of a "
            "complete model as released.",
            kind="weights",
        )
    for key, value in expected.items():
        if ours[key].shape != value.shape:
            raise CheckpointError(
                f"{key} (name after conversion) has shape {tuple(ours[key].shape)}, "
                f"expected {tuple(value.shape)}. Modified networks are unsupported.",
                kind="weights",
            )
    return {key: ours[key].contiguous() for key in expected}


def _config_text(config: dict[str, Any], name: str, source: str) -> str:
    model = pprint.pformat(config, width=80, sort_dicts=False)
    return (
        f"# Model of {Path(source).name}: {name}.\n"
        "# Add data and schedule with _base_.\n"
        "custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)\n"
        "default_scope = 'mmaction'\n\n"
        f"model = {model}\n"
    )
