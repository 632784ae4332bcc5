"""Convert published checkpoints to ours, with their configs, and back."""

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
        source: the checkpoint, in one of `formats.FORMATS`.
        out: `NAME.pth` or `NAME.safetensors`; the config is written next to it as
            `NAME.py`.
        layout: of the skeletons it was trained on; None for the layout that the authors
            used with as many joints.

    Returns:
        The name of the recognized form.

    Raises:
        CheckpointError: not weights, of an unknown form, or incomplete.
        OSError: a file cannot be written.
    """
    suffix = Path(out).suffix
    if suffix not in (".pth", SUFFIX):
        raise CheckpointError(
            f"name the checkpoint to write NAME.pth or NAME{SUFFIX}",
            kind="file-name",
            file=out,
        )
    state = read_state(source)
    try:
        form = recognized(state)
        layout = layout_of(form, state, layout)
        config = form.model(state, layout)
        inline_layouts(config)
        ours = form.forward(rename(state, form.table))
        ours = _completed(ours, config, form)
    except CheckpointError as error:
        raise error.at(file=source) from None
    meta = {"converted_from": form.name, "source": Path(source).name}
    _write(ours, meta, out)
    with whole_file(f"{out.removesuffix(suffix)}.py", "x") as file:
        file.write(_config_text(config, form.name, source))
    return form.name


def rewrite(source: str, out: str) -> list[str]:
    """Rewrite a `.pth` checkpoint of ours as `.safetensors`, or the other way round.

    Args:
        source: a file that MMEngine or `convert_checkpoint` wrote, in either form.
        out: `NAME.safetensors` or `NAME.pth`, the other form than `source`.

    Returns:
        The entries that are not in the new file: `optimizer` and so on.

    Raises:
        CheckpointError: not weights, or the same form twice.
        OSError: the file cannot be written.
    """
    if source.endswith(SUFFIX) == out.endswith(SUFFIX):
        raise CheckpointError(
            f"is rewritten as {out}: expected exactly one of the two to end in {SUFFIX}",
            kind="file-name",
            file=source,
        )
    data = read_data(source)
    meta = data.get("meta") if isinstance(data, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    lost = [key for key in data if key not in ("state_dict", "meta")]
    if "state_dict" not in data:  # the weights alone
        lost = []
    return lost + [
        f"meta[{key!r}]" for key in _write(state_of(data, source), meta, out)
    ]


def _write(state: State, meta: dict[str, Any], out: str) -> list[str]:
    if out.endswith(SUFFIX):
        return write_safetensors(state, meta, out)
    with whole_file(out) as file:
        torch.save({"state_dict": state, "meta": meta}, file)
    return []


def convert_back(source: str, out: str) -> str:
    """Convert a checkpoint of ours to the form that the authors' code loads.

    The adjacency matrices that the authors' MS-G3D computes from its own graph are not
    in their files. If ours has another graph or normalization, the difference goes into
    the learned mask, so that the outputs are the same.

    Args:
        source: a checkpoint of MSG3D, STGCN, AGCN, or AAGCN in a RecognizerGCN.
        out: the file to write: a plain state dict.

    Returns:
        The name of the form that was written.

    Raises:
        CheckpointError: not weights, or of a model without a published form.
    """
    state = read_state(source)
    for form in FORMATS:
        back = list(reverse(form.table))
        kept = {key: state[key] for key in state if not _is_dropped(key, form)}
        if form.name.endswith("PYSKL") or not fits(kept, back):
            continue
        try:
            theirs = form.backward(rename(form.absorb(state, kept), back))
        except KeyError:
            continue
        except CheckpointError as error:
            raise error.at(file=source) from None
        if all(mark in theirs for mark in form.marks):
            with whole_file(out) as file:
                torch.save(theirs, file)
            return form.name
    raise CheckpointError(
        f"no published form has these entries, such as {_some(state)}: expected a "
        "RecognizerGCN with MSG3D, STGCN, AGCN, or AAGCN",
        kind="unknown-format",
        file=source,
    )


def recognized(state: State) -> Format:
    """Return the form of these weights.

    Raises:
        CheckpointError: they have no known form, or ours.
    """
    form = _published(state)
    if form is not None:
        return form
    if (
        any(key.startswith("backbone.") for key in state)
        and "cls_head.fc.weight" in state
    ):
        raise CheckpointError(
            "is already in MMAction2's format: pass it to --checkpoint or load_from with "
            "the config of its model",
            kind="wrong-file-type",
        )
    known = "; ".join(form.name for form in FORMATS)
    raise CheckpointError(
        f"is of an unknown form, with entries such as {_some(state)}: expected one of: "
        f"{known}",
        kind="unknown-format",
    )


def is_published(source: str) -> bool:
    """Whether a checkpoint has the names of a published form, and not ours.

    Raises:
        CheckpointError: not weights.
    """
    return _published(read_state(source)) is not None


def _published(state: State) -> Format | None:
    for form in FORMATS:
        if all(mark in state for mark in form.marks):
            return form
    return None


def _is_dropped(key: str, form: Format) -> bool:
    return bool(form.dropped) and key.endswith(form.dropped)


def _some(state: State) -> list[str]:
    return sorted(state)[:: max(1, len(state) // 4)][:4]


def _completed(ours: State, config: dict[str, Any], form: Format) -> State:
    """Add the entries that the published form omits, and check every shape."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        expected = MODELS.build(config).state_dict()
    for key, value in expected.items():
        omitted = _is_dropped(key, form) or key.endswith("num_batches_tracked")
        if key not in ours and omitted:
            ours[key] = value
    lost, extra = sorted(set(expected) - set(ours)), sorted(set(ours) - set(expected))
    if lost or extra:
        what = f"lacks {lost[0]}" if lost else f"also has {extra[0]}"
        raise CheckpointError(
            f"looks like {form.name}, but {what} (by our name; {len(lost)} missing, "
            f"{len(extra)} unknown): expected the weights of a complete model as "
            "released",
            kind="weights",
        )
    for key, value in expected.items():
        if ours[key].shape != value.shape:
            raise CheckpointError(
                f"{key} (by our name) has shape {tuple(ours[key].shape)}, expected "
                f"{tuple(value.shape)}: the network was changed",
                kind="weights",
            )
    return {key: ours[key].contiguous() for key in expected}


def _config_text(config: dict[str, Any], name: str, source: str) -> str:
    model = pprint.pformat(config, width=80, sort_dicts=False)
    return (
        f"# The model of {Path(source).name}: {name}.\n"
        "# Add the data and the schedule of a recipe with _base_.\n"
        "custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)\n"
        "default_scope = 'mmaction'\n\n"
        f"model = {model}\n"
    )
