"""Telling why, in sentences that each rest on one piece of evidence."""

from collections.abc import Sequence

from recommender.models import Evidence, Explanation, Item

MODEL = "grounded-template-2"
MAX_FOR, MAX_AGAINST = 4, 2


def explain_from(
    item: Item,
    evidence: Sequence[Evidence],
    degraded: tuple[str, ...] = (),
    counterfactual: Evidence | None = None,
) -> Explanation:
    """Put evidence, weightiest first, into words; whatever is not evidence is not said."""
    speaks_for = [fact for fact in evidence if not fact.against][:MAX_FOR]
    against = [fact for fact in evidence if fact.against][:MAX_AGAINST]
    name = f"{item.title} ({item.year})" if item.year else item.title
    if speaks_for:
        text = f"Why {name}? {_sentences(speaks_for)}"
    else:
        text = f"Nothing in your words or swipes points to {name} yet."
    if against:
        text += f" On the other hand: {_sentences(against)}"
    otherwise = [counterfactual] if counterfactual else []
    if otherwise:
        text += f" {_sentences(otherwise)}"
    return Explanation(
        item_id=item.item_id,
        title=item.title,
        explanation=text,
        evidence=(*speaks_for, *against, *otherwise),
        model=MODEL,
        degraded=degraded,
    )


def _sentences(facts: Sequence[Evidence]) -> str:
    return " ".join(f"{fact.text}." for fact in facts)
