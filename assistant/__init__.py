"""The doors: REST, chat, command line, and the composition root."""

import os

# Requests run in many threads; a BLAS that starts threads of its own for each only makes them wait.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
