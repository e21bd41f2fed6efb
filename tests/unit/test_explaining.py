"""Written, checked, remembered, or by template: whichever it is, it is told truly."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from recommender.cache import AnswerCache
from recommender.catalogue import Catalogue
from recommender.explaining import MOST_LETTERS, PART, Explainer
from recommender.explanation import (
    MODEL,
    Brief,
    ExplanationWriter,
    TemplateWriter,
    brief_of,
)
from recommender.fallbacks import Fallbacks
from recommender.models import Evidence, Explanation, Item
from recommender.preferences.learn import no_preferences
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import LogVersion, Stores
from recommender.telemetry import EXPLANATION_SENTENCES, FALLBACKS
from recommender.users import UserState
from tests.scripted_writer import ScriptedWriter

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEAT = Item(item_id="6", title="Heat", year=1995, genres=("Crime",), cast=("Al Pacino",))
RONIN = Item(item_id="8", title="Ronin", year=1998, genres=("Crime",))
EVIDENCE = [
    Evidence(kind="liked_film", item_id="8", text="Close to Ronin, which you liked", weight=0.5),
    Evidence(kind="genre", text="You go for Crime (liked 3 of 4 swiped)", weight=0.4),
]
BRIEF = brief_of(HEAT, EVIDENCE, query="a heist")
TEMPLATE = "".join(TemplateWriter().write(BRIEF))
SETTINGS = RecommenderSettings()
TRUE, OTHER = "You liked Ronin, which is close to Heat.", "You go for Crime."
FALSE = "You liked Alien."


def state(user_id: str = "ann", confidence: float = 0.1) -> UserState:
    taste = no_preferences("model", weights=SETTINGS.ranking)
    taste = taste.model_copy(update={"confidence": confidence})
    return UserState(user_id, LogVersion(), {}, taste)


class Desk:
    """An explainer over storage in memory, and what one call of it brought."""

    def __init__(self, writer: ExplanationWriter | None, stores: Stores | None = None) -> None:
        self.stores = stores or memory_stores()
        cache = AnswerCache(self.stores.embeddings, self.stores.searches, SETTINGS, "generation")
        self.cache = cache
        self._explainer = Explainer(Catalogue([HEAT, RONIN]), cache, lambda: NOW, writer)
        self.heard: list[str] = []

    def explain(self, brief: Brief = BRIEF, whose: UserState | None = None) -> Explanation:
        self.heard = []
        return self._explainer.explain(brief, whose or state(), Fallbacks(), self.heard.append)


@pytest.fixture
def counted() -> Callable[[], list[float]]:
    """What the metrics moved by: sentences kept and dropped, and fallbacks."""
    metrics = [EXPLANATION_SENTENCES.labels("kept"), EXPLANATION_SENTENCES.labels("dropped")]
    metrics.append(FALLBACKS.labels(PART))
    before = [metric._value.get() for metric in metrics]
    return lambda: [m._value.get() - b for m, b in zip(metrics, before, strict=True)]


def test_what_stands_is_told_as_it_comes_and_the_rest_dropped(
    counted: Callable[[], list[float]],
) -> None:
    desk = Desk(ScriptedWriter(f"{TRUE} {FALSE} {OTHER}"))
    told = desk.explain()
    assert desk.heard == [TRUE, OTHER]
    assert told.explanation == f"{TRUE} {OTHER}"
    assert (told.model, told.degraded) == ("scripted", ())
    assert told.evidence == BRIEF.evidence
    assert counted() == [2, 1, 0]


def test_without_a_writer_templates_explain(counted: Callable[[], list[float]]) -> None:
    desk = Desk(None)
    told = desk.explain()
    assert (told.explanation, told.model, told.degraded) == (TEMPLATE, MODEL, ())
    assert counted() == [0, 0, 0]


@pytest.mark.parametrize(
    ("writer", "heard"),
    [
        (ScriptedWriter(FALSE), []),
        (ScriptedWriter(""), []),
        (ScriptedWriter("You liked Ronin"), []),
        (ScriptedWriter("You liked 1\x00 [{]"), []),
        (ScriptedWriter("", fails=True), []),
        (ScriptedWriter(f"{TRUE} {OTHER}", fails=True), [TRUE]),
        (ScriptedWriter("I am sorry, I cannot help with that."), []),
        (ScriptedWriter("x" * (MOST_LETTERS + 1) + f". {TRUE}"), []),
    ],
)
def test_where_nothing_stands_or_the_writer_fails_templates_explain(
    writer: ScriptedWriter, heard: list[str], counted: Callable[[], list[float]]
) -> None:
    desk = Desk(writer)
    told = desk.explain()
    assert (told.explanation, told.model, told.degraded) == (TEMPLATE, MODEL, (PART,))
    assert desk.heard == heard
    assert counted()[2] == 1
    desk.explain()
    assert len(writer.briefs) == 2, "a failure is not remembered"


def test_what_is_repeated_is_told_once(counted: Callable[[], list[float]]) -> None:
    told = Desk(ScriptedWriter(f"{TRUE} {TRUE} {TRUE}")).explain()
    assert told.explanation == TRUE
    assert counted() == [1, 2, 0]


def test_a_text_without_end_is_read_to_the_limit() -> None:
    writer = ScriptedWriter(f"{TRUE} " + f"{FALSE} " * 1000 + OTHER)
    assert Desk(writer).explain().explanation == TRUE


def test_without_evidence_nobody_is_asked() -> None:
    writer = ScriptedWriter("It is a Crime film.")
    told = Desk(writer).explain(brief_of(HEAT, []))
    assert told.explanation.startswith("Nothing in your words")
    assert (told.model, told.degraded, writer.briefs) == (MODEL, (), [])


def test_what_was_written_is_remembered() -> None:
    writer = ScriptedWriter(f"{TRUE} {FALSE}")
    desk = Desk(writer)
    assert desk.explain() == desk.explain()
    assert len(writer.briefs) == 1


@pytest.mark.parametrize(
    ("brief", "whose"),
    [
        (BRIEF, state("bob")),
        (BRIEF, state(confidence=0.2)),
        (replace(BRIEF, query="another"), state()),
        (replace(BRIEF, item=RONIN), state()),
        (brief_of(HEAT, EVIDENCE[:1], query="a heist"), state()),
    ],
    ids=["person", "taste", "words", "film", "evidence"],
)
def test_only_for_the_same_person_taste_words_film_and_evidence(
    brief: Brief, whose: UserState
) -> None:
    writer = ScriptedWriter(TRUE)
    desk = Desk(writer)
    desk.explain()
    desk.explain(brief, whose)
    assert len(writer.briefs) == 2


def test_another_model_does_not_say_what_the_first_one_wrote() -> None:
    first, second = ScriptedWriter(TRUE, "one"), ScriptedWriter(OTHER, "two")
    desk = Desk(first)
    desk.explain()
    told = Desk(second, desk.stores).explain()
    assert (told.explanation, told.model) == (OTHER, "two")


def test_a_taste_that_changed_a_little_is_another_taste() -> None:
    writer = ScriptedWriter(TRUE)
    desk = Desk(writer)
    old, new = state(), state(confidence=0.1001)
    desk.explain(whose=old)
    desk.cache.swiped("ann", ["1214"], old.preferences, new.preferences)
    desk.explain(whose=new)
    assert len(writer.briefs) == 2


def test_what_was_written_is_erased_with_the_person() -> None:
    writer = ScriptedWriter(TRUE)
    desk = Desk(writer)
    desk.explain()
    desk.cache.erase("ann")
    desk.explain()
    assert len(writer.briefs) == 2
