"""Classes defined by a few examples: the nearest mean of a trained network's features.

Sources: Snell, Swersky and Zemel, "Prototypical Networks for Few-shot Learning", NeurIPS
2017, for the means; Wang et al., "SimpleShot", arXiv:1911.04623, for normalized features
of a network that was trained as a classifier. `python -m studies few-shot` compares
alternatives.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, DataError
from ..io.atomic import whole_file
from ..io.npz import read_npz

# Factor of the cosine similarities before the softmax.
SCALE = 10.0
FORMAT = 1


class EnrolledClasses:
    """Nearest class mean on features of length 1.

    A class is the mean of its examples' features, each scaled to length 1. The scores of
    a sequence are `softmax(SCALE * cosine)` of the angles between its features and the
    means, so they do not depend on the number of examples per class.

    Attributes:
        names: names of the classes, in the order of enrollment.
        counts: number of examples of each class.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.counts: list[int] = []
        self._means: list[NDArray[np.float32]] = []  # of [D]

    def add(self, name: str, features: NDArray[np.float32]) -> None:
        """Add examples to a new or existing class.

        Args:
            name: name of the class.
            features: float [examples, D].
        """
        total, count = _normalized(features).sum(0), len(features)
        if name in self.names:
            label = self.names.index(name)
            total = total + self.counts[label] * self._means[label]
            self.counts[label] += count
            self._means[label] = total / self.counts[label]
        else:
            self.names.append(name)
            self.counts.append(count)
            self._means.append(total / count)

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map features [B, D] to float32 scores [B, classes], which sum to 1."""
        cosines = _normalized(features) @ _normalized(np.stack(self._means)).T
        powers = np.exp(SCALE * (cosines - cosines.max(1, keepdims=True)))
        scores: NDArray[np.float32] = powers / powers.sum(1, keepdims=True)
        return scores

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
                means=np.stack(self._means),
                counts=np.array(self.counts, np.int64),
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
        kinds = {"format": "i", "names": "U", "means": "f", "counts": "i"}
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
        classes.names = arrays["names"].tolist()
        classes.counts = arrays["counts"].tolist()
        classes._means = list(arrays["means"].astype(np.float32))
        return classes

    def check_any(self, file: str | None = None) -> None:
        """Raise ConfigError (kind `empty`) if no class is enrolled."""
        if not self.names:
            raise ConfigError(
                "no class is enrolled. Call Recognizer.enroll or load_enrolled first.",
                kind="empty",
                file=file,
            )


def _normalized(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale features [N, D] to length 1."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = features / np.maximum(norms, 1e-12)
    return scaled


def _check(arrays: dict[str, np.ndarray]) -> None:
    """Raise DataError unless the arrays have the structure that `save` writes."""
    axes = {"format": 0, "names": 1, "means": 2, "counts": 1, "feature_hash": 0}
    for name, count in axes.items():
        if name not in arrays or arrays[name].ndim != count:
            raise DataError(
                f"the array {name!r} is missing or does not have {count} axes. Write the "
                "file with `msg3d enroll` or Recognizer.save_enrolled.",
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
    names, means, counts = arrays["names"], arrays["means"], arrays["counts"]
    if not len(names) == len(means) == len(counts) or len(set(names.tolist())) != len(
        names
    ):
        raise DataError(
            f"the file has {len(names)} names, {len(means)} means, and {len(counts)} "
            "counts, expected equal numbers and unique names",
            kind="structure",
            field="names",
        )
    if not len(names) or not np.isfinite(means).all() or (counts < 1).any():
        raise DataError(
            "the file has no classes, NaN or infinite means, or counts below 1. Enroll "
            "the classes again.",
            kind="corrupt",
            field="means",
        )
