"""What would be made: ``python -m infra.resources cdk.out/prod`` counts resources by stack."""

import json
import sys
from collections import Counter
from pathlib import Path


def table(assembly: Path) -> str:
    """A Markdown table: stack, kinds of resources and how many."""
    lines = ["| stack | resources |", "|---|---|"]
    total = 0
    for path in sorted(assembly.glob("*.template.json")):
        kinds = Counter(
            each["Type"].removeprefix("AWS::")
            for each in json.loads(path.read_text())["Resources"].values()
        )
        total += kinds.total()
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        lines.append(f"| {path.name.removesuffix('.template.json')} | {shown} |")
    return "\n".join([*lines, f"| all | {total} |"])


if __name__ == "__main__":
    print(table(Path(*sys.argv[1:] or ("cdk.out/prod",))))
