"""Compatibility fixes for MMAction2."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.utils import dependency

from msg3d.compat import mmaction
from samples_of_compat import head, samples


def test_building_drn_raises_an_error():
    if not hasattr(sys.modules[f"{mmaction.DRN}.drn"], "__getattr__"):
        pytest.skip("this MMAction2 contains DRN: the fix may be removed")
    with pytest.raises(ImportError, match="DRN"):
        MODELS.build({"type": "mmaction.DRN"})


def test_no_placeholder_for_an_existing_drn(tmp_path, monkeypatch):
    (tmp_path / "models" / "localizers" / "drn").mkdir(parents=True)
    monkeypatch.setattr(sys.modules["mmaction"], "__path__", [str(tmp_path)])
    for name in (mmaction.DRN, f"{mmaction.DRN}.drn"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    mmaction.provide_drn()
    assert mmaction.DRN not in sys.modules


def test_importlib_metadata_is_provided_only_if_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "importlib_metadata", raising=False)
    for spec in (object(), None):
        monkeypatch.setattr("importlib.util.find_spec", lambda name, spec=spec: spec)
        mmaction.provide_importlib_metadata()
        assert ("importlib_metadata" in sys.modules) is (spec is None)


def test_existing_numpy_inf_is_kept(monkeypatch):
    monkeypatch.setattr(np, "Inf", "its own", raising=False)
    mmaction.provide_numpy_inf()
    assert np.Inf == "its own"


def test_multimodal_models_are_kept_if_all_imports_exist(monkeypatch):
    monkeypatch.setattr(dependency, "WITH_MULTIMODAL", True)
    imports = mmaction._imports(Path(sys.modules["mmaction"].__path__[0], "models"))
    assert {module.split(".")[0] for module, _ in imports} >= {"timm", "transformers"}
    modules = {
        module: {name for m, name in imports if m == module} for module, _ in imports
    }
    monkeypatch.setattr(
        mmaction,
        "import_module",
        lambda name: SimpleNamespace(**dict.fromkeys(modules[name])),
    )
    mmaction.excuse_multimodal()
    assert dependency.WITH_MULTIMODAL
    modules["timm.models.layers"].clear()
    mmaction.excuse_multimodal()
    assert not dependency.WITH_MULTIMODAL


def test_no_score_conversion_if_numpy_supports_bfloat16(monkeypatch):
    original = BaseHead.loss_by_feat.__wrapped__
    monkeypatch.setattr(BaseHead, "loss_by_feat", original)
    monkeypatch.setattr(
        torch, "zeros", lambda *args, **kwargs: np.zeros(1).view(Convertible)
    )
    mmaction.allow_bfloat16_scores()
    assert BaseHead.loss_by_feat is original


class Convertible(np.ndarray):
    """A tensor that converts to an array."""

    def numpy(self):
        return self


@pytest.mark.parametrize("transform", ["PoseCompact", "MMCompact"])
def test_compact(transform):
    keypoint = np.array([[[[20.0, 20.0], [60.0, 40.0]]]], dtype=np.float32)
    images = [np.zeros((90, 90, 3))]
    sample = {"keypoint": keypoint, "img_shape": (90, 90), "imgs": images}
    sample = TRANSFORMS.build({"type": f"mmaction.{transform}"})(sample)
    assert max(sample["img_shape"]) < 90


def test_bfloat16_scores_are_converted_to_float32():
    scores = torch.randn(2, 4).bfloat16().requires_grad_()
    losses = head().loss_by_feat(scores, samples())
    expected = head().loss_by_feat(scores.float(), samples())
    assert losses["loss_cls"].dtype == torch.float32
    assert losses == expected
    losses["loss_cls"].backward()
    assert scores.grad.dtype == torch.bfloat16

    predictions = head().predict_by_feat(scores.detach(), samples())
    assert predictions[0].pred_score.dtype == torch.float32
