"""Loader for exported networks and the test pipelines stored in their files.

`.onnx` files require only NumPy and ONNX Runtime.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..annotations import Sample
from ..errors import CheckpointError, ConfigError
from ..preprocessing.steps import STEPS
from .keypoint_input import Expected

# Metadata key in `.onnx` files, and file name in `.pt2` archives.
KEY = "msg3d.json"
# Format 2 describes networks with regression targets.
FORMATS = (1, 2)
SUFFIXES = (".onnx", ".pt2")


class Scorer(Protocol):
    """Callable that maps B arrays [clips, M, T, V, C] of equal shape to scores.

    The scores are float32 [B, classes] for classification or [B, targets] for regression.
    `features` maps the same arrays to the features before the last layer, float32 [B, D].
    """

    def __call__(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]: ...

    def features(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]: ...


class Pipeline(Protocol):
    """Callable that maps a sample in memory to float32 [clips, M, T, V, C].

    Attributes:
        expected: properties of the keypoints that the network was trained on.
    """

    expected: Expected

    def __call__(self, sample: Sample) -> NDArray[np.float32]: ...


class Exported(NamedTuple):
    """Content of an exported network's file.

    Attributes:
        pipeline: callable that returns the network input for a sample.
        scores: callable that returns the scores or regression targets for inputs.
        classes: names of the classes; empty for a regression network.
        targets: names of the regression targets; empty for a classification network.
        feature_hash: `trained.feature_hash` of the original network; "" if unknown.
    """

    pipeline: Pipeline
    scores: Scorer
    classes: tuple[str, ...]
    targets: tuple[str, ...]
    feature_hash: str


def is_exported(model: Any) -> bool:
    """Return whether `model` is a path that ends in `.onnx` or `.pt2`."""
    return isinstance(model, (str, Path)) and Path(model).suffix in SUFFIXES


def load_exported(path: str, clips: int | None = None) -> Exported:
    """Load a file written by `msg3d export`.

    Args:
        path: path of the file. `.onnx` files require ONNX Runtime, and `.pt2` files
            require PyTorch.
        clips: number of clips per sequence, whose scores are averaged; None for the
            number stored in the file.

    Returns:
        The network, its test pipeline, and the names of its classes or targets.

    Raises:
        CheckpointError: the file does not exist, was not written by
            `msg3d export`, or has an unsupported format version.
        ImportError: ONNX Runtime or PyTorch is not installed.
    """
    if not Path(path).is_file():
        raise CheckpointError(
            "the exported network does not exist. Pass the path of an existing file.",
            kind="not-found",
            file=path,
        )
    scores: Scorer
    if Path(path).suffix == ".pt2":
        try:
            from .exported_program import load_program
        except ImportError as error:
            raise ImportError(
                "`.pt2` files require PyTorch. Run `pip install torch`, or export the "
                "network to a `.onnx` file."
            ) from error

        scores, recipe = load_program(path, KEY)
    else:
        scores = network = OnnxScores(path)
        recipe = network.recipe
    try:
        content = _read_recipe(recipe)
        pipeline, classes, targets = _build(content, clips)
    except CheckpointError as error:
        raise error.at(file=path) from error
    feature_hash = str(content.get("feature_hash", ""))
    return Exported(pipeline, scores, classes, targets, feature_hash)


class StoredPipeline:
    """Test pipeline stored in the file of an exported network, for samples in memory.

    Args:
        recipe: parsed JSON of the entry `msg3d.json` in the file.
        clips: number of clips per sequence; None for the number in the recipe.

    Attributes:
        expected: properties of the keypoints that the network was trained on.
    """

    def __init__(self, recipe: dict[str, Any], clips: int | None = None) -> None:
        self.expected = Expected(**recipe["expected"])
        self._steps = []
        for step in with_clips(recipe["pipeline"], clips):
            arguments = dict(step)
            self._steps.append(STEPS[arguments.pop("type")](**arguments))

    def __call__(self, sample: Sample) -> NDArray[np.float32]:
        """Return the network input for a sample.

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
    """Return the pipeline steps with `num_clips` set to `clips`.

    Steps without `num_clips` are unchanged. If `clips` is None, all steps are unchanged.
    """
    return [
        dict(step, num_clips=clips) if clips and "num_clips" in step else step
        for step in steps
    ]


class OnnxScores:
    """Callable that computes the scores of an ONNX network with ONNX Runtime.

    Args:
        file: path or content of the `.onnx` file.
        threads: number of threads; None for the default of ONNX Runtime.

    Attributes:
        recipe: JSON text that `msg3d export` stored in the file, or None.

    Raises:
        ImportError: ONNX Runtime is not installed.
        CheckpointError: ONNX Runtime cannot load the file (kind `corrupt`).
    """

    def __init__(self, file: str | bytes, threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                "`.onnx` files require ONNX Runtime. Run `pip install onnxruntime`."
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(
                file, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime raises errors of many types
            raise CheckpointError(
                f"ONNX Runtime cannot load the network ({error}). Use a file written by "
                "`msg3d export`.",
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
            float32 [B, classes] for classification or [B, targets] for regression.
        """
        return self._run("scores", inputs)

    def features(self, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        """Return the features of B samples, float32 [B, D].

        Args:
            inputs: see `__call__`.

        Raises:
            ConfigError: the file has no output `features` (kind `config`).
        """
        if "features" not in [output.name for output in self._session.get_outputs()]:
            raise ConfigError(
                "the exported network has no output 'features'. Export it again with this "
                "version of msg3d, or use the checkpoint.",
                kind="config",
                field="features",
            )
        return self._run("features", inputs)

    def _run(self, output: str, inputs: Sequence[np.ndarray]) -> NDArray[np.float32]:
        keypoint = np.stack(inputs).astype(np.float32, copy=False)
        values: NDArray[np.float32] = self._session.run(
            [output], {"keypoint": keypoint}
        )[0]
        return values


def _read_recipe(text: str | None) -> dict[str, Any]:
    if text is None:
        raise CheckpointError(
            f"the entry {KEY!r} with classes and preprocessing is missing. Use a file "
            "written by `msg3d export`.",
            kind="structure",
        )
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the entry {KEY!r} is not valid JSON ({error}). Export the network again.",
            kind="syntax",
        ) from error
    version = recipe.get("format") if isinstance(recipe, dict) else None
    if not isinstance(recipe, dict) or version not in FORMATS:
        raise CheckpointError(
            f"the format version is {version!r:.40}, expected "
            f"{' or '.join(map(str, FORMATS))}. Export the network again, or install the "
            "version of msg3d that wrote the file.",
            kind="version",
        )
    return recipe


def _build(
    recipe: dict[str, Any], clips: int | None
) -> tuple[StoredPipeline, tuple[str, ...], tuple[str, ...]]:
    """Return the pipeline, class names, and target names described by a recipe."""
    try:
        classes, targets = recipe["classes"], recipe.get("targets", ())
        pipeline = StoredPipeline(recipe, clips)
        return pipeline, tuple(map(str, classes)), tuple(map(str, targets))
    # The arguments of the steps come from the file, so errors can be of any type.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"the entry {KEY!r} describes an invalid pipeline ({type(error).__name__}: "
            f"{reason:.200}). Export the network again.",
            kind="structure",
        ) from error
