"""Study of robustness: accuracy on NW-UCLA when the test clips are disturbed.

Settings are named NETWORK/RECIPE. With recipe `plain` (r40-60e), networks have as many
channels, frames, and passes as with recipe `small`, and the joint stream as input. Weights in
`weights/` of the work folder are used if they exist, such as those of study `networks-small`,
named like its settings.

Disturbances are applied to the keypoints in meters, before all preprocessing. Random numbers
are the same for all networks.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config
from tabulate import tabulate

from msg3d.annotations.files import load_annotations
from msg3d.apis.recognizer import Recognizer
from msg3d.preprocessing.augment import mirror, mirrored_order, rotate
from msg3d.visualization.files import save_figure

from . import network_configs, recipe
from .networks import save_weights
from .train import spread, train

DATA_SET = "nw-ucla-xview"
UP = 1  # axis of the coordinates
ORDER = mirrored_order("kinect20")


def noise(keypoint: np.ndarray, rng: np.random.Generator, cm: float) -> np.ndarray:
    """Add Gaussian noise to each coordinate."""
    return keypoint + rng.normal(0, 1, keypoint.shape) * cm / 100


def missing_joints(
    keypoint: np.ndarray, rng: np.random.Generator, count: int
) -> np.ndarray:
    """Remove random joints from the entire sequence."""
    joints = rng.permutation(keypoint.shape[2])[:count]
    keypoint = keypoint.copy()
    keypoint[:, :, joints] = 0
    return keypoint


def missing_frames(
    keypoint: np.ndarray, rng: np.random.Generator, percent: int
) -> np.ndarray:
    """Remove the person from random frames, but not from all."""
    frames = keypoint.shape[1]
    count = min(round(frames * percent / 100), frames - 1)
    keypoint = keypoint.copy()
    keypoint[:, rng.permutation(frames)[:count]] = 0
    return keypoint


def frame_rate(
    keypoint: np.ndarray, rng: np.random.Generator, fps: float
) -> np.ndarray:
    """Keep a part of the frames, as a camera with fewer than 30 frames per second."""
    kept: np.ndarray = keypoint[:, :: round(30 / fps)]
    return kept


def camera(
    keypoint: np.ndarray, rng: np.random.Generator, degrees: float
) -> np.ndarray:
    """Move the camera around the person."""
    center = keypoint[:, :1, :1]
    angles = np.roll([degrees, 0, 0], UP)
    return rotate(keypoint - center, angles) + center


def mirrored(keypoint: np.ndarray, rng: np.random.Generator, on: int) -> np.ndarray:
    """Mirror the person."""
    return mirror(keypoint, ORDER) if on else keypoint


# Name, values of the argument, the first of which changes nothing, and function
Disturb = Callable[[np.ndarray, np.random.Generator, float], np.ndarray]
DISTURBANCES: dict[str, tuple[tuple[float, ...], Disturb]] = {
    "noise, cm": ((0, 1, 2, 5, 10), noise),
    "missing joints of 20": ((0, 1, 2, 4, 8), missing_joints),
    "missing frames, %": ((0, 20, 40, 60, 80), missing_frames),
    "frames per second": ((30, 15, 10, 5, 3), frame_rate),
    "camera angle, degrees": ((0, 15, 30, 60, 90), camera),
    "mirrored": ((0, 1), mirrored),
}


def settings() -> list[str]:
    """Return all settings."""
    return ["msg3d/small", "stgcn/small", "msg3d/plain", "stgcn/plain"]


def run(name: str, seed: int, data: Path, work_dir: Path) -> dict:
    """Train unless the weights exist, then test one clip per sample and disturbance.

    Returns:
        The setting and seed; `top1`, the accuracy in percent for each disturbance and
        value; and seconds.
    """
    start = time.time()
    network, kind = name.split("/")
    cfg = config(network, kind, data)
    stream = network_configs.SEVERAL if kind == "small" else kind
    weights = work_dir / "weights" / f"{DATA_SET}_{network}_{stream}_{seed}"
    if not weights.exists():
        runner = train(cfg, name, seed, work_dir)
        save_weights(Path(runner.work_dir), Path(cfg.filename).stem, weights)
    [checkpoint] = weights.glob("*.pth")
    recognizer = Recognizer(cfg, str(checkpoint), batch_size=64, clips=1)
    content = load_annotations(data / "nw_ucla.pkl")
    chosen = set(content["split"]["xview_val"])
    samples = [v for v in content["annotations"] if v["frame_dir"] in chosen]
    top1 = {
        title: {
            str(value): accuracy(recognizer, samples, function, value)
            for value in values
        }
        for title, (values, function) in DISTURBANCES.items()
    }
    return {
        "setting": name,
        "seed": seed,
        "top1": top1,
        "seconds": round(time.time() - start),
    }


def config(network: str, kind: str, data: Path) -> Config:
    """Return the config of a setting."""
    small = network_configs.small_config(
        DATA_SET, network, network_configs.SEVERAL, data
    )
    if kind == "small":
        return small
    cfg = network_configs.config(DATA_SET, network, "joint", data, frames=24)
    width = small.model.backbone.base_channels
    recipe.set_channels(cfg, width)
    cfg.optim_wrapper.update(
        {
            key: small.optim_wrapper[key]
            for key in ("type", "dtype")
            if key in small.optim_wrapper
        }
    )
    passes = small.train_cfg.max_epochs * small.train_dataloader.dataset.times
    cfg.train_cfg.max_epochs = cfg.param_scheduler[0].T_max = passes
    return cfg


def accuracy(
    recognizer: Recognizer, samples: list[dict], disturb: Disturb, value: float
) -> float:
    """Return the accuracy on disturbed samples in percent."""
    rng = np.random.default_rng(0)
    clips = [
        {
            **sample,
            "keypoint": disturb(sample["keypoint"], rng, value).astype(np.float32),
        }
        for sample in samples
    ]
    predictions = recognizer.predict_each(clips)
    correct = [
        prediction.label == sample["label"]
        for prediction, sample in zip(predictions, samples, strict=True)
    ]
    return round(100 * sum(correct) / len(correct), 2)


def report(results: list[dict]) -> str:
    """Return a Markdown table: a row per disturbance, a column per setting."""
    names = [name for name in settings() if any(r["setting"] == name for r in results)]
    rows = []
    for title, (values, _) in DISTURBANCES.items():
        for value in values:
            cells = (_values(results, name, title, value) for name in names)
            rows.append((f"{title}: {value}", *map(spread, cells)))
    return tabulate(rows, ("test clips", *names), "github", disable_numparse=True)


def pictures(results: list[dict], data: Path, work_dir: Path, folder: Path) -> None:
    """Write robustness.png, with a panel per disturbance and a curve per setting."""
    names = [name for name in settings() if any(r["setting"] == name for r in results)]
    figure = Figure(figsize=(10, 6), layout="constrained")
    panels = figure.subplots(2, 3, sharey=True).flat
    for ax, (title, (values, _)) in zip(panels, DISTURBANCES.items(), strict=True):
        for name in names:
            means = [np.mean(_values(results, name, title, value)) for value in values]
            style = "-" if name.endswith("small") else "--"
            color = "C0" if name.startswith("msg3d") else "C1"
            ax.plot(
                range(len(values)), means, style, color=color, marker=".", label=name
            )
        ax.set_xticks(range(len(values)), values)
        ax.set(xlabel=title, ylim=(0, 100))
        ax.grid(alpha=0.3)
    panels = figure.axes
    for ax in panels[::3]:
        ax.set_ylabel("top-1, %")
    panels[0].legend()
    save_figure(figure, folder / "robustness.png", dpi=80)


def _values(results: list[dict], name: str, title: str, value: float) -> list[float]:
    return [r["top1"][title][str(value)] for r in results if r["setting"] == name]
