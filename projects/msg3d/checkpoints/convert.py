"""From a published checkpoint to one of ours with its config, and back."""

import os
import pprint

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import Tensor

from ..datasets.whole_file import whole_file
from .formats import FORMATS, CheckpointError, Format, State, layout_of
from .renaming import fits, rename, reverse

# Where training scripts put the weights beside other things.
NESTED = ("state_dict", "model_state_dict", "model", "net", "weights")


def convert_checkpoint(source: str, out: str, layout: str | None = None) -> str:
    """Published weights as a checkpoint of ours and a config that builds its model.

    Args:
        source: the checkpoint, of one of `formats.FORMATS`.
        out: `NAME.pth`; the config is written beside it as `NAME.py`.
        layout: of the skeletons it was trained on; None for the layout the authors
            used with as many joints.

    Returns:
        What the file was recognised as.

    Raises:
        CheckpointError: not weights, of no known form, or not whole.
        OSError: a file cannot be written.
    """
    if not out.endswith(".pth"):
        raise CheckpointError(f"{out}: name the checkpoint to write NAME.pth")
    state = read_state(source)
    form = recognised(state, source)
    layout = layout_of(form, state, layout)
    config = form.model(state, layout)
    ours = form.forward(rename(state, form.table))
    ours = _completed(ours, config, form, source)
    meta = dict(converted_from=form.name, source=os.path.basename(source))
    with whole_file(out) as file:
        torch.save(dict(state_dict=ours, meta=meta), file)
    with whole_file(f"{out.removesuffix('.pth')}.py", "x") as file:
        file.write(_config_text(config, form.name, source))
    return form.name


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


def read_state(source: str) -> State:
    """The weights of a file, executing nothing of it.

    Raises:
        CheckpointError: no such file, not weights, or code in it.
    """
    if not os.path.isfile(source):
        raise CheckpointError(f"checkpoint {source} does not exist")
    try:
        data = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch's own text takes twenty lines; the cause is in one of them.
        lines = [one.strip() for one in str(error).splitlines() if "GLOBAL" in one]
        why = lines[0] if lines else type(error).__name__
        raise CheckpointError(
            f"checkpoint {source} cannot be read as plain weights ({why}), and nothing "
            "else is executed: save its state_dict() with torch.save"
        ) from error
    for key in NESTED:
        if isinstance(data, dict) and isinstance(data.get(key), dict):
            data = data[key]
            break
    if not isinstance(data, dict) or not data:
        raise CheckpointError(
            f"checkpoint {source} holds a {type(data).__name__}: expected a state dict"
        )
    wrong = [key for key, one in data.items() if not isinstance(one, Tensor)]
    if wrong:
        raise CheckpointError(
            f"checkpoint {source}: {wrong[0]!r} is a {type(data[wrong[0]]).__name__}: "
            "expected tensors by name"
        )
    # DataParallel and DDP put this before every name.
    return {key.removeprefix("module."): one for key, one in data.items()}


def recognised(state: State, source: str) -> Format:
    """The form of these weights.

    Raises:
        CheckpointError: none; the text says what the file looks like.
    """
    for form in FORMATS:
        if all(mark in state for mark in form.marks):
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
