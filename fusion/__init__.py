"""The transformer: the text encoder port, its embedded implementation and its export."""

import os

# ONNX Runtime reports its use to its makers unless told before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
