"""Patches for MMEngine where no hook exists.

Each docstring describes the added behavior and, if needed, why a hook cannot provide
it. The functions are called when MMEngine's modules have been imported. `import msg3d`
thus applies them to all runs, independent of the config. Because it imports this
module, the module must not import torch or MMEngine.
"""

import copy
import gc
import logging
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, BinaryIO

from ..compat.on_import import when_imported
from ..compat.replace import replace, replace_everywhere
from ..errors import CheckpointError, ConfigError, DataError, PickleError


@when_imported("mmengine.runner.runner")
def end_in_one_sentence() -> None:
    """End runs with a short message for errors that users can fix.

    With mim, the tracebacks of MMEngine and of mim hide the message. Hooks are not
    called after an error. This affects only MMAction2's `train.py` and `test.py`, not
    other programs that import MMEngine. `MSG3D_DEBUG=1` keeps the traceback.
    """
    from . import endings

    if endings.is_script(sys.argv[0]):
        endings.install()


@when_imported("mmengine.runner.runner")
def end_with_launcher() -> None:
    """End the ranks of a killed `torchrun`.

    torchrun ends its ranks when it receives a signal, but not when it is killed by
    SIGKILL or the out-of-memory killer. Its ranks would continue to train, and a
    resumed run would share the work dir with them. The process group is initialized
    before the runner has hooks.
    """
    from mmengine.runner import runner

    if sys.platform == "linux":
        replace(runner, "init_dist", _tied)


def _tied(init_dist: Callable) -> Callable:
    from .launcher import tie_to_launcher

    def init(launcher: str, *args: Any, **kwargs: Any) -> Any:
        if launcher == "pytorch":
            tie_to_launcher()
        return init_dist(launcher, *args, **kwargs)

    return init


@when_imported("mmengine.runner.runner")
def lock_work_dir() -> None:
    """Prevent two training runs from using the same work dir.

    They would overwrite each other's checkpoints without a warning. Only `Runner.train`
    acquires the lock. Testing and reading are unaffected. No hook surrounds training.
    """
    from mmengine.runner.runner import Runner

    if sys.platform != "win32":  # Windows has no fcntl
        replace(Runner, "train", _locked)


def _locked(train: Callable) -> Callable:
    from mmengine.dist import broadcast_object_list, is_main_process

    from .work_dir import locked

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        with locked(self.work_dir) if is_main_process() else nullcontext() as holder:
            holders = [holder]
            broadcast_object_list(holders)  # all processes stop together
            if holders[0] is not None:
                raise ConfigError(
                    f"{holders[0]} is training in this work dir. Wait until it ends, "
                    "stop it, or set another work dir with --work-dir.",
                    kind="locked",
                    file=str(self.work_dir),
                )
            return train(self, *args, **kwargs)

    return method


@when_imported("mmengine.runner.runner")
def name_unwritable() -> None:
    """Report the path if the work dir is full or read-only.

    MMEngine's error is an `[Errno 28]` without a path, in the middle of the log. Hooks
    are not called after an error. This also applies to the lock.
    """
    from mmengine.runner.runner import Runner

    for name in ("__init__", "train"):
        replace(Runner, name, _named_unwritable)


def _named_unwritable(original: Callable) -> Callable:
    from .work_dir import is_about, unwritable

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        except OSError as error:
            if not is_about(error, self.work_dir):
                raise
            raise OSError(error.errno, unwritable(self.work_dir, error)) from None

    return method


@when_imported("mmengine.runner.runner")
def keep_layouts() -> None:
    """Replace layout file names in the config with the layouts.

    The runner writes its config to all checkpoints. When it is created, before it has
    hooks, it also writes the config to the work dir.
    """
    from mmengine.runner.runner import Runner

    replace(Runner, "__init__", _with_layouts)


def _with_layouts(original: Callable) -> Callable:
    from ..skeletons import inline_layouts

    def __init__(self: Any, *args: Any, cfg: Any = None, **kwargs: Any) -> None:
        cfg = copy.deepcopy(cfg)
        if cfg is not None:
            # A Config keeps its values in a dictionary.
            inline_layouts(getattr(cfg, "_cfg_dict", cfg))
        original(self, *args, cfg=cfg, **kwargs)

    return __init__


@when_imported("mmengine.runner.runner")
def find_whole_checkpoint() -> None:
    """Let `--resume` find a complete checkpoint after a run was killed.

    If `last_checkpoint` is empty, MMEngine loads the file `''`. If it is missing,
    MMEngine starts from scratch without a warning. An incomplete checkpoint causes the
    error `PytorchStreamReader failed`. The search precedes all hooks.
    """
    from mmengine.runner import runner

    replace(runner, "find_latest_checkpoint", _whole)


def _whole(find_latest_checkpoint: Callable) -> Callable:
    from mmengine.logging import print_log

    from .work_dir import last_whole_checkpoint

    def find(path: str) -> str | None:
        named, complete = find_latest_checkpoint(path), last_whole_checkpoint(path)
        if complete != named:
            print_log(
                f"{path}: the checkpoint in last_checkpoint ({named}) is missing or "
                f"incomplete. The last complete checkpoint is {complete}.",
                logger="current",
                level=logging.WARNING,
            )
        return complete

    return find


@when_imported("mmengine.runner.runner")
def keep_shared() -> None:
    """Exclude inherited objects from the garbage collection of forked workers.

    Python's garbage collector writes to the header of each object, and the system then
    copies the memory page. Each worker eventually copies tens of MiB, which looks like
    a memory leak. `gc.freeze` excludes the objects that forked processes inherit. Their
    own objects are collected as usual. A hook would depend on the config.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(after_in_child=gc.freeze)


@when_imported("mmengine.logging.history_buffer")
def append_in_place() -> None:
    """Append to log buffers without copying their history (see `log_buffer`).

    A hook cannot replace the buffers, because the runner creates them itself.
    """
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer

    from .log_buffer import appending_in_place

    buffer = HistoryBuffer()
    buffer.update(0.0)
    before, _ = buffer.data
    buffer.update(0.0)
    if not np.shares_memory(before, buffer.data[0]):
        replace(HistoryBuffer, "update", appending_in_place)


@when_imported("mmengine.runner.checkpoint")
def read_safetensors() -> None:
    """Support `.safetensors` in `--checkpoint`, `load_from`, and `Recognizer`."""
    from mmengine.runner.checkpoint import CheckpointLoader

    def load(filename: str, map_location: Any = None) -> Any:
        from ..checkpoints.safe_tensors import read_on

        return read_on(filename, map_location)

    # A regular expression, tried after those of the other schemes.
    CheckpointLoader.register_scheme(r".*\.safetensors$", load, True)


@when_imported("mmengine.runner.checkpoint")
def bound_checkpoints() -> None:
    """Bound memory allocation when reading local checkpoints."""
    from mmengine.runner.checkpoint import CheckpointLoader

    def load(filename: str, map_location: Any = None) -> Any:
        from ..checkpoints.reading import load_bounded

        return load_bounded(filename, map_location)

    CheckpointLoader.register_scheme("", load, True)


@when_imported("mmengine.runner.checkpoint")
def name_refused() -> None:
    """Report the file and the cause when a checkpoint is rejected.

    PyTorch's message fills a screen, does not contain the path, and recommends
    `weights_only=False`.
    """
    from mmengine.runner.checkpoint import CheckpointLoader

    replace(CheckpointLoader, "load_checkpoint", _named_refused)
    CheckpointLoader.load_checkpoint = staticmethod(CheckpointLoader.load_checkpoint)


def _named_refused(load_checkpoint: Callable) -> Callable:
    def load(filename: str, *args: Any, **kwargs: Any) -> dict:
        from ..checkpoints.read_errors import other_type, read_error

        try:
            checkpoint = load_checkpoint(filename, *args, **kwargs)
        except ImportError:
            raise  # the file backend is not installed
        # Corrupt data raises exceptions of many types in PyTorch.
        except Exception as error:
            if isinstance(error, OSError) and other_type(filename) is None:
                raise  # for example, a missing file; torch also raises it for damage
            raise read_error(filename, error) from None
        if not isinstance(checkpoint, dict):
            raise CheckpointError(
                f"the file contains a {type(checkpoint).__name__}, expected a "
                "dictionary with the weights. Save the model's state_dict().",
                kind="weights",
                file=str(filename),
            )
        return checkpoint

    return load


@when_imported("mmengine.fileio.handlers.pickle_handler")
def load_pickles_as_data() -> None:
    """Read `.pkl` files with the safe unpickler of this package.

    `mmengine.load` reads the annotation files of MMAction2's data sets and the score
    files of its tools. Its unpickler executes code that a file contains.
    """
    from mmengine.fileio.handlers.pickle_handler import PickleHandler

    replace(PickleHandler, "load_from_fileobj", _unpickled_as_data)


def _unpickled_as_data(original: Callable) -> Callable:
    def load_from_fileobj(self: Any, file: BinaryIO, **kwargs: Any) -> Any:
        from ..checkpoints.tensor_pickle import TENSORS
        from ..io.safe_pickle import read_plain

        return read_plain(file, stand_ins=TENSORS, **kwargs)

    return load_from_fileobj


@when_imported("mmengine.fileio.handlers.yaml_handler")
def load_yaml_as_data() -> None:
    """Read `.yaml` files with PyYAML's FullLoader, which calls no functions.

    MMEngine's loader creates arbitrary objects.
    """
    from mmengine.fileio.handlers.yaml_handler import YamlHandler

    replace(YamlHandler, "load_from_fileobj", _yaml_as_data)


def _yaml_as_data(original: Callable) -> Callable:
    import yaml

    loader = getattr(yaml, "CFullLoader", yaml.FullLoader)

    def load_from_fileobj(self: Any, file: IO, **kwargs: Any) -> Any:
        try:
            return original(self, file, **{"Loader": loader, **kwargs})
        except yaml.constructor.ConstructorError as error:
            problem = " ".join(str(error.problem).split())
            raise PickleError(
                f"the file contains more than plain data ({problem:.200}). No code was "
                "executed. If you trust the source of the file, save its content as "
                "plain data.",
                kind="unsafe",
            ) from None

    return load_from_fileobj


@when_imported("mmengine.fileio.handlers")
def load_npz() -> None:
    """Let `mmengine.load` read `.npz` score files, for tools that use dumped scores."""
    from mmengine.fileio.handlers import (
        BaseFileHandler,
        file_handlers,
        register_handler,
    )

    if "npz" in file_handlers:
        return

    @register_handler("npz")
    class ScoreNpzHandler(BaseFileHandler):
        str_like = False

        def load_from_fileobj(self, file: BinaryIO) -> Any:
            from ..evaluation.score_npz import read_as_dump

            try:
                return read_as_dump(file)
            except DataError as error:  # `mmengine.load` promises an UnpicklingError
                raise PickleError(
                    error.message, kind=error.kind, field=error.where.field
                ) from error

        def dump_to_fileobj(self, obj: Any, file: Any, **kwargs: Any) -> None:
            raise DataError(
                ".npz files cannot be written. Use .pkl, .json, or .yaml.",
                kind="wrong-file-type",
            )

        dump_to_str = dump_to_fileobj


@when_imported("mmengine.fileio.io")
def name_unreadable() -> None:
    """Add the file path to errors that `mmengine.load` raises."""
    from mmengine.fileio import io

    replace_everywhere(io, "load", _with_name)


def _with_name(load: Callable) -> Callable:
    def named(file: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            if not (args or kwargs) and _is_local_pickle(file):
                # MMEngine would read the entire file into memory first.
                with Path(file).open("rb") as opened:
                    return load(opened, "pkl")
            return load(file, *args, **kwargs)
        except DataError as error:
            if hasattr(file, "read"):
                raise
            raise error.at(file=str(file)) from None

    return named


def _is_local_pickle(file: Any) -> bool:
    return str(file).endswith((".pkl", ".pickle")) and Path(str(file)).is_file()
