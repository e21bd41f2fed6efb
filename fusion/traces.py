"""What the exporter notes in a graph of the machine it ran on (extra `[train]`)."""

from pathlib import Path

import onnx


def drop_traces(path: Path) -> None:
    """Rewrite an ONNX file without its notes: stack traces with paths, a tenth of a small graph."""
    model = onnx.load(path)
    for part in (model.graph, *model.functions):
        for noted in (part, *part.node, *part.value_info):
            noted.ClearField("metadata_props")
            noted.ClearField("doc_string")
    onnx.save(model, path)
