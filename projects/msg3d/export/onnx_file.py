"""Writer for ONNX files with opset 18, which ONNX Runtime 1.14 and later support."""

import logging
import warnings

import onnx
import torch
from torch.export import ExportedProgram

from ..apis.exported import KEY
from ..errors import ConfigError

OPSET = 18
# This einsum of graph_conv is equivalent to a MatMul. ONNX Runtime runs the MatMul in
# two thirds of the time, since it does not transpose.
_PRODUCT = b"pq,ntqo->ntpo"


def onnx_bytes(program: ExportedProgram, recipe: str) -> bytes:
    """Return the content of an ONNX file for a traced program.

    PyTorch's exporter folds BatchNorms into the preceding convolutions, and evaluates
    constant parts of the graph.

    Args:
        program: result of `network.trace`.
        recipe: JSON text to store as the metadata entry `apis.exported.KEY`.

    Raises:
        ConfigError: this version of PyTorch cannot export the network (kind
            `missing-package`).
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside PyTorch
        try:
            onnx_program = torch.onnx.export(
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
                "later version (2.6 does not work), or export to NAME.pt2.",
                kind="missing-package",
            ) from error
    assert onnx_program is not None  # with dynamo=True
    proto = onnx_program.model_proto
    for node in proto.graph.node:
        # Remove kilobytes of source paths and stack traces.
        del node.metadata_props[:]
        if node.op_type == "Einsum" and node.attribute[0].s == _PRODUCT:
            node.op_type = "MatMul"
            del node.attribute[:]
    for value in (*proto.graph.input, *proto.graph.output):
        del value.metadata_props[:]
    # Some intermediate shapes are wrong and do not pass the shape inference of onnx.
    del proto.graph.value_info[:]
    del proto.graph.metadata_props[:]
    onnx.helper.set_model_props(proto, {KEY: recipe})
    onnx.checker.check_model(proto, full_check=True)
    return proto.SerializeToString()
