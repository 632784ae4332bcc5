"""Load exported networks with the test pipelines stored in their files.

`.onnx` files require only NumPy and onnxruntime.
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

# Metadata key in ONNX files, and file name in torch.export archives.
KEY = "msg3d.json"
# Format 2 describes networks with regression targets.
FORMATS = (1, 2)
SUFFIXES = (".onnx", ".pt2")
# Maps B arrays [clips, M, T, V, C] of equal shape to [B, classes] or [B, targets].
Scorer = Callable[[Sequence[np.ndarray]], NDArray[np.float32]]


class Pipeline(Protocol):
    """Test pipeline that maps a sample in memory to float32 [clips, M, T, V, C].

    Attributes:
        expected: input of the pipeline and the network.
    """

    expected: Expected

    def __call__(self, sample: Sample) -> NDArray[np.float32]: ...


class Exported(NamedTuple):
    """Content of an exported file.

    Attributes:
        pipeline: maps a sample to the network's input.
        scores: maps inputs to scores or targets.
        classes: names of the classes.
        targets: names of the regression targets, if any.
    """

    pipeline: Pipeline
    scores: Scorer
    classes: tuple[str, ...]
    targets: tuple[str, ...]


def is_exported(model: Any) -> bool:
    """Return whether `model` is a path with the suffix of an exported network."""
    return isinstance(model, (str, Path)) and Path(model).suffix in SUFFIXES


def load_exported(path: str, clips: int | None = None) -> Exported:
    """Load a file written by `msg3d export`.

    Args:
        path: `.onnx`, which requires onnxruntime, or `.pt2`, which requires torch.
        clips: clips per sequence whose scores are averaged; None for the number stored
            in the file.

    Raises:
        CheckpointError: the file does not exist, was not written by
            `msg3d export`, or has a newer format.
        ImportError: onnxruntime or torch is not installed.
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
        pipeline, classes, targets = _build(_read_recipe(recipe), clips)
    except CheckpointError as error:
        raise error.at(file=path) from error
    return Exported(pipeline, scores, classes, targets)


class StoredPipeline:
    """Test pipeline from an exported file, for samples in memory.

    Args:
        recipe: content of the entry that `msg3d export` stores in the file.
        clips: clips per sequence; None for the number in the recipe.

    Attributes:
        expected: input of the pipeline and the network.
    """

    def __init__(self, recipe: dict[str, Any], clips: int | None = None) -> None:
        self.expected = Expected(**recipe["expected"])
        self._steps = []
        for step in with_clips(recipe["pipeline"], clips):
            arguments = dict(step)
            self._steps.append(STEPS[arguments.pop("type")](**arguments))

    def __call__(self, sample: Sample) -> NDArray[np.float32]:
        """Return the network's input.

        Args:
            sample: result of `keypoint_input.to_sample`. Its arrays may be modified.

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
    """Return the steps with another number of clips, or unchanged if it is None."""
    return [
        dict(step, num_clips=clips) if clips and "num_clips" in step else step
        for step in steps
    ]


class OnnxScores:
    """ONNX network that maps inputs to scores with onnxruntime.

    Args:
        file: path, or content of the file.
        threads: number of threads; None for onnxruntime's default.

    Attributes:
        recipe: JSON that `msg3d export` stored in the file, or None.

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
        except Exception as error:  # onnxruntime raises many types
            raise CheckpointError(
                f"onnxruntime cannot load the file as an ONNX network ({error}). Use a "
                "file written by `msg3d export`.",
                kind="corrupt",
                file=file if isinstance(file, str) else None,
            ) from error
        self.recipe: str | None = self._session.get_modelmeta().custom_metadata_map.get(
            KEY
        )

    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Return the scores of B samples.

        Args:
            inputs: B arrays [clips, M, T, V, C] of equal shape.

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
            "Use a file written by `msg3d export`.",
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
            f"the file has format {version!r:.40}, expected one of {FORMATS}. Export the "
            "network again, or install the version of msg3d that wrote the file.",
            kind="version",
        )
    return recipe


def _build(
    recipe: dict[str, Any], clips: int | None
) -> tuple[StoredPipeline, tuple[str, ...], tuple[str, ...]]:
    """Return the pipeline and the names of classes and targets of a recipe."""
    try:
        classes, targets = recipe["classes"], recipe.get("targets", ())
        pipeline = StoredPipeline(recipe, clips)
        return pipeline, tuple(map(str, classes)), tuple(map(str, targets))
    # The arguments of the steps come from the file, so errors can be of any type.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"the entry {KEY} describes an invalid pipeline ({type(error).__name__}: "
            f"{reason:.200}). Export the network again.",
            kind="structure",
        ) from error
