"""From a published checkpoint to one of ours with its config, and back."""

import os
import pprint

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

from ..errors import CheckpointError
from ..io.atomic import whole_file
from .formats import (
    FORMATS,
    Format,
    State,
    layout_of,
)
from .reading import read_data, read_state, state_of
from .renaming import fits, rename, reverse
from .safe_tensors import SUFFIX, write_safetensors


def convert_checkpoint(source: str, out: str, layout: str | None = None) -> str:
    """Published weights as a checkpoint of ours and a config that builds its model.

    Args:
        source: the checkpoint, of one of `formats.FORMATS`.
        out: `NAME.pth` or `NAME.safetensors`; the config is written beside it as
            `NAME.py`.
        layout: of the skeletons it was trained on; None for the layout the authors
            used with as many joints.

    Returns:
        What the file was recognised as.

    Raises:
        CheckpointError: not weights, of no known form, or not whole.
        OSError: a file cannot be written.
    """
    stem, suffix = os.path.splitext(out)
    if suffix not in (".pth", SUFFIX):
        raise CheckpointError(
            f"{out}: name the checkpoint to write NAME.pth or NAME{SUFFIX}"
        )
    state = read_state(source)
    form = recognised(state, source)
    layout = layout_of(form, state, layout)
    config = form.model(state, layout)
    ours = form.forward(rename(state, form.table))
    ours = _completed(ours, config, form, source)
    meta = dict(converted_from=form.name, source=os.path.basename(source))
    _write(ours, meta, out)
    with whole_file(f"{stem}.py", "x") as file:
        file.write(_config_text(config, form.name, source))
    return form.name


def rewrite(source: str, out: str) -> list[str]:
    """A checkpoint of ours as `.safetensors`, or one of those as `.pth`.

    Args:
        source: what MMEngine or `convert_checkpoint` wrote, in either form.
        out: `NAME.safetensors` or `NAME.pth`, the other form than `source`.

    Returns:
        What beside the weights is not in the new file: `optimizer` and so on.

    Raises:
        CheckpointError: not weights, or not from one form to the other.
        OSError: the file cannot be written.
    """
    if source.endswith(SUFFIX) == out.endswith(SUFFIX):
        raise CheckpointError(
            f"{source} to {out}: expected one of the two, and only one, to end in {SUFFIX}"
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


def _write(state: State, meta: dict, out: str) -> list[str]:
    if out.endswith(SUFFIX):
        return write_safetensors(state, meta, out)
    with whole_file(out) as file:
        torch.save(dict(state_dict=state, meta=meta), file)
    return []


def convert_back(source: str, out: str) -> str:
    """A checkpoint of ours as the authors' code loads it.

    What the authors' code makes from its own graph (their MS-G3D's adjacency
    matrices) is not in their files; where ours has another graph or normalisation,
    the difference goes into the learned mask, so that the outputs are the same.

    Args:
        source: a checkpoint of MSG3D, STGCN, AGCN or AAGCN in a RecognizerGCN.
        out: the file to write: a plain state dict.

    Returns:
        The form it was written in.

    Raises:
        CheckpointError: not weights, or of no model that has a published form.
    """
    state = read_state(source)
    for form in FORMATS:
        back = list(reverse(form.table))
        kept = {key: one for key, one in state.items() if not _is_dropped(key, form)}
        if form.name.endswith("PYSKL") or not fits(kept, back):
            continue
        try:
            theirs = form.backward(rename(form.absorb(state, kept), back))
        except KeyError:
            continue
        if all(mark in theirs for mark in form.marks):
            with whole_file(out) as file:
                torch.save(theirs, file)
            return form.name
    raise CheckpointError(
        f"{source}: no published form has these entries, such as {_some(state)}: "
        "expected a RecognizerGCN with MSG3D, STGCN, AGCN or AAGCN"
    )


def recognised(state: State, source: str) -> Format:
    """The form of these weights.

    Raises:
        CheckpointError: none; the text says what the file looks like.
    """
    form = _published(state)
    if form is not None:
        return form
    if (
        any(key.startswith("backbone.") for key in state)
        and "cls_head.fc.weight" in state
    ):
        raise CheckpointError(
            f"checkpoint {source} has MMAction2's names already: pass it to --checkpoint "
            "or load_from with the config of its model"
        )
    known = "; ".join(form.name for form in FORMATS)
    raise CheckpointError(
        f"checkpoint {source} is of no form that is known, its entries are such as "
        f"{_some(state)}: expected one of: {known}"
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


def _completed(ours: State, config: dict, form: Format, source: str) -> State:
    """With what the published form leaves out, and every shape compared."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        expected = MODELS.build(config).state_dict()
    for key, value in expected.items():
        made = _is_dropped(key, form) or key.endswith("num_batches_tracked")
        if key not in ours and made:
            ours[key] = value
    lost, extra = sorted(set(expected) - set(ours)), sorted(set(ours) - set(expected))
    if lost or extra:
        what = f"lacks {lost[0]}" if lost else f"has {extra[0]} besides"
        raise CheckpointError(
            f"checkpoint {source}: looks like {form.name}, but {what} (by our name; "
            f"{len(lost)} missing, {len(extra)} unknown): expected the weights of a "
            "whole model as released"
        )
    for key, value in expected.items():
        if ours[key].shape != value.shape:
            raise CheckpointError(
                f"checkpoint {source}: {key} (by our name) has shape "
                f"{tuple(ours[key].shape)}, expected {tuple(value.shape)}: the network "
                "was changed"
            )
    return {key: ours[key].contiguous() for key in expected}


def _config_text(config: dict, name: str, source: str) -> str:
    model = pprint.pformat(config, width=80, sort_dicts=False)
    return (
        f"# The model of {os.path.basename(source)}: {name}.\n"
        "# Put the data and the schedule of a recipe above it with _base_.\n"
        "custom_imports = dict(imports=['msg3d'], allow_failed_imports=False)\n"
        "default_scope = 'mmaction'\n\n"
        f"model = {model}\n"
    )
