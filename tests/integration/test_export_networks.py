"""Every network, exported, against itself before."""

import numpy as np
import pytest

from exported_models import BACKBONES, tiny
from msg3d.apis.exported import (
    OnnxScores,
)
from msg3d.apis.trained import TorchScores, load_config, load_model
from msg3d.export import export


@pytest.mark.parametrize("backbone", BACKBONES)
def test_any_batch_clips_and_frames(backbone, tmp_path):
    """Sizes that the export neither traced nor checked."""
    config, checkpoint = tiny(tmp_path, backbone)
    file = str(tmp_path / "one.onnx")
    export(config, checkpoint, file)
    model, _ = load_model(load_config(config), checkpoint, "cpu")
    eager = TorchScores(model)
    exported = OnnxScores(file, threads=1)
    rng = np.random.default_rng(0)
    for batch, clips, frames in ((1, 1, 5), (4, 1, 24), (2, 3, 51)):
        shape = (batch, clips, 2, frames, 25, 3)
        inputs = list(rng.normal(size=shape).astype(np.float32))
        expected = eager(inputs)
        assert expected.min() < 0.9 * expected.max()  # else all is the same
        np.testing.assert_allclose(exported(inputs), expected, rtol=0, atol=1e-5)


def test_batch_norms_and_weights_of_msg3d_are_folded(tmp_path):
    config, checkpoint = tiny(tmp_path, "MSG3D")
    export(config, checkpoint, tmp_path / "msg3d.onnx")
    proto = onnx.load(tmp_path / "msg3d.onnx")
    kinds = {node.op_type for node in proto.graph.node}
    assert not kinds & {"BatchNormalization", "Einsum", "Dropout"}
    stored = sum(np.prod(array.dims) for array in proto.graph.initializer)
    model, _ = load_model(load_config(config), checkpoint, "cpu")
    sizes = sum(value.numel() for value in model.state_dict().values())
    assert stored < sizes
    assert b"/projects/" not in proto.SerializeToString()
