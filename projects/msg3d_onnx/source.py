"""The modules of `msg3d` that need no torch, read where it is not installed.

`import msg3d` brings the whole stack: its packages register networks and data sets.
The modules wanted here only need numpy, and MMAction2's base classes of transforms, for
which `mmaction_parts` stands in. So they are read a second time, as `msg3d_onnx.msg3d`,
in packages whose `__init__` is left out; a `msg3d` beside them is not touched.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from . import mmaction_parts

ROOT = f"{__package__}.msg3d"
FOLDER = Path(__file__).resolve().parent.parent / "msg3d"
PACKAGES = ("", "apis", "datasets", "datasets.transforms")
# What the modules import of the stack, all of it to be found in `mmaction_parts`.
STACK = (
    "mmaction",
    "mmaction.registry",
    "mmaction.datasets",
    "mmaction.datasets.transforms",
    "mmcv",
    "mmcv.transforms",
)


@contextmanager
def _stack_stands_in() -> Iterator[None]:
    """While modules are read; afterwards the stack is there, or not, as it was."""
    before = {name: sys.modules.get(name) for name in STACK}
    sys.modules.update(dict.fromkeys(STACK, mmaction_parts))
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _bare_package(name: str) -> None:
    """A package of the folder of that name, without what its `__init__` would do."""
    full = f"{ROOT}.{name}".rstrip(".")
    package = ModuleType(full)
    package.__path__ = [str(FOLDER.joinpath(*name.split(".")))]
    sys.modules[full] = package


for _name in PACKAGES:
    _bare_package(_name)
with _stack_stands_in():
    _exported = import_module(f"{ROOT}.apis.exported")
    for _step in set(_exported.CARRIED.values()) - {None}:
        import_module(f"{ROOT}.datasets.transforms.{_step}")
    _recognizer = import_module(f"{ROOT}.apis.recognizer")

_errors = import_module(f"{ROOT}.errors")
ExportedFileError = _errors.CheckpointError
KeypointError = _errors.DataError
Prediction = _recognizer.Prediction
Recognizer = _recognizer.Recognizer
