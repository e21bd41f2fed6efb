"""Which films a message points at, and what it says of films."""

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

import prompts
from assistant.planner.conversation import Conversation
from assistant.planner.examples import ExampleClassifier
from assistant.planner.facts import Facts
from assistant.planner.mentions import Mentions
from assistant.planner.pointers import Pointers
from assistant.planner.titles import Titles
from recommender.models import Item
from tools.content import FilmLine, write

FILMS = [
    Item(item_id="1", title="Jaws", year=1975, genres=("Thriller",), tags=("shark",)),
    Item(item_id="2", title="Life of Pi", year=2012, overview="A boy and a tiger on a lifeboat."),
    Item(item_id="3", title="Alien", year=1979, genres=("Horror",), cast=("Sigourney Weaver",)),
    Item(item_id="4", title="My Neighbor Totoro", year=1988, genres=("Animation",)),
    Item(item_id="5", title="Big", year=1988, genres=("Comedy",)),
]


@pytest.fixture(scope="module")
def acts() -> ExampleClassifier:
    return ExampleClassifier(prompts.film_acts())


@pytest.fixture(scope="module")
def mentions(acts: ExampleClassifier) -> Mentions:
    return Mentions(Titles([film.title for film in FILMS]), acts)


def after_a_search(said: str) -> Conversation:
    lines = [FilmLine(film.item_id, film.title, film.year) for film in FILMS]
    call = {"name": "search_movies", "args": {"query": "films"}, "id": "1"}
    messages: list[BaseMessage] = [
        HumanMessage("films"),
        AIMessage("", tool_calls=[call]),
        ToolMessage(write({}, lines), tool_call_id="1", name="search_movies"),
        HumanMessage(said),
    ]
    return Conversation.of(messages)


@pytest.mark.parametrize(
    ("said", "ids", "masked"),
    [
        ("who made number two?", "2", "who made it?"),
        ("the thrid one was dull", "3", "it was dull"),
        ("second last one, why", "4", "it, why"),
        ("last but one please", "4", "it please"),
        ("the middle one", "3", "it"),
        ("the last one you showed, any good?", "5", "it, any good?"),
        ("1 and 3 were great", "13", "it were great"),
        ("I loved the first two", "12", "i loved it"),
        ("how long is the one with the tiger on the boat", "2", "how long is it"),
        ("is the scary one gory", "3", "is it gory"),
        ("the sigourny weaver one rocks", "3", "it rocks"),
        ("the 1975 one bored me", "1", "it bored me"),
        ("the most recent one, who is in it", "2", "it, who is in it"),
        ("why totoro", "4", "why it"),
        ("what is jaws about", "1", "what is it about"),
    ],
)
def test_films_shown_are_pointed_at(said: str, ids: str, masked: str) -> None:
    pointed = Pointers(Facts(FILMS)).find(said, after_a_search(said))
    assert pointed is not None
    assert "".join(film.item_id for film in pointed.films) == ids
    assert pointed.masked == masked


@pytest.mark.parametrize(
    "said",
    ["a film about the first world war", "from the last ten years", "the one with the penguins",
     "a 2 hour film", "10/10", "the 1988 one"],
)  # fmt: skip
def test_what_points_at_no_one_film_is_left_alone(said: str) -> None:
    assert Pointers(Facts(FILMS)).find(said, after_a_search(said)) is None


@pytest.mark.parametrize(
    ("said", "reactions"),
    [
        ("alien is the goat", [("like", "Alien")]),
        ("Life of Pi put me to sleep", [("dislike", "Life of Pi")]),
        ("havent got round to seeing jaws", [("skip", "Jaws")]),
        ("Jaws is a classic. Alien too.", [("like", "Jaws"), ("like", "Alien")]),
        ("10/10 for life of pi but jaws sucked", [("like", "Life of Pi"), ("dislike", "Jaws")]),
        ("Alien is not boring", [("like", "Alien")]),
        ("my wife hated Alien", []),
        ("I hate big explosions", []),
        ("a film like Alien", []),
        ("Alien", []),
    ],
)
def test_reactions_to_films_named(
    mentions: Mentions, said: str, reactions: list[tuple[str, str]]
) -> None:
    given = mentions.reactions(said).given
    assert [(reaction.direction, reaction.film) for reaction in given] == reactions


@pytest.mark.parametrize(
    ("said", "act"),
    [("who stars in it", "describe"), ("y did u pick it", "explain"), ("it was rubish", "dislike"),
     ("really enjoyd it", "like"), ("never seen it", "skip"), ("films like it", "search")],
)  # fmt: skip
def test_what_is_said_of_a_film_survives_typos(
    acts: ExampleClassifier, said: str, act: str
) -> None:
    assert acts.guess(said).label == act
