"""``reelwise evaluate --explanations``: how true explanations are, and how well they are checked.

As in ``evaluate_cli``, nothing of the evaluation is imported before it runs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.commands.system import bench_of, harness_of
from assistant.composition import load_encoder
from assistant.settings import Settings
from recommender.indexer import STARTER, read_items
from recommender.settings import RecommenderSettings

if TYPE_CHECKING:
    from recommender.evaluation.labelled import Verdict


def measure_explanations(
    labelled: Sequence[Path], data: Path | None, catalogue: Path, final: bool
) -> str:
    """Markdown: what the checker makes of sentences whose truth is known, and, with ``data``, how
    true explanations to MovieLens strangers are.

    Raises InvalidRequest for a file of another form, DataUnusable as the harness does.
    """
    from fusion.evaluate.tables import markdown
    from recommender.evaluation.faithfulness import measure_faithfulness
    from recommender.evaluation.labelled import figures, judge, read_scenes

    rows = [["sentences", "true", "kept of them", "false", "kept of them", "precision", "recall"]]
    wrong: list[str] = []
    for path in labelled:
        verdicts = list(judge(read_scenes(path, read_items(STARTER))))
        rows.append(_row(path.stem, figures(verdicts)))
        wrong += _wrong(verdicts)
    parts = [markdown(rows), *wrong]
    if data is not None:
        harness = harness_of(data, catalogue, draws=1)
        settings = RecommenderSettings()
        bench = bench_of(harness, catalogue, load_encoder(Settings()), settings, final=final)
        parts += [markdown(rows) for rows in measure_faithfulness(bench)]
    return "\n\n".join(parts)


def _row(name: str, count: dict[str, int]) -> list[str]:
    kept = count["true kept"] + count["false kept"]
    numbers = (count["true"], count["true kept"], count["false"], count["false kept"])
    precision, recall = count["true kept"] / max(kept, 1), count["true kept"] / count["true"]
    return [name, *map(str, numbers), f"{precision:.1%}", f"{recall:.1%}"]


def _wrong(verdicts: Sequence["Verdict"]) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.kept != verdict.true:
            became = "let through" if verdict.kept else "dropped"
            yield f"{verdict.scene.item.title}, {became}: {verdict.sentence}"
