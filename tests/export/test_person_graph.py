"""MS-G3D in the form that is exported to ONNX, compared with its folded form."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from exported_models import BACKBONES, needs_onnx_export
from msg3d.apis.exported import OnnxScores
from msg3d.export.network import ExportedNetwork
from msg3d.export.onnx_file import OPSET, onnx_bytes
from msg3d.export.person_graph import person_graph
from msg3d.models import MSG3D
from msg3d.models.inference import FoldedMSG3D
from weights import rebuild_weights


@pytest.mark.parametrize("layout", ["coco", "nturgb+d"])
def test_equals_the_folded_form(layout):
    model = MSG3D({"layout": layout, "mode": "binary_adj"}, base_channels=24)
    rebuild_weights(model, torch.float32)
    folded = FoldedMSG3D(model.eval().requires_grad_(False), torch.float32)
    content = onnx.helper.make_model(
        person_graph(folded), opset_imports=[onnx.helper.make_opsetid("", OPSET)]
    )
    content.ir_version = 10  # which old versions of ONNX Runtime read
    onnx.checker.check_model(content, full_check=True)
    session = onnxruntime.InferenceSession(content.SerializeToString())
    for rows, frames in ((3, 21), (1, 4), (2, 1)):
        x = torch.randn(rows, frames, model.graph.num_node, 3)
        with torch.no_grad():
            expected = folded(x).mean((1, 2))
        [actual] = session.run(None, {"persons": x.numpy()})
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


@needs_onnx_export
def test_absent_persons_and_groups(monkeypatch):
    """Test every combination of absent persons, in groups of one and of several."""
    arguments, channels = BACKBONES["MSG3D"]
    cfg = {
        "type": "MaskedRecognizerGCN",
        "backbone": {"type": "MSG3D", **arguments},
        "cls_head": {
            "type": "MaskedGCNHead",
            "num_classes": 4,
            "in_channels": channels,
            "average_clips": "score",
            "ignore_absent": True,
        },
    }
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(Config(cfg)._cfg_dict)
    rebuild_weights(model, torch.float32)
    model.eval().requires_grad_(False)
    clips = torch.randn(4, 2, 2, 11, 25, 3)
    clips[0, :, 1] = clips[1, :, 0] = clips[2] = 0  # second, first, and both persons
    clips[3, 0, 1] = 0
    batches = [clips, clips[:1], clips[2:3], clips[3:, 1:]]
    expected = [
        model.extract_feat(batch, stage="head")[0].unflatten(0, batch.shape[:2]).mean(1)
        for batch in batches
    ]
    # 12 channels of 25 joints in 11 frames: the limits allow one and three persons.
    network = ExportedNetwork(model)
    for limit in (1, 3 * 11 * 25 * 12, 1_000_000):
        monkeypatch.setattr("msg3d.export.onnx_persons.CACHE_ELEMENTS", limit)
        exported = OnnxScores(onnx_bytes(network, 2, 25, 3, "{}"), threads=1)
        for batch, scores in zip(batches, expected, strict=True):
            actual = exported(list(batch.numpy()))
            np.testing.assert_allclose(actual, scores.numpy(), rtol=0, atol=1e-5)
