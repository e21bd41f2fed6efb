"""The model card for people: `README.md` in a model's folder, written from the run."""

from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from fusion.evaluate.calibration import markdown
from fusion.onnx_fusion import Kind
from fusion.training.report import FAITHFUL, SWIPES_TIMED, TOP, Report

README = "README.md"
TEMPLATE = Path(__file__).with_name("model_card.md")
WHAT: dict[Kind, str] = {
    "embedding": (
        "Fuses what a person says with what they swiped: a fine-tuned MiniLM (`text/`, int8) turns "
        "the words into a vector, and attention (`fusion.onnx`) joins it with the item vectors of "
        "the swiped films, their direction and how long ago they were swiped."
    ),
    "token": (
        "Fuses what a person says with what they swiped: query, likes and dislikes are one text, "
        "and a fine-tuned MiniLM (`text/`, int8) reads it."
    ),
}


class About(BaseModel):
    """What a model was trained on, in words, and what that allows."""

    model_config = ConfigDict(frozen=True)

    data: str
    licence: str


MOVIELENS = About(
    data="MovieLens",
    licence=(
        "MovieLens (F. M. Harper and J. A. Konstan, 2015, *The MovieLens Datasets*) allows "
        "research use, and no commercial use without permission: for that, train on your own with "
        "`reelwise train --data swipes.jsonl`. MiniLM is Apache-2.0."
    ),
)
OWN_SWIPES = About(
    data="Swipes of this installation",
    licence="The swipes are those of your own users; MiniLM is Apache-2.0.",
)


def write_model_card(folder: Path, kind: Kind, about: About, plan: str, report: Report) -> None:
    """Write the card; with plots of both reliability curves where matplotlib is installed."""
    text = TEMPLATE.read_text(encoding="utf-8").format(
        card=report.card,
        report=report,
        about=about,
        plan=plan,
        what=WHAT[kind],
        minutes=report.progress.seconds / 60,
        observed=len(report.observed.hit),
        confidence=markdown(report.confidence),
        influence=markdown(report.influence),
        plots=_plots(folder, report),
        sizes="\n".join(f"| `{name}` | {size:.1f} MB |" for name, size in report.megabytes.items()),
        top=TOP,
        swipes=SWIPES_TIMED,
        faithful=FAITHFUL,
    )
    (folder / README).write_text(text, encoding="utf-8")


def _plots(folder: Path, report: Report) -> str:
    """Markdown that shows the plots; none where they cannot be drawn."""
    if not (find_spec("matplotlib") and find_spec("adjustText")):
        return ""
    from fusion.evaluate.plots import draw_reliability

    draw_reliability(report.confidence, folder / "confidence.png", "Confidence")
    draw_reliability(report.influence, folder / "influence.png", "Influence")
    return "\n![Confidence](confidence.png) ![Influence](influence.png)\n"
