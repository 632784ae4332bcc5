"""Compare every exported network with the PyTorch network."""

import numpy as np
import onnx
import pytest

from exported_models import BACKBONES, tiny
from msg3d.apis.exported import OnnxScores
from msg3d.apis.trained import TorchScores, load_config, load_model
from msg3d.export import export


@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_batch_clips_and_frames(backbone, tmp_path):
    """Test sizes that the export neither traced nor checked."""
    config, checkpoint = tiny(tmp_path, backbone)
    file = str(tmp_path / "network.onnx")
    export(config, checkpoint, file)
    model = load_model(load_config(config), checkpoint, "cpu").model
    if backbone == "MSG3D":
        check_folded(file, model)
    eager = TorchScores(model)
    exported = OnnxScores(file, threads=1)
    rng = np.random.default_rng(0)
    for batch, clips, frames in ((1, 1, 5), (4, 1, 24), (2, 3, 51)):
        shape = (batch, clips, 2, frames, 25, 3)
        inputs = list(rng.normal(size=shape).astype(np.float32))
        expected = eager(inputs)
        assert expected.min() < 0.9 * expected.max()  # the scores are distinguishable
        np.testing.assert_allclose(exported(inputs), expected, rtol=0, atol=1e-5)


def check_folded(file, model):
    """Check that BatchNorms and weights are folded, and that no local path is stored."""
    proto = onnx.load(file)
    [loop] = (node for node in proto.graph.node if node.op_type == "Scan")
    graphs = proto.graph, next(a.g for a in loop.attribute if a.name == "body")
    kinds = {node.op_type for graph in graphs for node in graph.node}
    assert not kinds & {"BatchNormalization", "Einsum", "Dropout"}
    stored = sum(np.prod(v.dims) for graph in graphs for v in graph.initializer)
    assert stored < sum(value.numel() for value in model.state_dict().values())
    assert b"/projects/" not in proto.SerializeToString()
