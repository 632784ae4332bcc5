"""The networks that are compared, by name.

`plain` is the published form, tests/reference.py; `msg3d` is ours, with the same
weights. `stgcn` and `aagcn` are MMAction2's, at their own size. Others come from a
file of the user's.
"""

import importlib.util
import inspect
import sys
from argparse import Namespace
from pathlib import Path

import torch
from torch import nn

import msg3d  # noqa: F401  mends the stack, before anything of mmaction

from .machine import REPOSITORY

PLAIN = "plain"
OURS = "msg3d"

sys.path.append(str(REPOSITORY / "tests"))  # the plain form is there


def names(options: Namespace) -> list[str]:
    """Of all networks to measure, the plain form first."""
    return [
        PLAIN,
        *options.models,
        *(spec.partition("=")[0] for spec in options.against),
    ]


def build(name: str, layout: str, options: Namespace, base_channels=None) -> nn.Module:
    """A network in float32, with weights of seed 0; same as the plain form's if it can.

    Raises:
        Exception: whatever the class raises, such as AssertionError for a layout that
            it does not know.
    """
    graph_cfg = dict(layout=layout, mode="binary_adj")
    size = dict(
        graph_cfg=graph_cfg,
        num_person=options.persons,
        base_channels=base_channels or options.base_channels,
    )
    torch.manual_seed(0)
    if name == "stgcn":
        from mmaction.models import STGCN

        return STGCN(graph_cfg=dict(layout=layout, mode="stgcn_spatial"))
    if name == "aagcn":
        from mmaction.models import AAGCN

        graph_cfg = dict(layout=layout, mode="spatial")
        return AAGCN(graph_cfg=graph_cfg, num_person=options.persons)
    plain = plain_class()(**size)
    if name == PLAIN:
        return plain
    if name == OURS:
        from msg3d.models import MSG3D

        network = MSG3D(**size)
        network.load_state_dict(plain.state_dict())
        return network
    spec = {spec.partition("=")[0]: spec for spec in options.against}[name]
    network = _call(load_class(spec), size)
    try:
        network.load_state_dict(plain.state_dict())
    except RuntimeError:
        pass  # another architecture: it keeps its own, and is not compared
    return network


def is_comparable(name: str, network: nn.Module, plain: nn.Module | None) -> bool:
    """Whether the outputs should be the plain form's: the weights are."""
    if name in (PLAIN, OURS):
        return True
    if plain is None:  # it could not be made
        return False
    state, other = network.state_dict(), plain.state_dict()
    return state.keys() == other.keys() and all(
        torch.equal(state[key].cpu(), other[key].cpu()) for key in state
    )


def plain_class() -> type[nn.Module]:
    """The published form."""
    from reference import ReferenceMSG3D

    return ReferenceMSG3D


def load_class(spec: str) -> type[nn.Module]:
    """`NAME=FILE.py:CLASS` -> the class.

    Raises:
        ValueError: it is not of that form, or there is no such file or class.
    """
    name, _, place = spec.partition("=")
    file, _, class_name = place.rpartition(":")
    if not (name and file and class_name):
        raise ValueError(f"--against {spec}: give NAME=FILE.py:CLASS")
    if name in (PLAIN, OURS, "stgcn", "aagcn"):
        raise ValueError(f"--against {spec}: the name {name} is taken, give another")
    if not Path(file).is_file():
        raise ValueError(f"--against {spec}: there is no file {file}")
    module_spec = importlib.util.spec_from_file_location(f"against_{name}", file)
    if module_spec is None:
        raise ValueError(f"--against {spec}: {file} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    try:
        module_spec.loader.exec_module(module)
        return getattr(module, class_name)
    except Exception as error:
        raise ValueError(
            f"--against {spec}: {type(error).__name__}: {error}"
        ) from error


def _call(cls: type, arguments: dict) -> nn.Module:
    """`cls` with those of the arguments that it names."""
    known = inspect.signature(cls).parameters
    return cls(**{name: value for name, value in arguments.items() if name in known})
