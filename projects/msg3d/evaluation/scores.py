"""What a model said of each sample, and what is wrong with a file of that."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Scores:
    """The scores of N samples for C classes.

    Attributes:
        source: the file, for messages.
        form: which of the forms it has.
        values: [N, C], float64.
        ids: of the samples, None where the file has none.
        labels: [N], None where the file has none.
    """

    source: str
    form: str
    values: np.ndarray
    ids: list[str] | None = None
    labels: np.ndarray | None = None

    @property
    def probabilities(self) -> bool:
        """Whether the rows are probabilities; logits otherwise."""
        sums = self.values.sum(1)
        return bool((self.values >= 0).all() and np.allclose(sums, 1, atol=1e-3))

    def as_probabilities(self) -> "Scores":
        """Logits through softmax; probabilities as they are."""
        if self.probabilities:
            return self
        powers = np.exp(self.values - self.values.max(1, keepdims=True))
        return replace(self, values=powers / powers.sum(1, keepdims=True))
