"""Classes defined by a few examples: the nearest mean of a trained network's features.

Sources: Snell, Swersky and Zemel, "Prototypical Networks for Few-shot Learning", NeurIPS
2017, for the means; Wang et al., "SimpleShot", arXiv:1911.04623, for normalized features of
a network that was trained as a classifier; Hu, Gripon and Pateux, "Leveraging the Feature
Distribution", ICANN 2021, for the square root; Friedman, "Regularized Discriminant
Analysis", 1989, for the covariance. `python -m studies few-shot` compares them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from ..io.atomic import whole_file
from ..io.npz import read_npz

# Share of the identity matrix in the covariance, and slope of the scores. Both were
# chosen on MSR-Action3D.
SHRINKAGE = 0.3
SLOPE = 3.0
FORMAT = 1
Array = NDArray[np.float32]


class EnrolledClasses:
    """Nearest class mean on the features of a few examples.

    Features x are replaced by sqrt(|x|) sign(x), and scaled to length 1. Distances from the
    class means use the inverse of the covariance within the classes, which is averaged over
    the classes and mixed with a multiple of the identity. With one example per class, this
    is the Euclidean distance.

    Attributes:
        names: names of the classes, in the order of enrollment.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._features: list[Array] = []  # of each class, [examples, D]
        self._fitted: _NearestMean | None = None

    @property
    def counts(self) -> list[int]:
        """Number of examples of each class."""
        return [len(examples) for examples in self._features]

    def add(self, name: str, features: Array) -> None:
        """Add examples to a new or existing class.

        Args:
            name: name of the class.
            features: float [examples, D].

        Raises:
            ConfigError: the name is not a text, or is empty or contains NUL (kind
                `option`).
        """
        if not isinstance(name, str) or not name.strip() or "\0" in name:
            raise ConfigError(
                f"the name of the class is {name!r:.80}, expected text",
                kind="option",
                field="name",
            )
        self._fitted = None
        if name in self.names:
            label = self.names.index(name)
            self._features[label] = np.concatenate([self._features[label], features])
        else:
            self.names.append(name)
            self._features.append(features)

    def scores(self, features: Array) -> Array:
        """Map features [B, D] to float32 scores [B, classes], which sum to 1.

        The scores are softmax(-SLOPE d^2 / u), where d is the distance from the mean of a
        class, and u is the mean of d^2 between two classes. They rank the classes. A
        sequence of none of the classes can have a high score as well.

        Raises:
            DataError: D differs from that of the examples (kind `shape`).
        """
        size = self._features[0].shape[1]
        if features.shape[1] != size:
            raise DataError(
                f"the enrolled classes have {size} features, but the network has "
                f"{features.shape[1]}. Enroll the classes again.",
                kind="shape",
                field="features",
            )
        if self._fitted is None:
            self._fitted = _NearestMean(self._features)
        return self._fitted.scores(features)

    def save(self, file: str | Path, feature_hash: str) -> None:
        """Write the classes to an `.npz` file atomically.

        Args:
            file: path of the file. Its folder is created if necessary.
            feature_hash: hash that identifies the network and its preprocessing.

        Raises:
            ConfigError: no class is enrolled (kind `empty`).
            OSError: the file cannot be written.
        """
        self.check_any(str(file))
        with whole_file(file) as out:
            np.savez(
                out,
                format=np.array(FORMAT),
                names=np.array(self.names, np.str_),
                labels=np.repeat(np.arange(len(self.names)), self.counts),
                features=np.concatenate(self._features),
                feature_hash=np.array(feature_hash),
            )

    @classmethod
    def load(cls, file: str | Path, feature_hash: str) -> "EnrolledClasses":
        """Read a file written by `save`, without executing code.

        Args:
            file: path of the file.
            feature_hash: hash of the network, which must equal the one in the file.

        Raises:
            DataError: the file is not of this format, or is corrupt.
            ConfigError: the file does not exist (kind `not-found`), or the classes were
                enrolled with another network or preprocessing (kind `weights`).
            OSError: the file cannot be read.
        """
        kinds = {"format": "i", "names": "U", "labels": "i", "features": "f"}
        try:
            with Path(file).open("rb") as stream:
                arrays = read_npz(stream, {**kinds, "feature_hash": "U"})
            _check(arrays)
        except FileNotFoundError as error:
            raise ConfigError(
                "the file with enrolled classes does not exist. Write it with "
                "`msg3d enroll` or Recognizer.save_enrolled.",
                kind="not-found",
                file=str(file),
            ) from error
        except DataError as error:
            raise error.at(file=str(file)) from error
        if str(arrays["feature_hash"]) != feature_hash:
            raise ConfigError(
                "the classes were enrolled with other weights or another test pipeline. "
                "Enroll them again with this network.",
                kind="weights",
                file=str(file),
            )
        classes = cls()
        features = arrays["features"].astype(np.float32)
        for label, name in enumerate(arrays["names"].tolist()):
            classes.add(name, features[arrays["labels"] == label])
        return classes

    def check_any(self, file: str | None = None) -> None:
        """Raise ConfigError (kind `empty`) if no class is enrolled."""
        if not self.names:
            raise ConfigError(
                "no class is enrolled. Call Recognizer.enroll or load_enrolled first.",
                kind="empty",
                file=file,
            )


class _NearestMean:
    """Classifier of `EnrolledClasses`.

    Args:
        features: features of the examples of each class, [examples, D].
    """

    def __init__(self, features: list[Array]) -> None:
        groups = [_normalized(examples) for examples in features]
        examples = np.concatenate(groups)
        means = np.stack([group.mean(0) for group in groups])
        residuals = examples - means.repeat([len(group) for group in groups], 0)
        identity = SHRINKAGE * max(float(examples.var(0).mean()), 1e-12)
        # The covariance is axes.T @ diag(variances) @ axes, of rank at most N.
        _, singular, self._axes = np.linalg.svd(residuals, full_matrices=False)
        variances = singular**2 / max(len(examples) - len(groups), 1)
        ratios = identity / (identity + (1 - SHRINKAGE) * variances)
        self._reduction = 1 - np.sqrt(ratios)  # along each axis
        self._means = self._whitened(means)
        # The mean of squared distances between all pairs of means
        unit = 2 * self._means.var(0).sum() * len(groups) / max(len(groups) - 1, 1)
        self._slope = SLOPE / max(float(unit), 1e-12)

    def scores(self, features: Array) -> Array:
        """Map features [B, D] to scores [B, classes]."""
        queries = self._whitened(_normalized(features))
        squares = ((queries[:, None] - self._means) ** 2).sum(2)  # (B, classes)
        powers = np.exp(self._slope * (squares.min(1, keepdims=True) - squares))
        scores: Array = powers / powers.sum(1, keepdims=True)
        return scores.astype(np.float32)

    def _whitened(self, features: NDArray[np.floating]) -> NDArray[np.floating]:
        """Multiply [N, D] by the inverse square root of the covariance, up to a factor."""
        reduced: NDArray[np.floating] = (
            features - features @ self._axes.T * self._reduction @ self._axes
        )
        return reduced


def _normalized(features: Array) -> NDArray[np.float64]:
    """Take the square root of features [N, D], and scale them to length 1."""
    values = features.astype(np.float64)
    roots = np.sign(values) * np.sqrt(np.abs(values))
    norms = np.linalg.norm(roots, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = roots / np.maximum(norms, 1e-12)
    return scaled


def _check(arrays: dict[str, np.ndarray]) -> None:
    """Raise DataError unless the arrays have the structure that `save` writes."""
    axes = {"format": 0, "names": 1, "labels": 1, "features": 2, "feature_hash": 0}
    for name, count in axes.items():
        if name not in arrays or arrays[name].ndim != count:
            raise DataError(
                f"the array {name!r} is missing or has another number of axes than "
                f"{count}. Write the file with `msg3d enroll` or Recognizer.save_enrolled.",
                kind="structure",
                field=name,
            )
    if arrays["format"] != FORMAT:
        raise DataError(
            f"the format version is {arrays['format']}, expected {FORMAT}. Enroll the "
            "classes again, or install the version of msg3d that wrote the file.",
            kind="version",
            field="format",
        )
    names, labels = arrays["names"].tolist(), arrays["labels"]
    if not names or len(set(names)) < len(names):
        raise DataError(
            f"the file has the names {names!s:.80}, expected unique names of one or more "
            "classes",
            kind="structure",
            field="names",
        )
    if sorted(set(labels.tolist())) != list(range(len(names))):
        raise DataError(
            f"the labels do not range from 0 to {len(names) - 1}, expected one or more "
            "examples of each class",
            kind="label",
            field="labels",
        )
    features = arrays["features"].astype(np.float32)
    if len(features) != len(labels) or not np.isfinite(features).all():
        raise DataError(
            f"the file has {len(features)} features and {len(labels)} labels, expected "
            "equal numbers, and no NaN or infinite values",
            kind="corrupt",
            field="features",
        )
