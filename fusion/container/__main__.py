"""``python -m fusion.container serve``."""

from fusion.container.cli import app

app()
