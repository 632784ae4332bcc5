"""Read exported networks: the test pipeline that a file carries, and its scores.

NumPy and onnxruntime are enough for `.onnx` files.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample
from ..errors import CheckpointError
from ..preprocessing.steps import STEPS
from .keypoint_input import Expected

# The entry of an ONNX file's metadata, and the file in a torch.export archive.
KEY = "msg3d.json"
# 2 has `targets` instead of classes.
FORMATS = (1, 2)
SUFFIXES = (".onnx", ".pt2")
# From B arrays [clips, M, T, V, C] of one shape to [B, classes] or [B, targets].
Scorer = Callable[[Sequence[np.ndarray]], NDArray[np.float32]]


class Pipeline(Protocol):
    """A test pipeline: from a sample in memory to float32 [clips, M, T, V, C].

    Attributes:
        expected: what the pipeline and the network take.
    """

    expected: Expected

    def __call__(self, sample: Sample) -> NDArray[np.float32]: ...


class Exported(NamedTuple):
    """The content of an exported file.

    Attributes:
        pipeline: from a sample to the network's input.
        scores: the network.
        classes: their names.
        targets: names of the targets, if the network regresses targets.
    """

    pipeline: Pipeline
    scores: Scorer
    classes: tuple[str, ...]
    targets: tuple[str, ...]


def is_exported(model: Any) -> bool:
    """Return whether this is the path of an exported network, by its suffix."""
    return isinstance(model, (str, Path)) and Path(model).suffix in SUFFIXES


def load_exported(path: str, clips: int | None = None) -> Exported:
    """Load a file that `msg3d export` wrote.

    Args:
        path: `.onnx`, which requires onnxruntime, or `.pt2`, which requires torch.
        clips: clips per sequence that are averaged; None for the number of the recipe.

    Raises:
        CheckpointError: the file does not exist, was not written by
            `msg3d export`, or has a newer format.
        ImportError: onnxruntime, or torch, is not installed.
    """
    if not Path(path).is_file():
        raise CheckpointError(
            "the exported network does not exist", kind="not-found", file=path
        )
    scores: Scorer
    if Path(path).suffix == ".pt2":
        try:
            from .exported_program import load_program
        except ImportError as error:
            raise ImportError(
                "`.pt2` files require torch: pip install torch. Without torch, export "
                "the network as .onnx."
            ) from error

        scores, recipe = load_program(path, KEY)
    else:
        scores = network = OnnxScores(path)
        recipe = network.recipe
    try:
        pipeline, classes, targets = _built(_read_recipe(recipe), clips)
    except CheckpointError as error:
        raise error.at(file=path) from error
    return Exported(pipeline, scores, classes, targets)


class CarriedPipeline:
    """The test pipeline that an exported file carries, for samples in memory.

    Args:
        recipe: what `msg3d.export` writes into files.
        clips: clips per sequence, instead of the recipe's number.

    Attributes:
        expected: what the pipeline and the network take.
    """

    def __init__(self, recipe: dict[str, Any], clips: int | None = None) -> None:
        self.expected = Expected(**recipe["expected"])
        self._steps = []
        for step in with_clips(recipe["pipeline"], clips):
            arguments = dict(step)
            self._steps.append(STEPS[arguments.pop("type")](**arguments))

    def __call__(self, sample: Sample) -> NDArray[np.float32]:
        """The network's input.

        Args:
            sample: as `keypoint_input.to_sample` gives it; its arrays may be changed.

        Returns:
            float32 [clips, M, T, V, C].
        """
        for step in self._steps:
            sample = step(sample)
        keypoint: np.ndarray = sample["keypoint"]
        return keypoint.astype(np.float32, copy=False)


def with_clips(
    steps: Sequence[Mapping[str, Any]], clips: int | None
) -> list[Mapping[str, Any]]:
    """The steps with another number of clips; unchanged if it is None."""
    return [
        dict(step, num_clips=clips) if clips and "num_clips" in step else step
        for step in steps
    ]


class OnnxScores:
    """An ONNX network in onnxruntime, as a function from inputs to scores.

    Args:
        file: path, or the file's content.
        threads: None for onnxruntime's choice.

    Attributes:
        recipe: the JSON that `msg3d.export` wrote into the file; None if it did not.

    Raises:
        ImportError: onnxruntime is not installed.
        CheckpointError: onnxruntime cannot run the file (`corrupt`).
    """

    def __init__(self, file: str | bytes, threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                "ONNX networks require onnxruntime: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(
                file, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a class for each reason
            raise CheckpointError(
                f"onnxruntime cannot run the file as an ONNX network ({error}). Use a "
                "file that `msg3d export` wrote.",
                kind="corrupt",
                file=file if isinstance(file, str) else None,
            ) from error
        self.recipe: str | None = self._session.get_modelmeta().custom_metadata_map.get(
            KEY
        )

    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Scores of B samples.

        Args:
            inputs: B arrays [clips, M, T, V, C] of one shape.

        Returns:
            float32 [B, classes] or [B, targets].
        """
        keypoint = np.stack(inputs).astype(np.float32, copy=False)
        scores: NDArray[np.float32] = self._session.run(None, {"keypoint": keypoint})[0]
        return scores


def _read_recipe(text: str | None) -> dict[str, Any]:
    if text is None:
        raise CheckpointError(
            f"the file has no entry {KEY}, which describes classes and preprocessing. "
            "Use a file that `msg3d export` wrote.",
            kind="structure",
        )
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the entry {KEY} is not valid JSON ({error})", kind="syntax"
        ) from error
    version = recipe.get("format") if isinstance(recipe, dict) else None
    if not isinstance(recipe, dict) or version not in FORMATS:
        raise CheckpointError(
            f"the file has format {version!r:.40}, expected one of {FORMATS}. Export it again "
            "with this version of msg3d, or install the version that wrote it.",
            kind="version",
        )
    return recipe


def _built(
    recipe: dict[str, Any], clips: int | None
) -> tuple[CarriedPipeline, tuple[str, ...], tuple[str, ...]]:
    """The pipeline and the names of classes and targets that a recipe describes."""
    try:
        classes, targets = recipe["classes"], recipe.get("targets", ())
        pipeline = CarriedPipeline(recipe, clips)
        return pipeline, tuple(map(str, classes)), tuple(map(str, targets))
    # Steps are built from what the file says: wrong arguments raise errors of any type.
    except Exception as error:
        why = " ".join(str(error).split())
        raise CheckpointError(
            f"the entry {KEY} does not describe a pipeline ({type(error).__name__}: "
            f"{why:.200}). Export the network again.",
            kind="structure",
        ) from error
