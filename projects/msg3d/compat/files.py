"""`mmengine.load` reads data only: files that ask for code are refused.

`mmengine.load` reads the annotations of MMAction2's data sets and the scores that its
tools compare. It unpickles whatever it is given, and its YAML reader, too, creates any
object that a file names.
"""

import os
import sys

from ..errors import DataError, PickleError
from .replace import replace


def load_pickles_as_data() -> None:
    """Read `.pkl` with the package's own unpickler, with tensors as tensors."""
    from mmengine.fileio import PickleHandler

    replace(PickleHandler, "load_from_fileobj", _unpickled_as_data)


def _unpickled_as_data(original):
    def load_from_fileobj(self, file, **kwargs):
        from ..io.safe_pickle import read_plain
        from .tensor_pickle import TENSORS

        return read_plain(file, stand_ins=TENSORS, **kwargs)

    return load_from_fileobj


def load_yaml_as_data() -> None:
    """Read `.yaml` with PyYAML's loader that knows Python's types and calls nothing."""
    from mmengine.fileio import YamlHandler

    replace(YamlHandler, "load_from_fileobj", _yaml_as_data)


def _yaml_as_data(original):
    import yaml

    loader = getattr(yaml, "CFullLoader", yaml.FullLoader)

    def load_from_fileobj(self, file, **kwargs):
        try:
            return original(self, file, **{"Loader": loader, **kwargs})
        except yaml.constructor.ConstructorError as error:
            asked = " ".join(str(error.problem).split())
            raise PickleError(
                f"asks for more than data ({asked:.200}). Nothing was executed. If you "
                "trust the source of the file, save its content as plain data.",
                kind="unsafe",
            ) from None

    return load_from_fileobj


def name_unreadable() -> None:
    """Add the file to the errors of the readers, which `mmengine.load` knows."""
    from mmengine.fileio import io

    original = io.load
    replace(io, "load", _with_name)
    for name, module in list(sys.modules.items()):
        if name.startswith("mmengine") and vars(module).get("load") is original:
            module.load = io.load


def _with_name(load):
    def named(file, *args, **kwargs):
        try:
            if not (args or kwargs) and _is_local_pickle(file):
                # MMEngine reads the entire file into memory before it begins.
                with open(file, "rb") as opened:
                    return load(opened, "pkl")
            return load(file, *args, **kwargs)
        except DataError as error:
            if hasattr(file, "read"):
                raise
            raise error.at(file=str(file)) from None

    return named


def _is_local_pickle(file) -> bool:
    return str(file).endswith((".pkl", ".pickle")) and os.path.isfile(str(file))
