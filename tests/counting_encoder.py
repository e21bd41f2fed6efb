"""An encoder that tells what it was asked."""

from collections.abc import Sequence

from fusion.encoder import Vectors
from fusion.errors import EncoderUnavailable
from fusion.fake import HashingEncoder


class CountingEncoder(HashingEncoder):
    """The hashing fake, which counts texts and may fail at one."""

    def __init__(self, fail_after: int | None = None) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._fail_after = fail_after

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        if self._fail_after is not None and len(self.texts) > self._fail_after:
            raise EncoderUnavailable("as a test wished")
        return super().encode(texts)
