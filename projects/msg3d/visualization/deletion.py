"""Deletion metric, which validates saliency by deleting joints and frames.

The joints of each sample are deleted in three orders: most salient first, at random, and
least salient first. If the saliency is valid, deleting the most salient joints first
reduces the score fastest. The same is done with frames. Deleted joints are set to zero,
like absent joints.

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

# Result of a batch: numbers deleted, probabilities, labels, and predicted classes.
_BatchResult = tuple[np.ndarray, np.ndarray, list[int], Tensor]

ORDERS = ("most salient first", "at random", "least salient first")


@dataclass(frozen=True)
class Deletion:
    """Accuracy and scores of N samples after deletion of joints or frames.

    Attributes:
        what: "joints" or "frames".
        counts: numbers of deleted joints or frames, [K], starting at 0.
        accuracy: mapping from order to top-1 accuracy in percent, [K]. Random orders are
            averaged.
        score: mapping from order to the mean probability, in percent, of the class that
            is predicted for the complete sample, [K].
        samples: number of samples, N.
    """

    what: str
    counts: np.ndarray
    accuracy: dict[str, np.ndarray]
    score: dict[str, np.ndarray]
    samples: int

    def area(self, order: str) -> float:
        """Return the mean score over all numbers of deletions, in percent.

        This is the normalized area under the score curve. Lower is better for the order
        "most salient first".
        """
        values = self.score[order]
        midpoints = (values[1:] + values[:-1]) / 2
        return float(midpoints @ np.diff(self.counts) / self.counts[-1])

    def table(self) -> str:
        """Return a Markdown table of accuracy and score per number of deletions."""
        lines = [f"| {self.what} deleted | {' | '.join(ORDERS)} |", "|" + "---|" * 4]
        for row, count in enumerate(self.counts):
            cells = (
                f"{self.accuracy[order][row]:.1f} / {self.score[order][row]:.1f}"
                for order in ORDERS
            )
            lines.append(f"| {count} | {' | '.join(cells)} |")
        area = " | ".join(f"{self.area(order):.1f}" for order in ORDERS)
        return "\n".join([*lines, f"| mean score | {area} |"])


def check_saliency(
    explainer: Explainer,
    samples: Iterable[dict],
    steps: int = 16,
    repeats: int = 5,
    seed: int = 0,
    batch_size: int = 16,
) -> list[Deletion]:
    """Validate the saliency by deleting joints and frames of the network's inputs.

    Args:
        explainer: explainer of the network.
        samples: samples of an annotation file, with `label`.
        steps: integration steps of the saliency.
        repeats: number of random orders per sample, which are averaged.
        seed: seed of the random orders.
        batch_size: samples per batch.

    Returns:
        Two results, for joints and for frames.
    """
    rng = np.random.default_rng(seed)
    results: dict[str, list[_BatchResult]] = {"joints": [], "frames": []}
    batches = _batches(explainer, samples, batch_size)
    for batch in progress(batches, desc="deletion", unit="batch"):
        inputs = explainer.to_network([clips for clips, _ in batch])
        predicted = explainer.probabilities(inputs).argmax(1)
        labels = torch.from_numpy(predicted).to(inputs.device)
        saliency = integrated_gradients(explainer.model, inputs, labels, steps)
        for what, parts in results.items():
            # (B, clips, V) or (B, clips, T). Clips differ in their frames, so frames are
            # ranked per clip, but joints are ranked over all clips.
            if what == "joints":
                mass = saliency.sum((1, 2, 3))[:, None].expand(-1, inputs.shape[1], -1)
            else:
                mass = saliency.sum((2, 4))
            orders = _orders(mass.cpu().numpy(), what, repeats, rng)
            counts = _counts(mass.shape[-1])
            probabilities = [
                np.stack(
                    [
                        explainer.probabilities(_delete(inputs, order[..., :k], what))
                        for k in counts
                    ]
                )
                for order in orders
            ]
            true = [label for _, label in batch]
            parts.append((counts, np.stack(probabilities), true, labels))
    return [_merge(what, parts) for what, parts in results.items()]


def deletion_figure(results: Sequence[Deletion], title: str = "") -> Figure:
    """Plot the accuracy over the number of deletions, with one panel per result."""
    figure = Figure(figsize=(4.6 * len(results), 3.8), layout="constrained")
    axes = figure.subplots(1, len(results), squeeze=False)[0]
    for ax, result in zip(axes, results, strict=True):
        for order, line in zip(ORDERS, ("-", "--", ":"), strict=True):
            values = result.accuracy[order]
            ax.plot(result.counts, values, line, marker=".", label=order)
        ax.set(
            xlabel=f"number of deleted {result.what}",
            ylabel="top-1 accuracy (%)",
            ylim=(0, 102),
        )
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    figure.suptitle(title)
    return figure


def _batches(
    explainer: Explainer, samples: Iterable[dict], size: int
) -> Iterator[list[tuple[np.ndarray, int]]]:
    """Group (inputs, label) of consecutive samples with equal shapes into batches."""
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
    """Return indices by descending, ascending, and random saliency, [B, clips, n] each."""
    order = np.argsort(-mass, axis=-1, kind="stable")
    random_orders = []
    for _ in range(repeats):
        shape = mass[:, :1].shape if what == "joints" else mass.shape
        random_order = np.argsort(rng.random(shape), axis=-1)
        random_orders.append(np.broadcast_to(random_order, mass.shape))
    return [order, order[..., ::-1], *random_orders]


def _counts(size: int) -> np.ndarray:
    """Return 0, 1, 2, 3, and larger steps up to half of `size`."""
    half = max(size // 2, 1)
    few, many = np.minimum((1, 2, 3), half), np.linspace(0, half, 6).astype(int)
    return np.unique([0, *few, *many])


def _delete(inputs: Tensor, indices: np.ndarray, what: str) -> Tensor:
    """Zero the joints or frames [B, clips, k] of inputs [B, clips, M, T, V, C]."""
    axis = 4 if what == "joints" else 3
    mask = np.ones((*inputs.shape[:2], inputs.shape[axis]), bool)
    np.put_along_axis(mask, indices, False, -1)
    shape = [*inputs.shape[:2], 1, 1, 1, 1]
    shape[axis] = inputs.shape[axis]
    return inputs * torch.from_numpy(mask).to(inputs.device).view(shape)


def _merge(what: str, parts: list[_BatchResult]) -> Deletion:
    counts = parts[0][0]
    values = np.concatenate([part[1] for part in parts], 2)  # (orders, K, N, classes)
    labels = np.concatenate([part[2] for part in parts])
    predicted = np.concatenate([part[3].cpu().numpy() for part in parts])
    correct = 100 * (values.argmax(-1) == labels).mean(-1)  # (orders, K)
    score = 100 * values[:, :, np.arange(len(labels)), predicted].mean(-1)
    accuracy, scores = (
        dict(zip(ORDERS, (value[0], value[2:].mean(0), value[1]), strict=True))
        for value in (correct, score)
    )
    return Deletion(what, counts, accuracy, scores, len(labels))
