"""Writer for ONNX files with opset 18, which ONNX Runtime 1.14 and later support."""

import logging
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch.export import ExportedProgram

from ..apis.exported import KEY
from ..errors import ConfigError
from ..models.inference import FoldedMSG3D
from .network import (
    CLIPS,
    SAMPLES,
    ExportedHead,
    ExportedNetwork,
    trace,
    trace_network,
)
from .onnx_persons import scores_model

OPSET = 18


def onnx_bytes(
    network: ExportedNetwork, persons: int, joints: int, channels: int, recipe: str
) -> bytes:
    """Return the content of an ONNX file for a network.

    Args:
        network: network on the CPU.
        persons, joints, channels: fixed sizes M, V, and C of the input.
        recipe: JSON text to store as the metadata entry `apis.exported.KEY`.

    Raises:
        ConfigError: this version of PyTorch cannot export the network (kind
            `missing-package`).
    """
    if network.folded is None:
        program = trace_network(network, persons, joints, channels)
        proto = _converted(program, ["keypoint"], network.outputs)
    else:
        proto = _by_person(network, network.folded, persons)
    onnx.helper.set_model_props(proto, {KEY: recipe})
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString()
    return content


def _by_person(
    network: ExportedNetwork, folded: FoldedMSG3D, persons: int
) -> onnx.ModelProto:
    """Return MS-G3D in ONNX (see `onnx_persons`), joined with the converted head."""
    shape = SAMPLES, CLIPS, persons
    inputs = {"pooled": torch.rand(*shape, len(folded.blocks[-1].bias))}
    if network.masked:
        inputs["present"] = torch.ones(shape, dtype=torch.bool)
    program = trace(ExportedHead(network), *inputs.values(), dynamic=(0, 1))
    return scores_model(folded, _converted(program, list(inputs), network.outputs))


def _converted(
    program: ExportedProgram, inputs: Sequence[str], outputs: Sequence[str]
) -> onnx.ModelProto:
    """Convert a program to ONNX.

    PyTorch's exporter folds the BatchNorms of most networks into the preceding
    convolutions, and evaluates constant parts of the graph.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside PyTorch
        try:
            onnx_program = torch.onnx.export(
                program,
                dynamo=True,
                input_names=inputs,
                output_names=outputs,
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
    proto: onnx.ModelProto = onnx_program.model_proto
    # Remove kilobytes of source paths and stack traces.
    graph = proto.graph
    for part in (*graph.node, *graph.input, *graph.output):
        del part.metadata_props[:]
    # Some intermediate shapes are wrong and do not pass the shape inference of onnx.
    del graph.value_info[:]
    del graph.metadata_props[:]
    return proto
