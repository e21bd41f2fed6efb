"""Queries as people type them, read against the starter catalogue."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.kept import Kept
from recommender.models import MAX_NAMES, Item, Understanding
from recommender.query import QueryReader, reader
from recommender.query.people import PersonIndex
from recommender.query.titles import TitleIndex

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "recommender" / "catalog" / "starter.jsonl"
FIXTURES = ROOT / "tests" / "fixtures"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


CATALOGUE = Catalogue(Item(**line) for line in _lines(STARTER))
READER = QueryReader(CATALOGUE)
CASES = _lines(FIXTURES / "queries.jsonl")


def _name(item_id: str) -> str:
    item = CATALOGUE.get(item_id)
    return f"{item.title} ({item.year})"


def _shown(understood: Understanding) -> dict[str, Any]:
    """An understanding in the words of the fixtures."""
    filters = understood.filters
    return {
        "lookup": understood.lookup and _name(understood.lookup),
        "similar_to": [_name(item_id) for item_id in understood.similar_to],
        "people": list(filters.people),
        "exclude_people": list(filters.exclude_people),
        "include": sorted(filters.include_genres),
        "exclude": sorted(filters.exclude_genres),
        "years": [filters.year_from, filters.year_to],
        "soft": sorted(understood.soft_genres),
        "without": list(understood.without),
        "unknown": list(understood.unknown),
        "part": understood.part,
        "text": understood.text,
    }


def _expected(case: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """What a case says; of what it does not mention, only text and moods are free."""
    nothing = {"lookup": None, "similar_to": [], "people": [], "years": [None, None]}
    nothing |= {"exclude_people": [], "include": [], "exclude": []}
    nothing |= {"without": [], "unknown": [], "part": None}
    nothing |= {"soft": shown["soft"], "text": shown["text"]}
    wanted = {key: value for key, value in case.items() if key != "query"}
    for key in ("include", "exclude", "soft"):
        if key in wanted:
            wanted[key] = sorted(wanted[key])
    return nothing | wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["query"])
def test_understands(case: dict[str, Any]) -> None:
    """Every field of the understanding is as a person would read the query."""
    shown = _shown(READER.read(case["query"]))
    assert shown == _expected(case, shown)


PLAIN = (
    "warmer wider weaker pretty steep handy curly speedy benign lesser amazing wonderful excellent "
    "horrible miserable fantastic superb random cloudy unbearable unfortunate twisted phenomenal "
    "actually completely strictly smiles roses lemon islands apartments airplanes pacing summers"
).split()


@pytest.mark.parametrize("word", PLAIN)
@pytest.mark.parametrize("wish", ["{}", "something {}", "films with {}", "like Arrival but {}"])
def test_a_word_of_plain_english_is_no_misspelt_name(word: str, wish: str) -> None:
    """Most of these are a letter off a surname, or stand in but one film's title."""
    understood = READER.read(wish.format(word))
    assert not understood.lookup
    assert not understood.filters.people
    assert set(map(_name, understood.similar_to)) <= {"Arrival (2016)"}


@pytest.mark.parametrize(
    ("wish", "person"),
    [
        ("films by scorsesse", "Martin Scorsese"),
        ("something with pacinno", "Al Pacino"),
        ("meryl steep films", "Meryl Streep"),
    ],
)
def test_a_misspelt_name_is_still_one(wish: str, person: str) -> None:
    assert READER.read(wish).filters.people == (person,)


@pytest.mark.parametrize("word", "crimea spoons auctions cartons romanticism chimes".split())
@pytest.mark.parametrize("wish", ["{} movie", "films about {}", "{}"])
def test_a_rare_word_is_no_misspelt_genre(word: str, wish: str) -> None:
    understood = READER.read(wish.format(word))
    assert understood.filters.include_genres == understood.soft_genres == ()
    assert understood.text == word


@pytest.mark.parametrize("topic", ["milan", "auckland", "plumbers", "jurors", "the quran"])
def test_what_a_film_is_about_is_no_misspelt_name(topic: str) -> None:
    understood = READER.read(f"a film about {topic}")
    assert (understood.lookup, understood.filters.people) == (None, ())
    assert understood.text == topic.removeprefix("the ")


@pytest.mark.parametrize(
    ("wish", "titles"),
    [
        ("no lotr", {"Fellowship of the Ring", "Two Towers", "Return of the King"}),
        ("no spock", {"The Search for Spock"}),
        ("anything but terminator 2", {"Judgment Day"}),
        ("anything but Alien", {"Alien", "Alien: Resurrection"}),
        ("anything but Cars", {"Cars"}),
        ("no back to the future", {"Back to the Future", "Part II", "Part III"}),
    ],
)
def test_a_name_is_that_of_all_films_that_begin_with_it(wish: str, titles: set[str]) -> None:
    left_out = [CATALOGUE.get(item_id).title for item_id in READER.left_out(READER.read(wish))]
    ends = {title for title in titles if any(film.endswith(title) for film in left_out)}
    assert ends == titles
    assert len(left_out) == len(titles)


def test_every_film_can_be_refused_by_its_title() -> None:
    wishes = {item.item_id: f"anything but {item.title}" for item in CATALOGUE.items}
    shown = [f for f, wish in wishes.items() if f not in READER.left_out(READER.read(wish))]
    assert shown == []


@pytest.mark.parametrize(
    ("wish", "title"),
    [
        ('anything but "Heat"', "Heat"),
        ("anything but (500) days of summer", "(500) Days of Summer"),
        ("without Hugo please", "Hugo"),
        ("exclude from hell", "From Hell"),
        ("i hate the american president", "The American President"),
    ],
)
def test_a_title_refused_in_full_leaves_out_no_other_film(wish: str, title: str) -> None:
    assert [_name(film)[:-7] for film in READER.left_out(READER.read(wish))] == [title]


@pytest.mark.parametrize(
    ("wish", "genre"),
    [("anything but kids films", "Children"), ("anything but scary movie", "Horror")],
)
def test_a_genre_that_is_also_a_title_is_refused(wish: str, genre: str) -> None:
    assert READER.read(wish).filters.exclude_genres == (genre,)


@pytest.mark.parametrize(
    "refusal",
    [
        "exclude {}",
        "fed up with {}",
        "my sister can't abide {}",
        "you may forget about the {}",
        "stop showing me {}",
        "i dont like so much {} but funny is ok",
    ],
)
def test_a_genre_is_refused_in_many_words(refusal: str) -> None:
    filters = READER.read(refusal.format("musicals")).filters
    assert (filters.include_genres, filters.exclude_genres) == ((), ("Musical",))


@pytest.mark.parametrize("wish", ["My wife vetoes {}", "I can't watch anything with {}"])
def test_a_person_is_vetoed(wish: str) -> None:
    understood = READER.read(wish.format("Johnny Depp"))
    assert understood.filters.exclude_people == ("Johnny Depp",)


@pytest.mark.parametrize("wish", ["what about the 2010s", "ok how about 2010s"])
def test_what_about_a_time_is_that_time(wish: str) -> None:
    filters = READER.read(wish).filters
    assert (filters.year_from, filters.year_to) == (2010, 2019)


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ("what is the best movie of all times", ""),
        ("not in the mood to cry", ""),
        ("shortest movie", ""),
    ],
)
def test_words_of_asking_are_not_searched_by(wish: str, text: str) -> None:
    understood = READER.read(wish)
    assert (understood.text, understood.soft_genres) == (text, ())


def test_what_was_shown_too_often_is_a_title() -> None:
    assert READER.read("not frozen again please").without == ("frozen",)


@pytest.mark.parametrize(
    ("one", "many"), [("superhero", "superheroes"), ("zombie", "zombies"), ("witch", "witches")]
)
def test_one_and_many_of_what_is_refused_are_the_same(one: str, many: str) -> None:
    left_out = [set(READER.left_out(READER.read(f"no {word}"))) for word in (one, many)]
    assert left_out[0] == left_out[1] != set()


WORDS = st.sampled_from(
    "like something similar to heat Heat Her it the The Thing (1982) 1917 90s nineties by with and "
    "or but not no without horror comedy sci-fi film movie movies noir tonight for a about old new "
    "Tom Hanks nolan older funny from before 1980 please recommend me 's , \" meets Alien vibes "
    "non romantic love story kids in set up I loved don't anything".split()
)


@given(st.text())
@example("\ud800")
@example("\x00")
@example("(" * 10_000)
@example("like " * 2_000)
@example("no or " * 90)
@example("like Heat and " * 40)
@example("1980s " * 100)
@example("before 1880 and after 2099 in the 1880s")
def test_reads_any_text(query: str) -> None:
    """No text is an error, and text that is left does not grow beyond a rewording."""
    assert len(READER.read(query).text) <= max(len(query), len("lighthearted"))


ASKING = st.sampled_from(["", "recommend me", "I want to watch", "can you find", "something"])
WISH = st.sampled_from(
    "a clever heist film|90s horror|a Hitchcock thriller|like Heat but funnier|scifi|old westerns|"
    "a story of love and loss|comedy or drama|animated|Nolan|sad".split("|")
)
LIMIT = st.sampled_from(
    "|please|for tonight|without war|before 1980|by Spielberg|with Tom Hanks|set in Paris|"
    "but not scary|with a twist|from the late 80s|(1999)|no musicals|not by Hitchcock|"
    "without Tom Hanks|not from the 90s|but lighter|not too gory".split("|")
)


@given(st.tuples(ASKING, WISH, LIMIT).map(" ".join))
def test_reading_what_is_left_changes_nothing(query: str) -> None:
    """What was understood has left the text, so that reading the text again leaves it as it is."""
    left = READER.read(query).text
    assert READER.read(left).text == left


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_a_reading_does_not_contradict_itself(query: str) -> None:
    """Nothing is both wanted and refused, and no film both looked up and compared with."""
    understood = READER.read(query)
    wanted = {*understood.filters.include_genres, *understood.soft_genres}
    assert not wanted & set(understood.filters.exclude_genres)
    assert not set(understood.filters.people) & set(understood.filters.exclude_people)
    assert not (understood.lookup and understood.similar_to)
    assert len(set(understood.similar_to)) == len(understood.similar_to)


@pytest.mark.parametrize("item", CATALOGUE.items[::25], ids=lambda item: item.title)
def test_finds_every_film_by_its_title_and_year(item: Item) -> None:
    """A title with its year finds exactly that film, alone and in a comparison."""
    named = f"{item.title} ({item.year})"
    assert READER.read(named).lookup == item.item_id
    assert READER.read(f"something like {named}").similar_to == (item.item_id,)


def test_passes_prose_on_as_text() -> None:
    """A message longer than a request is not searched for names."""
    prose = "I liked Heat and a film by Nolan. " * 100
    understood = READER.read(prose)
    assert understood == Understanding(text=" ".join(prose.split()))


@pytest.mark.parametrize("cue", ["with", "without"])
def test_names_no_more_people_than_a_filter_holds(cue: str) -> None:
    """A list of names longer than a filter is cut, not refused."""
    directors = dict.fromkeys(name for item in CATALOGUE.items for name in item.director)
    names = [name for name in directors if len(name) < 14 and " " in name][: MAX_NAMES + 5]
    filters = READER.read(", ".join(f"{cue} {name}" for name in names)).filters
    assert len(filters.people + filters.exclude_people) == MAX_NAMES


def test_reads_an_empty_catalogue() -> None:
    """Without films nothing is named, and years are still understood."""
    understood = QueryReader(Catalogue([])).read("thrillers like Heat by Nolan before 1990")
    assert understood.similar_to == ()
    assert understood.filters.people == ()
    assert understood.filters.year_to == 1989


def test_what_was_kept_is_read_by_as_what_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    QueryReader(CATALOGUE, Kept(tmp_path, "films"))
    made = ((reader, "everyday_words"), (PersonIndex, "_parsed"), (TitleIndex, "_made"))
    for owner, name in made:
        monkeypatch.setattr(owner, name, pytest.fail)  # nothing is made again
    again = QueryReader(CATALOGUE, Kept(tmp_path, "films"))
    for case in CASES:
        assert again.read(case["query"]) == READER.read(case["query"])
