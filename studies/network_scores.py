"""Test scores of single and fused streams in the study of networks."""

from dataclasses import replace
from pathlib import Path

from msg3d.evaluation import Scores, aligned, fuse, read_scores

# The weights of four streams are those of PYSKL.
FUSIONS = {
    "joint+bone": {"joint": 1, "bone": 1},
    "four streams": {"joint": 2, "bone": 2, "joint-motion": 1, "bone-motion": 1},
}


def scores_file(work_dir: Path, name: str, seed: int) -> Path:
    """Return the file with the test scores of a run."""
    return work_dir / "scores" / f"{name}_{seed}.pkl".replace("/", "_")


def parts(setting: str) -> list[str]:
    """Return the settings of which a fused setting consists, or the setting itself."""
    prefix, stream = setting.rsplit("/", 1)
    return [f"{prefix}/{part}" for part in FUSIONS.get(stream, [stream])]


def scores_of(work_dir: Path, setting: str, seed: int) -> Scores:
    """Return the scores of a single or fused stream whose runs are complete."""
    files = [scores_file(work_dir, part, seed) for part in parts(setting)]
    streams = aligned([read_scores(str(file)) for file in files])
    weights = FUSIONS.get(setting.split("/")[-1], {"": 1})
    return replace(streams[0], values=fuse(streams, list(weights.values())))
