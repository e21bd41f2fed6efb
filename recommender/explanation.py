"""Telling why, in sentences that each rest on evidence: who writes them, and the templates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from recommender.models import Evidence, Item

MODEL = "grounded-template-2"
MAX_FOR, MAX_AGAINST = 4, 2


@dataclass(frozen=True)
class Brief:
    """All that whoever writes an explanation is told: nothing in it is of any other person.

    ``evidence`` is what speaks for the film, the weightiest first, then what speaks against it, and
    last what would be without a like.
    """

    item: Item
    evidence: tuple[Evidence, ...]
    query: str = ""


class WriterFailed(Exception):
    """Whoever was to write an explanation did not, or wrote nothing that stands."""


class ExplanationWriter(Protocol):
    """Puts a film's evidence into words."""

    @property
    def model(self) -> str:
        """Says who writes; another name wherever other words may come out."""

    def write(self, brief: Brief) -> Iterator[str]:
        """The text in pieces, as they are written. Raises WriterFailed."""


class TemplateWriter(ExplanationWriter):
    """Says each piece of evidence as it is, and nothing else."""

    @property
    def model(self) -> str:
        """The templates' version."""
        return MODEL

    def write(self, brief: Brief) -> Iterator[str]:
        """One sentence after the other."""
        name = f"{brief.item.title} ({brief.item.year})" if brief.item.year else brief.item.title
        otherwise = [fact for fact in brief.evidence if fact.kind == "counterfactual"]
        facts = [fact for fact in brief.evidence if fact.kind != "counterfactual"]
        speaks_for = [fact for fact in facts if not fact.against]
        if speaks_for:
            yield f"Why {name}?"
        else:
            yield f"Nothing in your words or swipes points to {name} yet."
        yield from _sentences(speaks_for)
        if against := [fact for fact in facts if fact.against]:
            first, *others = _sentences(against)
            yield f" On the other hand:{first}"
            yield from others
        yield from _sentences(otherwise)


def brief_of(
    item: Item,
    evidence: Sequence[Evidence],
    counterfactual: Evidence | None = None,
    query: str = "",
) -> Brief:
    """What is told of all the evidence: the weightiest of each side."""
    evidence = sorted(evidence, key=lambda fact: -fact.weight)
    speaks_for = [fact for fact in evidence if not fact.against][:MAX_FOR]
    against = [fact for fact in evidence if fact.against][:MAX_AGAINST]
    otherwise = [counterfactual] if counterfactual else []
    return Brief(item, (*speaks_for, *against, *otherwise), query)


def _sentences(facts: Sequence[Evidence]) -> Iterator[str]:
    return (f" {fact.text}." for fact in facts)
