"""ONNX files: operators of opset 18, which onnxruntime 1.14 and later run."""

import logging
import warnings

import onnx
import torch
from torch.export import ExportedProgram

from ..apis.exported import KEY
from ..errors import ConfigError

OPSET = 18
# graph_conv's product of a matrix with every frame: a MatMul, for which onnxruntime
# needs two thirds of the time, as it copies nothing into another order.
_PRODUCT = b"pq,ntqo->ntpo"


def onnx_bytes(program: ExportedProgram, recipe: str) -> bytes:
    """The content of an ONNX file.

    torch's exporter folds each BatchNorm into the convolution before it, and constant
    parts of the graph into constants.

    Args:
        program: of `network.trace`.
        recipe: JSON, stored as the entry `apis.exported.KEY`.

    Raises:
        ConfigError: this version of PyTorch cannot export the network (`missing-package`).
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # Deprecations inside torch.
        warnings.simplefilter("ignore")
        try:
            made = torch.onnx.export(
                program,
                dynamo=True,
                input_names=["keypoint"],
                output_names=["scores"],
                opset_version=OPSET,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            raise ConfigError(
                f"PyTorch {torch.__version__} cannot export this network to ONNX. Install a "
                "later version (2.6 is known to fail), or export to NAME.pt2",
                kind="missing-package",
            ) from error
    assert made is not None  # with dynamo=True
    proto = made.model_proto
    for node in proto.graph.node:
        # Kilobytes of paths and stacks of the source code.
        del node.metadata_props[:]
        if node.op_type == "Einsum" and node.attribute[0].s == _PRODUCT:
            node.op_type = "MatMul"
            del node.attribute[:]
    for value in (*proto.graph.input, *proto.graph.output):
        del value.metadata_props[:]
    # Intermediate shapes, some of them wrong, which onnx's own inference refuses.
    del proto.graph.value_info[:]
    del proto.graph.metadata_props[:]
    onnx.helper.set_model_props(proto, {KEY: recipe})
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString()
