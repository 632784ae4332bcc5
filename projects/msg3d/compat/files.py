"""Files that MMEngine loads by their ending are data: what asks for code is refused.

`mmengine.load` reads the annotations of MMAction2's data sets and the scores that its
tools compare. It unpickles whatever it is given, and its reader of YAML, too, makes any
object that a file names.
"""

import os
import pickle
import sys

from .replace import replace


class Unreadable(pickle.UnpicklingError):
    """A file that is refused or damaged.

    Attributes:
        why: what is written behind its name.
    """

    def __init__(self, why: str, name: str = "the file") -> None:
        super().__init__(f"{name} {why}")
        self.why = why


def load_pickles_as_data() -> None:
    """`.pkl` by the package's own unpickler, with tensors as tensors."""
    from mmengine.fileio import PickleHandler

    replace(PickleHandler, "load_from_fileobj", _unpickled_as_data)


def _unpickled_as_data(original):
    def load_from_fileobj(self, file, **kwargs):
        from ..io.file_type import PICKLE, mismatch
        from ..io.safe_pickle import RefusedGlobal, read_plain
        from ..io.tensor_pickle import TENSORS

        try:
            return read_plain(file, TENSORS, **kwargs)
        except OSError:
            raise
        except RefusedGlobal as error:
            raise Unreadable(
                f"asks to import {error}, which annotations and scores do not need, "
                "and nothing of it was executed: take it only from where you trust, as "
                "plain data"
            ) from None
        # A damaged pickle raises whatever the operation it lands on raises.
        except Exception as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise Unreadable(
                mismatch(file, PICKLE)
                or f"is damaged, cut off or no pickle ({said:.200}): copy or make it "
                "again"
            ) from None

    return load_from_fileobj


def load_yaml_as_data() -> None:
    """`.yaml` by PyYAML's loader that knows Python's types, and calls nothing."""
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
            raise Unreadable(
                f"asks for more than data ({asked:.200}), and nothing of it was "
                "executed: take it only from where you trust, as plain data"
            ) from None

    return load_from_fileobj


def load_score_npz() -> None:
    """Scores as `.npz` (`evaluation/score_npz.py`), where a tool takes a dump."""
    from mmengine.fileio import BaseFileHandler, register_handler
    from mmengine.fileio.handlers import file_handlers

    if "npz" in file_handlers:
        return

    @register_handler("npz")
    class ScoreNpzHandler(BaseFileHandler):
        str_like = False

        def load_from_fileobj(self, file):
            return _dumped(file)

        def dump_to_fileobj(self, obj, file, **kwargs):
            raise TypeError(".npz is only read: write .pkl, .json or .yaml")

        dump_to_str = dump_to_fileobj


def _dumped(file) -> list[dict]:
    """The samples of an `.npz`, as `mim test ... --dump` pickles them."""
    import torch

    from ..evaluation.score_npz import read_score_npz
    from ..io.file_type import SCORES_NPZ, mismatch

    try:
        ids, scores, labels = read_score_npz(file)
        scores = torch.tensor(scores)
    except ValueError as error:
        said = mismatch(file, SCORES_NPZ) or f"{error}: write it again"
        raise Unreadable(said) from None
    if labels is None:
        raise Unreadable(
            "has no array `labels`, with which MMAction2's tools compare the scores: "
            "write it with ids, scores and labels"
        )
    samples = [
        dict(pred_score=score, gt_label=label)
        for score, label in zip(scores, torch.tensor(labels)[:, None])
    ]
    for sample, name in zip(samples, ids or ()):
        sample["frame_dir"] = name
    return samples


def name_unreadable() -> None:
    """The readers know what is in a file; `mmengine.load` knows its name."""
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
                # MMEngine reads the whole file into memory before it begins.
                with open(file, "rb") as opened:
                    return load(opened, "pkl")
            return load(file, *args, **kwargs)
        except Unreadable as error:
            if hasattr(file, "read"):
                raise
            raise Unreadable(error.why, str(file)) from None

    return named


def _is_local_pickle(file) -> bool:
    return str(file).endswith((".pkl", ".pickle")) and os.path.isfile(str(file))
