"""ONNX Runtime as the encoders use it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from fusion.encoder import Vectors
from fusion.errors import EncoderUnavailable, ModelFilesCorrupt
from fusion.run_limit import run_options


def open_session(path: Path, threads: int) -> ort.InferenceSession:
    """ONNX Runtime over the graph of a file; bytes it would keep beside what it makes of them.

    Raises ModelFilesCorrupt, naming ``path``, if it is refused.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # The database and the server live on the same cores: waiting threads must not burn them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Else each session keeps what its longest text took: 15 MB, and a run is no slower without.
    options.enable_cpu_mem_arena = False
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFilesCorrupt(path, f"ONNX Runtime refuses it: {error}") from error


def run(
    session: ort.InferenceSession, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
) -> Sequence[Vectors]:
    """A graph's outputs, as many as are named. Raises EncoderUnavailable."""
    try:
        made: Sequence[Vectors] = session.run(outputs, inputs, run_options())
    except Exception as error:
        raise EncoderUnavailable(f"ONNX Runtime failed: {error}") from error
    return made


def embedded(session: ort.InferenceSession, ids: np.ndarray) -> Mapping[str, Vectors]:
    """What a graph makes of one text's ids, int64 (1, tokens): unit vectors (dim,), by output.

    Raises EncoderUnavailable.
    """
    names = [output.name for output in session.get_outputs()]
    vectors = run(session, {"input_ids": ids, "attention_mask": np.ones_like(ids)}, names)
    return {name: vector[0] for name, vector in zip(names, vectors, strict=True)}
