"""``reelwise evaluate --survey``: the survey that learns, measured against a fixed one.

As in ``evaluate_cli``, nothing of the evaluation is imported before it runs.
"""

from pathlib import Path
from tempfile import TemporaryDirectory


def measure_surveys(data: Path, catalogue: Path, final: bool) -> str:
    """Quality by cards shown, cards to the same quality and early stops, as Markdown tables.

    Strangers of validation, or, ``final``, of test; raises DataUnusable as the harness does.
    """
    from fusion.evaluate.data import load, merge
    from fusion.evaluate.harness import Harness, Plan
    from fusion.evaluate.peers.linear import LinearFusionScorer
    from fusion.evaluate.peers.textual import TextSpace
    from fusion.evaluate.tables import markdown
    from fusion.onnx_encoder import OnnxTextEncoder
    from recommender.evaluation.surveys import compare, tables
    from recommender.evaluation.world import items_as_rated

    harness = Harness(load(data, catalogue), Plan())
    train, strangers = harness.split.train, harness.split.validation
    if final:
        train, strangers = merge(train, strangers), harness.split.test
    films = harness.dataset.films
    with TemporaryDirectory() as folder:
        scorer = LinearFusionScorer(films, TextSpace(films, OnnxTextEncoder(), Path(folder)))
        scorer.fit(train)
    items = items_as_rated(catalogue, harness.dataset, train)
    curves = compare(scorer.model, items, strangers, harness.plan.seed)
    return "\n\n".join(markdown(rows) for rows in tables(curves))
