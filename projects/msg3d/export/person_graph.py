"""MS-G3D for groups of persons, in the ONNX operators that ONNX Runtime executes fastest.

The arithmetic is that of `models.inference`, but joints precede frames: x [R, C, V, T]
for R persons. A graph convolution over windows of w frames with stride s,

    z[p, t] = sum_(k, v, i)  A[p, (k, v), i]  y[(k, v), s t + i - w // 2]
    y[(k, v), t] = W_k x[v, t]

then consists of one matrix product with K V results [T, O] per person, and of one
convolution over frames. Its input channels are the pairs (scale, joint), and its output
channels are the nodes p = (frame of the window, joint). ONNX Runtime collects the frames
of the windows in blocks that stay in the cache. As in `models.graph_conv`, layers with few
input channels apply A before W. MS-TCN consists of convolutions over x.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor

from ..models.g3d import FoldedG3D
from ..models.inference import FoldedBlock, FoldedMSG3D
from ..models.ms_gcn import FoldedMSGCN
from ..models.ms_tcn import FoldedMSTCN


def person_graph(folded: FoldedMSG3D) -> GraphProto:
    """Return a graph from normalized `persons` [R, T, V, C] to `features` [R, C'].

    The features are the means over frames and joints. R and T are dynamic.
    """
    graph = _Graph()
    x = graph.add("Transpose", "persons", perm=[0, 3, 2, 1])
    for block in folded.blocks:
        x = _block(graph, block, x)
    features = graph.add("ReduceMean", x, [2, 3], keepdims=0)
    _, _, joints, channels = folded.scale.shape
    return helper.make_graph(
        graph.nodes,
        "person",
        [_value("persons", ["R", "T", joints, channels])],
        [_value(features, ["R", len(folded.blocks[-1].bias)])],
        graph.initializers,
    )


class _Graph:
    """Nodes of a graph under construction. Values are represented by their names."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []

    def add(self, operator: str, *inputs: Any, **attributes: Any) -> str:
        """Append a node and return its output.

        Args:
            operator: name of the ONNX operator.
            *inputs: names of values, tensors, or lists of integers.
            **attributes: attributes of the node.
        """
        [output] = self.add_several(1, operator, *inputs, **attributes)
        return output

    def add_several(
        self, count: int, operator: str, *inputs: Any, **attributes: Any
    ) -> list[str]:
        """Append a node with several outputs, and return them."""
        names = [v if isinstance(v, str) else self._constant(v) for v in inputs]
        outputs = [f"{operator}_{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(helper.make_node(operator, names, outputs, **attributes))
        return outputs

    def _constant(self, value: Tensor | Sequence[int]) -> str:
        name = f"constant_{len(self.initializers)}"
        array = (
            value.numpy() if isinstance(value, Tensor) else np.array(value, np.int64)
        )
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), name)
        self.initializers.append(tensor)
        return name


def _value(name: str, shape: list[str | int]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _block(graph: _Graph, block: FoldedBlock, x: str) -> str:
    parts: Any = block.sgcn
    gcn, *tcns = parts
    z = graph.add("Add", _graph_conv(graph, gcn, x), gcn.bias)  # (R, V, T, O)
    out = graph.add("Transpose", graph.add("Relu", z), perm=[0, 3, 1, 2])
    for tcn in tcns:
        out = _ms_tcn(graph, tcn, out)
    for pathway in block.gcn3d:
        out = graph.add("Add", out, _g3d(graph, pathway, x))
    out = graph.add("Add", out, block.bias[:, None, None])
    return _ms_tcn(graph, block.tcn, graph.add("Relu", out))


def _graph_conv(graph: _Graph, gcn: FoldedMSGCN, x: str) -> str:
    """Append a graph convolution without bias: [R, C, V, T] -> [R, wV, T', O]."""
    scales, window, stride = gcn.sizes
    half = window // 2
    if gcn.aggregate_first:
        gather = gcn.gather.unflatten(0, (window, -1))  # (w, V, VwK)
        joints = gather.shape[1]
        gather = gather.unflatten(2, (joints, window, scales))  # (i, v | u, j, k)
        gather = gather.permute(3, 2, 4, 1, 0).reshape(-1, joints, 1, window)
        weight = gcn.weight.unflatten(1, (-1, scales))  # (O, C, K)
        weight = weight.permute(2, 1, 0).flatten(0, 1)  # (KC, O)
        x = graph.add("Transpose", x, perm=[0, 2, 1, 3])
        steps = {"strides": [1, stride], "pads": [0, half, 0, half]}
        x = graph.add("Conv", x, gather, **steps)  # (R, wVK, C, T')
        x = graph.add("Reshape", x, [0, window * joints, len(weight), -1])
        return graph.add("MatMul", graph.add("Transpose", x, perm=[0, 1, 3, 2]), weight)
    joints = len(gcn.gather) // window
    gather = gcn.gather.unflatten(0, (joints, window))
    gather = gather.unflatten(3, (joints, scales))  # (u, j | i, v, k)
    gather = gather.permute(1, 0, 4, 3, 2).reshape(
        joints * window, scales * joints, window, 1
    )
    weight = gcn.weight.unflatten(0, (scales, -1)).transpose(1, 2)  # (K, C, O)
    _, in_channels, out_channels = weight.shape
    x = graph.add("Reshape", x, [0, 1, in_channels, -1])
    x = graph.add("Transpose", x, perm=[0, 1, 3, 2])
    y = graph.add("MatMul", x, weight)  # (R, K, VT, O)
    y = graph.add("Reshape", y, [0, scales * joints, -1, out_channels])
    steps = {"strides": [stride, 1], "pads": [half, 0, half, 0]}
    return graph.add("Conv", y, gather, **steps)


def _g3d(graph: _Graph, pathway: FoldedG3D, x: str) -> str:
    """Append G3D without bias (see `FoldedG3D`): [R, C, V, T] -> [R, O, V, T']."""
    window = pathway.gcn.window
    z = graph.add("Max", _graph_conv(graph, pathway.gcn, x), pathway.floor)
    weight = pathway.weight.unflatten(1, (window, -1))  # (O, w, mid)
    parts = []
    for i, frame in enumerate(
        graph.add_several(window, "Split", z, axis=1, num_outputs=window)
    ):
        rows = graph.add("Reshape", frame, [0, -1, weight.shape[2]])  # (R, VT', mid)
        columns = graph.add("Transpose", rows, perm=[0, 2, 1])
        parts.append(graph.add("MatMul", weight[:, i], columns))
    joints = len(pathway.gcn.gather) // window  # in both orders
    return graph.add("Reshape", graph.add("Sum", *parts), [0, len(weight), joints, -1])


def _ms_tcn(graph: _Graph, tcn: FoldedMSTCN, x: str) -> str:
    """Append MS-TCN: [R, C, V, T] -> [R, O, V, T']."""
    branches, width = len(tcn.dilations) + 1, tcn.taps.shape[-1]
    strides = [1, tcn.stride]

    def pointwise(weight: Tensor, bias: Tensor | None, **options: Any) -> str:
        return graph.add("Conv", x, weight[:, :, None, None], bias, **options)

    inner = branches * width
    first = pointwise(tcn.pointwise[:inner], tcn.pointwise_bias[:inner])
    sizes = [width] * branches
    *shares, pooled = graph.add_several(
        branches, "Split", graph.add("Relu", first), sizes, axis=1
    )
    kernels = tcn.taps.permute(0, 3, 2, 1)[:, :, :, None]  # (D, out, in, 1, 3)
    parts = [
        graph.add(
            "Conv",
            share,
            kernel,
            bias,
            strides=strides,
            pads=[0, dilation, 0, dilation],
            dilations=[1, dilation],
        )
        for share, kernel, bias, dilation in zip(
            shares, kernels, tcn.taps_bias, tcn.dilations, strict=True
        )
    ]
    window = {"kernel_shape": [1, 3], "strides": strides, "pads": [0, 1, 0, 1]}
    pooled = graph.add("MaxPool", pooled, **window)
    scale, shift = tcn.pool[:, :, None, None]
    parts.append(graph.add("Add", graph.add("Mul", pooled, scale), shift))
    rest = tcn.pointwise[inner:], tcn.pointwise_bias[inner:]
    parts.append(pointwise(*rest, strides=strides))
    if tcn.residual is not None:
        x = pointwise(tcn.residual, tcn.residual_bias, strides=strides)
    out = graph.add("Add", graph.add("Concat", *parts, axis=1), x)
    return graph.add("Relu", out) if tcn.activate else out
