"""8-bit weights for an exported transformer, chosen for accuracy on a CPU without VNNI.

Three rules, by what each part of the graph needs:

* embedding tables (most of the file): symmetric int8 with one scale per token;
* feed-forward matrices, whose inputs have outliers that ruin one scale per run: `MatMulNBits` with
  8 bits, which scales activations row by row (a third slower, so not used everywhere);
* attention matrices: dynamic int8 per channel, weights in 7 bits because AVX2 adds pairs of
  u8×s8 products in saturating 16-bit registers.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from fusion.traces import drop_traces


def quantise(source: Path, target: Path) -> None:
    """Write to `target` the int8 form of the fp32 ONNX graph at `source`."""
    model = onnx.load(source)
    _quantise_tables(model.graph)
    with TemporaryDirectory() as folder:
        tables, dynamic = Path(folder) / "tables.onnx", Path(folder) / "dynamic.onnx"
        onnx.save(model, tables)
        quantize_dynamic(
            tables,
            dynamic,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=_feed_forward(model.graph),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        rest = MatMulNBitsQuantizer(
            onnx.load(dynamic), bits=8, block_size=128, is_symmetric=True, accuracy_level=4
        )
        rest.process()
    rest.model.save_model_to_file(str(target))
    drop_traces(target)


def _feed_forward(graph: onnx.GraphProto) -> list[str]:
    """Names of the products with a matrix that is not square: attention's are square."""
    oblong = {
        tensor.name
        for tensor in graph.initializer
        if len(tensor.dims) == 2 and tensor.dims[0] != tensor.dims[1]
    }
    return [
        node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in oblong
    ]


def _quantise_tables(graph: onnx.GraphProto) -> None:
    """Replace, in place, each lookup in a float table by a lookup in int8 times a row scale."""
    tables = {tensor.name: tensor for tensor in graph.initializer if _is_float_table(tensor)}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        nodes += [node] if table is None else _int8_lookup(graph, node, table)
    del graph.node[:]
    graph.node.extend(nodes)


def _is_float_table(tensor: onnx.TensorProto) -> bool:
    return len(tensor.dims) == 2 and tensor.data_type == onnx.TensorProto.FLOAT


def _int8_lookup(
    graph: onnx.GraphProto, node: onnx.NodeProto, table: onnx.TensorProto
) -> list[onnx.NodeProto]:
    weights = numpy_helper.to_array(table)
    scales = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-12) / 127
    codes = np.rint(weights / scales).astype(np.int8)
    name, ids, output = table.name, node.input[1], node.output[0]
    graph.initializer.remove(table)
    graph.initializer.append(numpy_helper.from_array(codes, f"{name}.codes"))
    graph.initializer.append(numpy_helper.from_array(scales.astype(np.float32), f"{name}.scales"))
    return [
        helper.make_node("Gather", [f"{name}.codes", ids], [f"{output}.codes"]),
        helper.make_node("Gather", [f"{name}.scales", ids], [f"{output}.scales"]),
        helper.make_node(
            "Cast", [f"{output}.codes"], [f"{output}.cast"], to=onnx.TensorProto.FLOAT
        ),
        helper.make_node("Mul", [f"{output}.cast", f"{output}.scales"], [output]),
    ]
