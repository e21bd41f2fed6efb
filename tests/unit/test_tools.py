"""Each tool: what it asks of the service, what it hands to the model and to the door."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, ToolException

from recommender.errors import NothingToUndo, UnknownItem
from recommender.models import (
    Direction,
    Explanation,
    Filters,
    SearchRequest,
    SearchResult,
    SurveySession,
    SwipeReceipt,
    Understanding,
)
from tests.unit.scripted_recommender import FILMS, PROFILE, ScriptedRecommender
from tools import (
    ALL_TOOLS,
    ToolContext,
    explain_movie,
    record_reaction,
    search_movies,
    show_profile,
    start_survey,
    undo_reaction,
)
from tools.content import FilmLine, read, write


@pytest.fixture
def service() -> ScriptedRecommender:
    return ScriptedRecommender()


@pytest.fixture
def context(service: ScriptedRecommender) -> ToolContext:
    return ToolContext(service, "ann", "s1", ("1214", "6"))


def use(tool: BaseTool, context: ToolContext, **args: object) -> ToolMessage:
    runtime = ToolRuntime[Any, Any](
        state={},
        context=context,
        config={},
        stream_writer=lambda _: None,
        tool_call_id="1",
        store=None,
    )
    call = {"type": "tool_call", "id": "1", "name": tool.name, "args": args | {"runtime": runtime}}
    message = tool.invoke(call)
    assert isinstance(message, ToolMessage)
    return message


def test_no_tool_lets_the_model_say_who_the_user_is() -> None:
    for tool in ALL_TOOLS:
        arguments = set(tool.tool_call_schema.model_json_schema()["properties"])  # type: ignore[union-attr]
        assert not arguments & {"user_id", "user", "runtime", "context", "session_id"}, tool.name


def test_every_argument_is_described_to_the_model() -> None:
    for tool in ALL_TOOLS:
        for name, schema in tool.args.items():
            assert schema.get("description"), f"{tool.name}.{name}"


def test_survey_of_the_named_size(service: ScriptedRecommender, context: ToolContext) -> None:
    message = use(start_survey, context, size=3)
    assert isinstance(message.artifact, SurveySession)
    content = read(message.text)
    assert content.fields == {"survey": "s1", "cards": "3"}
    assert [film.label for film in content.films] == [
        "Heat (1995)",
        "Alien (1979)",
        "Aliens (1986)",
    ]
    assert service.calls[0][:3] == ("start_survey", "ann", 3)


def test_survey_of_the_services_own_size(
    service: ScriptedRecommender, context: ToolContext
) -> None:
    use(start_survey, context)
    assert service.calls[0][:3] == ("start_survey", "ann", None)


@pytest.mark.parametrize(
    ("reference", "item_id"),
    [
        ("Alien", "1214"),
        ("alien", "1214"),
        ("Aliens", "1200"),
        ("good, the bad & the ugly", "99"),
        ("Crouching Tiger Hidden Dragn", "31"),
        ("Sabrina (1954)", "915"),
        ("Sabrina 1995", "7"),
        ("300", "51662"),
        ("id:300", "300"),
        ("1214", "1214"),
    ],
)
def test_a_reaction_finds_its_film(
    service: ScriptedRecommender, context: ToolContext, reference: str, item_id: str
) -> None:
    message = use(record_reaction, context, title_or_id=reference, direction="like")
    assert isinstance(message.artifact, SwipeReceipt)
    assert service.calls[-1] == ("record_swipe", "ann", item_id, "like", "s1", None, None)


def test_a_title_is_looked_for_among_seen_films_too(
    service: ScriptedRecommender, context: ToolContext
) -> None:
    use(record_reaction, context, title_or_id="Alien", direction="skip")
    request = service.calls[0][1]
    assert isinstance(request, SearchRequest)
    assert request.filters == Filters(exclude_seen=False)


def test_a_short_name_is_looked_up_as_a_search_would(
    service: ScriptedRecommender, context: ToolContext
) -> None:
    service.understood = Understanding(lookup="31")
    use(record_reaction, context, title_or_id="Crouching Tiger", direction="like")
    assert service.swipes == [("31", "like")]


@pytest.mark.parametrize(("position", "item_id"), [(1, "1214"), (2, "6"), (-1, "6")])
def test_a_reaction_by_position(
    service: ScriptedRecommender, context: ToolContext, position: int, item_id: str
) -> None:
    use(record_reaction, context, position=position, direction="dislike")
    assert service.calls[-1] == ("record_swipe", "ann", item_id, "dislike", "s1", None, None)


@pytest.mark.parametrize("position", [0, 3, -3])
def test_a_position_where_nothing_was_shown(
    service: ScriptedRecommender, context: ToolContext, position: int
) -> None:
    with pytest.raises(ToolException, match="2 were shown"):
        use(record_reaction, context, position=position, direction="like")
    assert not service.swipes


@pytest.mark.parametrize("title", ["Foobar and the Quux", "", "x" * 500, "Quiz Show 2"])
def test_an_unknown_title_records_nothing(
    service: ScriptedRecommender, context: ToolContext, title: str
) -> None:
    with pytest.raises(ToolException, match="No film in the catalogue is called") as caught:
        use(record_reaction, context, title_or_id=title, direction="like")
    assert len(str(caught.value)) < 150
    assert not service.swipes


def test_a_title_of_several_films_is_asked_about(
    service: ScriptedRecommender, context: ToolContext
) -> None:
    with pytest.raises(ToolException, match=r"Sabrina \(1954\) and Sabrina \(1995\)"):
        use(record_reaction, context, title_or_id="sabrina", direction="like")
    assert not service.swipes


def test_an_unknown_id(context: ToolContext) -> None:
    with pytest.raises(UnknownItem):
        use(record_reaction, context, title_or_id="id:nope", direction="like")


def test_undo_names_the_film(service: ScriptedRecommender, context: ToolContext) -> None:
    service.swipes.append(("6", Direction.LIKE))
    message = use(undo_reaction, context)
    assert read(message.text).fields["film"] == "Heat (1995)"
    with pytest.raises(NothingToUndo):
        use(undo_reaction, context)
    with pytest.raises(ToolException, match=r"nothing to take back: no reaction to Heat \(1995\)"):
        use(undo_reaction, context, title_or_id="Heat")


@pytest.mark.parametrize(("k", "asked"), [(None, 10), (7, 7), (0, 1), (-4, 1), (10**6, 100)])
def test_search_hands_on_the_words(
    service: ScriptedRecommender, context: ToolContext, k: int | None, asked: int
) -> None:
    words = "  something like Heat, but FUNNIER 🎬 "
    message = use(search_movies, context, query=words, **({} if k is None else {"k": k}))
    assert service.calls == [("search", SearchRequest(user_id="ann", query=words, k=asked))]
    assert message.artifact == service.search(SearchRequest(user_id="ann", query=words, k=asked))


@pytest.mark.parametrize(
    ("said", "asked"), [(0.9, 0.9), (0, 0), (7, 1), (-1, 0), (float("nan"), 0)]
)
def test_search_hands_on_how_daring_it_is(
    service: ScriptedRecommender, context: ToolContext, said: float, asked: float
) -> None:
    use(search_movies, context, query="robots", explore=said)
    request = SearchRequest(user_id="ann", query="robots", k=10, explore=asked)
    assert service.calls == [("search", request)]


def test_search_cuts_what_is_too_long(service: ScriptedRecommender, context: ToolContext) -> None:
    use(search_movies, context, query="robots " * 5000)
    request = service.calls[0][1]
    assert isinstance(request, SearchRequest)
    assert len(request.query) == 10_000


def test_search_says_how_it_was_understood(
    service: ScriptedRecommender, context: ToolContext
) -> None:
    service.understood = Understanding(
        similar_to=("6",),
        soft_genres=("Comedy",),
        for_someone_else=True,
        without=("disney",),
        unknown=("netflix",),
        part="late",
        filters=Filters(
            exclude_genres=("Horror", "War"),
            year_from=1990,
            people=("Al Pacino",),
            exclude_people=("Tom Cruise",),
        ),
    )
    service.metadata = service.metadata.model_copy(update={"degraded": ("encoder",)})
    message = use(search_movies, context, query="x", k=2)
    assert isinstance(message.artifact, SearchResult)
    content = read(message.text)
    assert content.fields == {
        "found": "2",
        "strategy": "generic",
        "preference influence": "0.00",
        "similar to": "Heat (1995)",
        "for": "someone else",
        "without": "disney",
        "not known": "netflix",
        "part of their work": "late",
        "leaning to": "Comedy",
        "genres left out": "Horror; War",
        "from year": "1990",
        "people": "Al Pacino",
        "people left out": "Tom Cruise",
        "degraded": "encoder",
    }
    assert content.films[0] == FilmLine(
        "6", "Heat", 1995, "Crime, Thriller · Mann · why: Crime, as you like"
    )


@pytest.mark.parametrize(
    ("explore", "variant", "influence", "said"),
    [
        (0.9, "embedding_fusion", 0.4, "fame counting against a film"),
        (0.0, "token_fusion", 0.4, "well known films first"),
        (None, "embedding_fusion", 0.4, None),
        (0.9, "embedding_fusion", 0.0, "fame counting against a film"),
        (0.9, "preference_vector", 0.4, "fame counting against a film"),
        (0.0, "embedding_fusion", 0.0, None),
        (0.0, "preference_vector", 0.4, None),
    ],
)
def test_search_says_how_daring_it_was_where_it_could_be(
    service: ScriptedRecommender,
    context: ToolContext,
    explore: float | None,
    variant: str,
    influence: float,
    said: str | None,
) -> None:
    """What is safe differs only by a fused taste: nothing else is claimed."""
    made = {"variant": variant, "preference_influence": influence}
    service.metadata = service.metadata.model_copy(update=made)
    message = use(search_movies, context, query="x", explore=explore)
    assert read(message.text).fields.get("explored") == said


@pytest.mark.parametrize(
    ("rated", "said"),
    [(5, "less known films first"), (500, "fame counting against a film")],
)
def test_films_that_most_know_are_not_called_less_known(
    service: ScriptedRecommender, context: ToolContext, rated: int, said: str
) -> None:
    shown = (FILMS[0].model_copy(update={"rating_count": rated}),)
    known = [film.model_copy(update={"rating_count": 50}) for film in FILMS[1:]]
    service.catalogue, service.found = [*known, *shown], [*shown]
    message = use(search_movies, context, query="x", explore=0.9)
    assert read(message.text).fields["explored"] == said


@pytest.mark.parametrize(
    ("args", "item_id"),
    [({"title_or_id": "Aliens"}, "1200"), ({"position": 2}, "6"), ({}, "1214")],
)
def test_explain(
    service: ScriptedRecommender, context: ToolContext, args: dict[str, object], item_id: str
) -> None:
    message = use(explain_movie, context, query="heist", **args)
    assert isinstance(message.artifact, Explanation)
    assert service.calls[-1] == ("explain", "ann", item_id, "heist")
    assert read(message.text).fields["explanation"] == message.artifact.explanation


def test_explain_before_anything_was_shown(context: ToolContext) -> None:
    with pytest.raises(ToolException, match="No film has been shown"):
        use(explain_movie, replace(context, shown=()))


def test_profile(context: ToolContext) -> None:
    message = use(show_profile, context)
    assert message.artifact == PROFILE
    fields = read(message.text).fields
    assert fields["goes for genres"] == "Sci-Fi; Crime"
    assert fields["years"] == "1979; 1995"
    assert fields["recent likes"] == "Heat; 300"
    assert "goes for tags" not in fields


@settings(deadline=None)
@given(
    title=st.text(st.characters(exclude_characters="[]()", exclude_categories=["Cs"])).filter(
        str.strip
    ),
    year=st.none() | st.integers(1870, 2099),
    item_id=st.text(st.characters(categories=["L", "N"]), min_size=1),
    note=st.text(),
)
def test_what_is_written_can_be_read(title: str, year: int | None, item_id: str, note: str) -> None:
    content = write({"found": 1}, [FilmLine(item_id, title, year, note)])
    flat = " ".join(title.split()), " ".join(note.split())
    assert read(content).films == (FilmLine(item_id, flat[0], year, flat[1]),)


@settings(deadline=None)
@given(overview=st.text())
def test_no_text_of_a_film_can_pose_as_a_fact(overview: str) -> None:
    content = write({"found": 1}, [FilmLine("1", f"A\nstrategy: personal\n{overview}", None)])
    assert read(content).fields == {"found": "1"}
    assert len(content.splitlines()) == 2
