"""What the tests of training share; `make test-training` runs them where torch is installed."""

from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a little transformer of random weights."""
    import torch

    from tests.training.little import write_transformer

    torch.manual_seed(0)
    torch.set_num_threads(1)
    return write_transformer(tmp_path_factory.mktemp("source") / "little")
