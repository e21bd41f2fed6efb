"""What the CDK app wrote for one environment, as tests look at it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

Properties = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """The templates of an environment."""

    folder: Path

    @cached_property
    def templates(self) -> dict[str, Properties]:
        """By the stack's part, such as ``chat``."""
        files = self.folder.glob("*.template.json")
        return {path.name.split(".")[0].split("-", 2)[2]: _read(path) for path in files}

    def findings(self, checks: str) -> Properties:
        """What a set of checks found in the course of synthesis."""
        reports = _read(self.folder / "validation-report.json")["pluginReports"]
        [report] = [each for each in reports if each["pluginName"] == checks]
        return dict(report)

    def properties(self, kind: str) -> dict[str, Properties]:
        """The properties of all resources of a type, by stack and logical id."""
        return {
            f"{part}/{name}": resource.get("Properties", {})
            for part, name, resource in self.resources()
            if resource["Type"] == kind
        }

    def one(self, kind: str) -> Properties:
        """The properties of the only resource of a type."""
        [properties] = self.properties(kind).values()
        return properties

    def resources(self) -> Iterator[tuple[str, str, Properties]]:
        """All resources: stack, logical id, resource."""
        for part, template in self.templates.items():
            for name, resource in template["Resources"].items():
                yield part, name, resource


def _read(path: Path) -> Properties:
    return dict(json.loads(path.read_text()))
