"""ONNX graph around the network of persons: selection, groups, and order of the results.

As in `models.inference`, absent persons are computed once per index, and persons are
processed in groups whose activations stay in the CPU cache. Both depend on values, which
tracing excludes, so this graph is written in ONNX's text format. A loop (`Scan`) applies
the traced network to the groups.
"""

import numpy as np
import onnx
from onnx import compose, numpy_helper, parser

from ..models.inference import FoldedMSG3D
from .person_graph import person_graph

# Activations of the first block per group: a fifth of those of `models.inference`, since
# ONNX Runtime holds more intermediate results at a time.
CACHE_ELEMENTS = 200_000

# Shapes: B samples, `clips`, M persons, T frames, V joints, C channels, W persons to
# compute in `groups` of `size`, and C' features. `present` has the shape of `counts`.
TEXT = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
persons (float[B, clips, {persons}, T, {joints}, {channels}] keypoint)
    => (float[B, clips, {persons}, {features}] pooled, bool[B, clips, {persons}] present)
    <float[{persons}, 1, {joints}, {channels}] scale,
     float[{persons}, 1, {joints}, {channels}] shift>
{{
    minus = Constant <value_ints = [-1]> ()
    zero = Constant <value_ints = [0]> ()
    one = Constant <value_ints = [1]> ()
    zeros = Constant <value_ints = [0, 0, 0, 0]> ()
    number = Constant <value_ints = [{persons}]> ()
    counts = Shape <end = 3> (keypoint)
    row = Shape <start = 3> (keypoint)

    missing = Constant <value_float = 0.0> ()
    is_zero = Equal (keypoint, missing)
    is_value = Not (is_zero)
    flags = Cast <to = 7> (is_value)
    axes = Constant <value_ints = [3, 4, 5]> ()
    has_value = ReduceMax <keepdims = 0> (flags, axes)
    present = Cast <to = 9> (has_value)

    scaled = Mul (keypoint, scale)
    normalized = Add (scaled, shift)
    rows_shape = Concat <axis = 0> (minus, row)
    rows = Reshape (normalized, rows_shape)
    present_rows = Reshape (present, minus)
    computed = Compress <axis = 0> (rows, present_rows)
    pairs = Concat <axis = 0> (minus, number)
    by_index = Reshape (has_value, pairs)
    always = ReduceMin <keepdims = 0> (by_index, zero)
    is_always = Cast <to = 9> (always)
    is_needed = Not (is_always)
    needed = Cast <to = 7> (is_needed)
    constant_shape = Concat <axis = 0> (number, row)
    constant = Expand (shift, constant_shape)
    absent = Compress <axis = 0> (constant, is_needed)
    work = Concat <axis = 0> (computed, absent)

    first_axis = Constant <value_int = 0> ()
    flat = Reshape (has_value, minus)
    rank = CumSum (flat, first_axis)
    ranks = Reshape (rank, counts)
    computed_count = Shape <end = 1> (computed)
    absent_rank = CumSum (needed, first_axis)
    absent_ranks = Add (absent_rank, computed_count)
    from_one = Where (present, ranks, absent_ranks)
    index = Sub (from_one, one)

    elements = ReduceProd <keepdims = 1> (row)
    limit = Constant <value_ints = [{limit}]> ()
    persons_in_cache = Div (limit, elements)
    most = Max (persons_in_cache, one)
    count = Shape <end = 1> (work)
    below = Sub (most, one)
    count_above = Add (count, below)
    groups = Div (count_above, most)
    groups_below = Sub (groups, one)
    group_above = Add (count, groups_below)
    size = Div (group_above, groups)
    total = Mul (groups, size)
    padding = Sub (total, count)
    pads = Concat <axis = 0> (zeros, padding, zero, zero, zero)
    padded = Pad (work, pads)
    grouped_shape = Concat <axis = 0> (groups, size, row)
    grouped = Reshape (padded, grouped_shape)
    parts = Scan <num_scan_inputs = 1> (grouped)
    width = Constant <value_ints = [{features}]> ()
    features_shape = Concat <axis = 0> (minus, width)
    table = Reshape (parts, features_shape)
    pooled = Gather <axis = 0> (table, index)
}}
"""


def scores_model(folded: FoldedMSG3D, head: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that maps `keypoint` [B, clips, M, T, V, C] to the head's outputs.

    Args:
        folded: MS-G3D in folded form.
        head: model that maps `pooled` features of each person [B, clips, M, C'], and
            optionally `present`, bool [B, clips, M], to `scores` and other outputs.
    """
    persons, _, joints, channels = folded.scale.shape
    base_channels = len(folded.blocks[0].bias)
    [opset] = (entry.version for entry in head.opset_import if not entry.domain)
    text = TEXT.format(
        ir_version=head.ir_version,
        opset=opset,
        persons=persons,
        joints=joints,
        channels=channels,
        features=len(folded.blocks[-1].bias),
        # Input elements per group with CACHE_ELEMENTS activations of the first block
        limit=CACHE_ELEMENTS * channels // base_channels,
    )
    model = parser.parse_model(text)
    values = {"scale": folded.scale, "shift": folded.shift}
    del model.graph.initializer[:]
    for name, value in values.items():
        array = np.ascontiguousarray(value.numpy())
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    [scan] = (node for node in model.graph.node if node.op_type == "Scan")
    scan.attribute.append(onnx.helper.make_attribute("body", person_graph(folded)))
    head = compose.add_prefix(head, "head.", rename_inputs=False, rename_outputs=False)
    inputs = [value.name for value in head.graph.input]
    outputs = [value.name for value in head.graph.output]
    model = compose.merge_models(
        model, head, io_map=[(name, name) for name in inputs], outputs=outputs
    )
    del model.opset_import[1:]  # merging repeats it
    model.graph.name, model.producer_name = "recognizer", "msg3d"
    return model
