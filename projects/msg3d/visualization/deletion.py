"""Deletion metric of a saliency: deleting salient joints first must reduce the score most.

The joints of each sample are deleted in the order of their saliency, the most salient
first, and for comparison in random orders and the least salient first. The same is done
with frames. Deleted joints are zero, like absent joints.

Source: Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box
Models", BMVC 2018, https://arxiv.org/abs/1806.07421 (the deletion metric).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..io.progress import progress
from .explainer import Explainer
from .saliency import integrated_gradients

# Of a batch: numbers deleted, probabilities, labels, and predicted classes.
_Result = tuple[np.ndarray, np.ndarray, list[int], Tensor]

ORDERS = ("most salient first", "at random", "least salient first")


@dataclass(frozen=True)
class Deletion:
    """Scores of N samples after deletion.

    Attributes:
        what: "joints" or "frames".
        counts: number of deleted joints or frames, [K], from 0.
        accuracy: order -> top-1 in percent, [K]; the mean over random orders.
        score: order -> mean probability of the class predicted for the complete sample,
            in percent, [K].
        samples: N.
    """

    what: str
    counts: np.ndarray
    accuracy: dict[str, np.ndarray]
    score: dict[str, np.ndarray]
    samples: int

    def area(self, order: str) -> float:
        """Mean score over the number deleted, in percent: low if the order is good."""
        values = self.score[order]
        middles = (values[1:] + values[:-1]) / 2
        return float(middles @ np.diff(self.counts) / self.counts[-1])

    def table(self) -> str:
        """Markdown table of accuracy and score per number deleted."""
        lines = [f"| {self.what} deleted | {' | '.join(ORDERS)} |", "|" + "---|" * 4]
        for row, count in enumerate(self.counts):
            cells = (
                f"{self.accuracy[one][row]:.1f} / {self.score[one][row]:.1f}"
                for one in ORDERS
            )
            lines.append(f"| {count} | {' | '.join(cells)} |")
        area = " | ".join(f"{self.area(one):.1f}" for one in ORDERS)
        return "\n".join([*lines, f"| mean score | {area} |"])


def check_saliency(
    explainer: Explainer,
    samples: Iterable[dict],
    steps: int = 16,
    repeats: int = 5,
    seed: int = 0,
    batch_size: int = 16,
) -> list[Deletion]:
    """Delete joints and frames of the network's inputs, the most salient first.

    Args:
        explainer: the network.
        samples: of an annotation file, with `label`.
        steps: of the saliency.
        repeats: random orders per sample, which are averaged.
        seed: of the random orders.
        batch_size: samples per batch.

    Returns:
        The results for joints and for frames.
    """
    rng = np.random.default_rng(seed)
    parts: dict[str, list[_Result]] = {"joints": [], "frames": []}
    batches = _batches(explainer, samples, batch_size)
    for batch in progress(batches, desc="deletion", unit="batch"):
        inputs = explainer.to_network([one for one, _ in batch])
        whole = explainer.probabilities(inputs)
        said = torch.from_numpy(whole.argmax(1)).to(inputs.device)
        saliency = integrated_gradients(explainer.model, inputs, said, steps)
        for what, found in parts.items():
            # [B, clips, V] or [B, clips, T]: clips have their own frames, but share
            # their joints.
            if what == "joints":
                mass = saliency.sum((1, 2, 3))[:, None].expand(-1, inputs.shape[1], -1)
            else:
                mass = saliency.sum((2, 4))
            orders = _orders(mass.cpu().numpy(), what, repeats, rng)
            counts = _counts(mass.shape[-1])
            left = [
                np.stack(
                    [
                        explainer.probabilities(_deleted(inputs, order[..., :k], what))
                        for k in counts
                    ]
                )
                for order in orders
            ]
            found.append((counts, np.stack(left), [label for _, label in batch], said))
    return [_joined(what, found) for what, found in parts.items()]


def deletion_figure(found: Sequence[Deletion], title: str = "") -> Figure:
    """Accuracy over the number deleted, one panel per result."""
    figure = Figure(figsize=(4.6 * len(found), 3.8), layout="constrained")
    for ax, one in zip(
        figure.subplots(1, len(found), squeeze=False)[0], found, strict=True
    ):
        for order, line in zip(ORDERS, ("-", "--", ":"), strict=True):
            ax.plot(one.counts, one.accuracy[order], line, marker=".", label=order)
        ax.set(xlabel=f"{one.what} deleted", ylabel="top-1, %", ylim=(0, 102))
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    figure.suptitle(title)
    return figure


def _batches(
    explainer: Explainer, samples: Iterable[dict], size: int
) -> Iterator[list[tuple[np.ndarray, int]]]:
    """[(inputs, label)] of one shape each."""
    batch: list[tuple[np.ndarray, int]] = []
    for sample in samples:
        inputs = explainer.clips(sample).inputs
        if batch and (len(batch) == size or inputs.shape != batch[0][0].shape):
            yield batch
            batch = []
        batch.append((inputs, int(sample["label"])))
    if batch:
        yield batch


def _orders(
    mass: np.ndarray, what: str, repeats: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Places by saliency, reversed, and at random: each [B, clips, places]."""
    order = np.argsort(-mass, axis=-1, kind="stable")
    drawn = []
    for _ in range(repeats):
        shape = mass[:, :1].shape if what == "joints" else mass.shape
        one = np.argsort(rng.random(shape), axis=-1)
        drawn.append(np.broadcast_to(one, mass.shape))
    return [order, order[..., ::-1], *drawn]


def _counts(places: int) -> np.ndarray:
    """0, 1, 2, 3 and then in greater steps up to half of the places."""
    half = max(places // 2, 1)
    few, many = np.minimum((1, 2, 3), half), np.linspace(0, half, 6).astype(int)
    return np.unique([0, *few, *many])


def _deleted(inputs: Tensor, places: np.ndarray, what: str) -> Tensor:
    """Inputs [B, clips, M, T, V, C] without the places [B, clips, k]."""
    axis = 4 if what == "joints" else 3
    kept = np.ones((*inputs.shape[:2], inputs.shape[axis]), bool)
    np.put_along_axis(kept, places, False, -1)
    shape = [*inputs.shape[:2], 1, 1, 1, 1]
    shape[axis] = inputs.shape[axis]
    return inputs * torch.from_numpy(kept).to(inputs.device).view(shape)


def _joined(what: str, found: list[_Result]) -> Deletion:
    counts = found[0][0]
    left = np.concatenate([one[1] for one in found], 2)  # (orders, K, N, classes)
    labels = np.concatenate([one[2] for one in found])
    said = np.concatenate([one[3].cpu().numpy() for one in found])
    right = 100 * (left.argmax(-1) == labels).mean(-1)  # (orders, K)
    score = 100 * left[:, :, np.arange(len(said)), said].mean(-1)
    accuracy, scores = (
        dict(zip(ORDERS, (one[0], one[2:].mean(0), one[1]), strict=True))
        for one in (right, score)
    )
    return Deletion(what, counts, accuracy, scores, len(labels))
