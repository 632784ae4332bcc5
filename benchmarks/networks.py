"""Networks to compare, and functions that run their steps.

`plain` is the published form (tests/reference.py). `msg3d` is our form with the same
weights. `stgcn` and `aagcn` are those of MMAction2 in their default sizes, and `ctrgcn` is
written from its paper (ctrgcn.py). Other networks are loaded from files (`--against`).
"""

import importlib
import importlib.util
import inspect
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

import msg3d
from msg3d.compat.mmengine import has_instructions
from msg3d.models.graph import build_graph

from . import REPOSITORY

PLAIN, OURS = "plain", "msg3d"
OTHERS = {  # name -> module, class, mode of the graph
    "stgcn": ("mmaction.models", "STGCN", "stgcn_spatial"),
    "aagcn": ("mmaction.models", "AAGCN", "spatial"),
    "ctrgcn": ("benchmarks.ctrgcn", "CTRGCN", "spatial"),
}
AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def reference(module: str):
    """Import a reference implementation from the tests."""
    if (tests := str(REPOSITORY / "tests")) not in sys.path:
        sys.path.append(tests)
    return importlib.import_module(module)


def names(options: Namespace) -> list[str]:
    """Return the names of all networks to measure, starting with the published form."""
    others = [spec.partition("=")[0] for spec in options.against]
    return [PLAIN, *options.models, *others]


def build(name: str, layout: str, options: Namespace) -> nn.Module:
    """Build a network in float32, with the weights of the published form if they match.

    Its attribute `comparable` is True if they match.

    Raises:
        Exception: any exception of the class, such as AssertionError for a layout.
    """
    torch.manual_seed(0)
    if name in OTHERS:
        module, cls, mode = OTHERS[name]
        cls = getattr(importlib.import_module(module), cls)
        network = _construct(cls, options, graph_cfg={"layout": layout, "mode": mode})
        network.comparable = False
        return network
    size = {"graph_cfg": {"layout": layout, "mode": "binary_adj"}}
    size["base_channels"] = options.base_channels
    plain = _construct(reference("reference").ReferenceMSG3D, options, **size)
    if name == PLAIN:
        network = plain
    elif name == OURS:
        network = _construct(msg3d.models.MSG3D, options, **size)
    else:
        specs = {spec.partition("=")[0]: spec for spec in options.against}
        network = _construct(load_class(specs[name]), options, **size)
    try:
        network.load_state_dict(plain.state_dict())
        network.comparable = True
    except RuntimeError:  # another architecture
        network.comparable = False
    return network


def _construct(cls: type, options: Namespace, **arguments) -> nn.Module:
    """Call a class with the arguments that it accepts."""
    arguments["num_person"] = options.persons
    accepted = inspect.signature(cls).parameters
    return cls(**{name: arguments[name] for name in arguments if name in accepted})


def load_class(spec: str) -> type[nn.Module]:
    """Load the class of `NAME=FILE.py:CLASS`.

    Raises:
        ValueError: the text is invalid, or the file or class does not exist.
    """
    name, _, location = spec.partition("=")
    file, _, class_name = location.rpartition(":")
    if not (name and file.endswith(".py") and class_name):
        raise ValueError(f"--against {spec}: expected NAME=FILE.py:CLASS")
    if name in (PLAIN, OURS, *OTHERS, "gemm"):
        raise ValueError(f"--against {spec}: {name} is reserved. Choose another name")
    module_spec = importlib.util.spec_from_file_location(f"against_{name}", file)
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module
    try:
        module_spec.loader.exec_module(module)
        return getattr(module, class_name)
    except Exception as error:
        raise ValueError(f"--against {spec}: {error!r}") from error


def check_networks(options: Namespace) -> None:
    """Check device, layouts, and classes.

    Device `auto` is replaced, and the empty default of `against` removed.

    Raises:
        ValueError: a device, layout, or class is not available.
    """
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch detects no GPU. Use --device cpu")
    for layout in getattr(options, "layouts", []):
        try:
            build_graph(layout)
        except ValueError as error:
            raise ValueError(f"--layouts {layout}: {error}") from error
    options.against = [spec for spec in getattr(options, "against", []) if spec]
    for spec in options.against:
        load_class(spec)


def unsupported(dtype: str, device: str, mode: str = "eager") -> str | None:
    """Return why a device does not support a data type or mode, or None if it does."""
    if device == "cpu" and (dtype == "tf32" or mode == "cudagraphs"):
        return f"skipped: {'tf32' if dtype == 'tf32' else mode} requires a GPU"
    return None


def autocast(dtype: str, device: str) -> AbstractContextManager:
    """Return the autocast context of a data type."""
    half = AUTOCAST.get(dtype)
    return torch.autocast(device, half) if half else nullcontext()


def emulated(dtype: str, device: str) -> bool:
    """Return whether a data type has no instructions, which makes it very slow."""
    if device != "cpu" or dtype not in AUTOCAST:
        return False
    return not has_instructions(dtype)


def storage(dtype: str) -> torch.dtype:
    """Return the data type of parameters and input."""
    return torch.float64 if dtype == "float64" else torch.float32


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Enable tf32 for both convolutions and matrix products, or for neither.

    torch's default enables it only for convolutions, which favors the published form.
    """
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    torch.backends.cudnn.allow_tf32 = dtype == "tf32"
    torch.set_float32_matmul_precision("high" if dtype == "tf32" else "highest")
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before[0]
        torch.set_float32_matmul_precision(before[1])


def keypoints(
    options: Namespace, batch: int, layout: str, dtype: str, part=""
) -> Tensor:
    """Return random clips [N, M, T, V, 3].

    Part "absent" has one person per clip. In part "mix", clips with one person are spread
    evenly over the batch (`single_clips`).
    """
    joints = build_graph(layout).num_node
    shape = (batch, options.persons, options.frames, joints, 3)
    clips = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    if part == "absent":
        clips[:, 1:] = 0
    elif part == "mix":
        single = [single_clips(n + 1) > single_clips(n) for n in range(batch)]
        clips[torch.tensor(single), 1:] = 0
    return clips.to(options.device, storage(dtype))


def single_clips(batch: int) -> int:
    """Return how many clips of a batch show one person in part "mix".

    It is 70 %, as in NTU RGB+D, rounded: 7 of 10 clips, and 6 of 8.
    """
    return (7 * batch + 5) // 10


def step_of(
    part: str,
    network: nn.Module,
    clips: Tensor,
    dtype: str,
    before_backward: Callable[[], None] = lambda: None,
) -> Callable:
    """Return a function that runs one step and returns the detached output.

    "train" runs the forward pass, and the backward pass of the sum of the outputs with
    fixed random weights. Other parts run the forward pass in eval mode without gradients.
    `before_backward` is called between the two passes.
    """
    device, weights, training = clips.device.type, None, part == "train"
    network.train(training)

    def step() -> Tensor:
        nonlocal weights
        with torch.set_grad_enabled(training), autocast(dtype, device):
            out = network(clips)
        if training:
            network.zero_grad()
            if weights is None:
                generator = torch.Generator().manual_seed(2)
                weights = torch.randn(out.shape, generator=generator).to(clips)
            loss = (out * weights).sum()
            before_backward()
            loss.backward()
        return out.detach()

    return step
