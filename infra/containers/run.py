"""Containers of the images that `infra.containers.build` made: the command that is one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.containers.build import LAYERS, layers
from infra.containers.dockerfile import config, read
from infra.containers.sandbox import Sandbox


class Container:
    """A container of an image: its disk is sealed but for ``emptied``, as ECS is told to do."""

    def __init__(self, image: str, scratch: Path, emptied: Sequence[str] = ("/tmp",)) -> None:  # noqa: S108
        """``scratch`` is an empty folder for what is written."""
        self.config = config(read(), image)
        written = scratch / "written"
        written.mkdir()
        self._box = Sandbox(
            [*layers(LAYERS, image), written], scratch / "root", emptied=emptied, sealed=True
        )

    def main(
        self, environment: Mapping[str, str], command: Sequence[str] | None = None
    ) -> Sequence[str]:
        """What ``docker run`` would run, with ``command`` in place of the image's."""
        words = [*self.config.entrypoint, *(self.config.command if command is None else command)]
        return self.inside(words, environment)

    def inside(
        self, words: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Sequence[str]:
        """What runs another program as the image's user, as ``docker exec`` does."""
        told = {**self.config.environment, **(environment or {})}
        return self._box.command(words, told, self.config.folder, self.config.user)
