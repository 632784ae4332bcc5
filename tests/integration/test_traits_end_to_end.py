"""Trait regression from raw sequences to scores, with the study's config."""

from pathlib import Path

import mmengine
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

import msg3d
from msg3d.annotations.chunks import cut_annotations
from msg3d.datasets import save_annotations
from msg3d.evaluation.traits import CHALLENGE_TRAITS, read_traits
from msg3d.skeletons import skeleton

CONFIG = "personality/msg3d-12c_1xb16-laban-u250-200e_udiva-keypoint-3d.py"
FRAMES, TRAINED, TESTED, EPOCHS = 16, 32, 8, 6
DROPOUTS = ("gcn_dropout", "g3d_dropout", "tcn_dropout", "tcn_inner_dropout")


def moving(person, rng):
    """Return a sequence whose arm and leg amplitudes are the two values of `person`.

    The five targets are mixtures of the two, with mean 0 and variance 1.
    """
    pose = np.random.default_rng(0).normal(size=(24, 3)) * 0.3
    times = np.arange(2 * FRAMES + 7)
    keypoint = np.tile(pose, (len(times), 1, 1))
    for amplitude, limb in zip(person, ("hand", "foot"), strict=True):
        angle = (0.7 + 0.35 * amplitude) * np.sin(
            0.5 * times + rng.uniform(0, 2 * np.pi)
        )
        for side in ("left", "right"):
            joint = skeleton("smpl24").joints.index(f"{side}_{limb}")
            keypoint[:, joint, 0] += np.sin(angle)
            keypoint[:, joint, 1] += np.cos(angle)
    keypoint += rng.normal(size=keypoint.shape) * 0.005
    return keypoint[None].astype(np.float32)


def recordings():
    rng = np.random.default_rng(1)
    persons = rng.uniform(-1.7, 1.7, (TRAINED + TESTED, 2))
    mixtures = np.array([[1, 0], [0, 1], [0.7, 0.7], [0.7, -0.7], [-0.9, 0.4]])
    samples = []
    for number, person in enumerate(persons):
        for session in "ab":
            keypoint = moving(person, rng)
            samples.append(
                {
                    "frame_dir": f"p{number}{session}",
                    "person_id": str(number),
                    "session": session,
                    "targets": (mixtures @ person).astype(np.float32),
                    "total_frames": keypoint.shape[1],
                    "keypoint": keypoint,
                }
            )
    names = [sample["frame_dir"] for sample in samples]
    split = {"train": names[: 2 * TRAINED], "val": names[2 * TRAINED :]}
    return {"split": split, "annotations": samples}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Train and test; return the folder, the runner, the metrics, and the data."""
    folder = tmp_path_factory.mktemp("traits")
    chunks, _ = cut_annotations(recordings(), FRAMES, "drop")
    save_annotations(chunks, folder / "a.pkl")
    targets = [chunk["targets"] for chunk in chunks["annotations"]]
    cfg = Config.fromfile(Path(msg3d.__file__).parent / "configs" / CONFIG)
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    sets = loaders[0].dataset.dataset, loaders[1].dataset, loaders[2].dataset
    for loader, dataset in zip(loaders, sets, strict=True):
        loader.update(num_workers=0, persistent_workers=False)
        dataset.ann_file = str(folder / "a.pkl")
        for step in dataset.pipeline:
            if step["type"] == "FastUniformSampleFrames":
                step["clip_len"] = FRAMES
    sets[2].split = "val"
    # Few steps, so a small network without dropout.
    cfg.model.backbone.update(num_gcn_scales=3, num_g3d_scales=2)
    cfg.model.backbone.update(dict.fromkeys(DROPOUTS, 0.0))
    cfg.optim_wrapper.optimizer.update(lr=0.02)
    cfg.model.cls_head.update(
        target_mean=np.mean(targets, 0).tolist(), target_std=np.std(targets, 0).tolist()
    )
    cfg.train_cfg.update(max_epochs=EPOCHS, val_interval=EPOCHS, val_begin=EPOCHS)
    cfg.default_hooks.logger.interval = 3
    cfg.test_evaluator = [
        dict(cfg.test_evaluator, csv=str(folder / "predictions.csv")),
        {"type": "DumpResults", "out_file_path": str(folder / "dump.pkl")},
    ]
    cfg.update(work_dir=str(folder / "work"), randomness={"seed": 0})
    runner = Runner.from_cfg(cfg)
    runner.train()
    metrics = runner.test()
    return folder, runner, metrics, chunks


def test_error_decreases(run):
    """The error is far below the variance, which is the error of the mean."""
    _folder, runner, metrics, chunks = run
    history, _ = runner.message_hub.get_scalar("train/loss_mse").data
    assert np.mean(history[:3]) > 0.7
    assert np.mean(history[-5:]) < 0.35
    names = set(chunks["split"]["val"])
    targets = {
        chunk["person_id"]: chunk["targets"]
        for chunk in chunks["annotations"]
        if chunk["frame_dir"] in names
    }
    variance = np.var(list(targets.values()), axis=0)
    for name, limit in zip(CHALLENGE_TRAITS, variance, strict=True):
        assert metrics[f"mse/{name}"] < 0.5 * limit


def test_metric_and_file_agree_with_the_dump(run):
    folder, _, metrics, chunks = run
    dump = mmengine.load(folder / "dump.pkl")
    persons = {}
    for chunk in dump:
        assert chunk["frame_dir"].rpartition("_c")[0][1:-1] == chunk["person_id"]
        persons.setdefault(chunk["person_id"], []).append(chunk)
    assert len(dump) == len(chunks["split"]["val"])
    assert len(persons) == TESTED
    predicted = read_traits(folder / "predictions.csv").values
    errors = []
    for person, samples in persons.items():
        mean = np.mean([chunk["pred_targets"].numpy() for chunk in samples], axis=0)
        np.testing.assert_allclose(predicted[person], mean, rtol=1e-5)
        errors.append((mean - samples[0]["gt_targets"].numpy()) ** 2)
    expected = dict(zip(CHALLENGE_TRAITS, np.mean(errors, axis=0), strict=True))
    for name, error in expected.items():
        assert metrics[f"mse/{name}"] == pytest.approx(error, rel=1e-4)
    assert metrics["mse/mean"] == pytest.approx(np.mean(errors), rel=1e-4)


def test_best_checkpoint_is_saved(run):
    folder, *_ = run
    assert list((folder / "work").glob("best_mse_mean_epoch_*.pth"))
