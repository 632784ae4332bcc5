"""MMAction2 imports and computes, whatever else is installed."""

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


def test_drn_says_where_it_is():
    if not hasattr(sys.modules[f"{mmaction.DRN}.drn"], "__getattr__"):
        pytest.skip("this MMAction2 has its DRN: the fix may be retired")
    with pytest.raises(ImportError, match="DRN"):
        MODELS.build({"type": "mmaction.DRN"})


def test_a_complete_mmaction_keeps_its_drn(tmp_path, monkeypatch):
    (tmp_path / "models" / "localizers" / "drn").mkdir(parents=True)
    monkeypatch.setattr(sys.modules["mmaction"], "__path__", [str(tmp_path)])
    for name in (mmaction.DRN, f"{mmaction.DRN}.drn"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    mmaction.provide_drn()
    assert mmaction.DRN not in sys.modules


def test_an_installed_importlib_metadata_is_kept(monkeypatch):
    monkeypatch.delitem(sys.modules, "importlib_metadata", raising=False)
    for present in (object(), None):
        monkeypatch.setattr("importlib.util.find_spec", lambda name, spec=present: spec)
        mmaction.provide_importlib_metadata()
        assert ("importlib_metadata" in sys.modules) is (present is None)


def test_numpy_keeps_its_own_inf(monkeypatch):
    monkeypatch.setattr(np, "Inf", "its own", raising=False)
    mmaction.provide_numpy_inf()
    assert np.Inf == "its own"


def test_multimodal_models_are_kept_if_all_they_import_is_there(monkeypatch):
    monkeypatch.setattr(dependency, "WITH_MULTIMODAL", True)
    wanted = mmaction._imports(Path(sys.modules["mmaction"].__path__[0], "models"))
    assert {module.split(".")[0] for module, _ in wanted} >= {"timm", "transformers"}
    modules = {
        module: {name for m, name in wanted if m == module} for module, _ in wanted
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


def test_scores_are_left_alone_if_numpy_takes_bfloat16(monkeypatch):
    original = BaseHead.loss_by_feat.__wrapped__
    monkeypatch.setattr(BaseHead, "loss_by_feat", original)
    monkeypatch.setattr(torch, "zeros", lambda *args, **kwargs: np.zeros(1).view(Taken))
    mmaction.allow_bfloat16_scores()
    assert BaseHead.loss_by_feat is original


class Taken(np.ndarray):
    """A tensor that becomes an array."""

    def numpy(self):
        return self


@pytest.mark.parametrize("transform", ["PoseCompact", "MMCompact"])
def test_compact(transform):
    keypoint = np.array([[[[20.0, 20.0], [60.0, 40.0]]]], dtype=np.float32)
    images = [np.zeros((90, 90, 3))]
    sample = {"keypoint": keypoint, "img_shape": (90, 90), "imgs": images}
    sample = TRANSFORMS.build({"type": f"mmaction.{transform}"})(sample)
    assert max(sample["img_shape"]) < 90


def test_bfloat16_scores_become_float32():
    scores = torch.randn(2, 4).bfloat16().requires_grad_()
    losses = head().loss_by_feat(scores, samples())
    expected = head().loss_by_feat(scores.float(), samples())
    assert losses["loss_cls"].dtype == torch.float32
    assert losses == expected
    losses["loss_cls"].backward()
    assert scores.grad.dtype == torch.bfloat16

    samples_ = head().predict_by_feat(scores.detach(), samples())
    assert samples_[0].pred_score.dtype == torch.float32
