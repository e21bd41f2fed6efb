"""Exports of Letterboxd, IMDb and Trakt: how they are read, matched, and refused."""

import io
import json
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest
from recommender.history.exports import Watched, read_export, site_of
from recommender.history.matching import Match, Matcher
from recommender.history.recording import plan
from recommender.models import Direction, HistorySite, Item, Swipe

LETTERBOXD = {
    "profile.csv": "Date Joined,Username\n2020-01-01,ada\n",
    "watched.csv": "Date,Name,Year,Letterboxd URI\n"
    "2024-01-01,Heat,1995,https://boxd.it/a\n"
    "2024-01-02,Alien,1979,https://boxd.it/b\n"
    "2024-01-03,Cats,2019,https://boxd.it/c\n"
    "2024-01-04,Moon,2009,https://boxd.it/d\n",
    "ratings.csv": "Date,Name,Year,Letterboxd URI,Rating\n"
    "2024-01-05,Heat,1995,https://boxd.it/a,4.5\n"
    "2024-01-06,Cats,2019,https://boxd.it/c,0.5\n"
    "2024-01-07,Moon,2009,https://boxd.it/d,3\n",
    "likes/films.csv": "Date,Name,Year,Letterboxd URI\n2024-01-08,Moon,2009,https://boxd.it/d\n",
    "deleted/ratings.csv": "Date,Name,Year,Letterboxd URI,Rating\n2024-01-09,Gone,2000,x,5\n",
    "watchlist.csv": "Date,Name,Year,Letterboxd URI\n2024-01-10,Later,2024,https://boxd.it/e\n",
}
IMDB = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),"
    "Year,Genres,Num Votes,Release Date,Directors\n"
    "tt0113277,9,2024-01-01,Heat,Heat,https://www.imdb.com/title/tt0113277,Movie,8.3,170,1995,"
    '"Action, Crime",750000,1995-12-15,Michael Mann\n'
    "tt5697572,1,2024-01-02,Cats,Cats,https://www.imdb.com/title/tt5697572,Movie,2.8,110,2019,"
    "Musical,50000,2019-12-20,Tom Hooper\n"
    "tt0903747,10,2024-01-03,Breaking Bad,Breaking Bad,https://www.imdb.com/title/tt0903747,"
    "TV Series,9.5,49,2008,Crime,2000000,2008-01-20,\n"
)
MOVIE = {"title": "Heat", "year": 1995, "ids": {"trakt": 1, "imdb": "tt0113277", "tmdb": 949}}
CATS = {"title": "Cats", "year": 2019, "ids": {"trakt": 2, "imdb": None, "tmdb": 536869}}
TRAKT = {
    "ada/watched/watched-movies.json": json.dumps(
        [
            {"plays": 2, "last_watched_at": "2024-01-01T20:00:00.000Z", "movie": MOVIE},
            {"plays": 1, "last_watched_at": "2024-01-02T20:00:00.000Z", "movie": CATS},
        ]
    ),
    "ada/ratings/ratings-movies.json": json.dumps(
        [{"rated_at": "2024-01-03T20:00:00.000Z", "rating": 9, "type": "movie", "movie": MOVIE}]
    ),
    "ada/ratings/ratings-shows.json": json.dumps([{"rating": 9, "show": {}}]),
}
FILMS = [
    Item(item_id="1", title="Heat", year=1995, imdb_id="tt0113277", tmdb_id=949),
    Item(item_id="2", title="Alien", year=1979),
    Item(item_id="3", title="Cats", year=2019, tmdb_id=536869),
    Item(item_id="4", title="Moon", year=2009),
    Item(item_id="5", title="The Thing", year=1982),
    Item(item_id="6", title="The Thing", year=2011),
    Item(item_id="7", title="Alien 3", year=1992),
    Item(item_id="8", title="Harry Potter and the Philosopher's Stone", year=2001),
    Item(item_id="9", title="Twins", year=2005),
    Item(item_id="10", title="Twins", year=2005),
]


def zipped(files: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def said(entries: list[Watched]) -> dict[str, Direction | None]:
    return {entry.title: entry.direction for entry in entries}


def test_letterboxds_archive_joins_what_was_watched_rated_and_liked() -> None:
    entries = read_export("letterboxd", "letterboxd-ada.zip", zipped(LETTERBOXD))
    assert said(entries) == {
        "Heat": Direction.LIKE,
        "Alien": None,
        "Cats": Direction.DISLIKE,
        "Moon": Direction.LIKE,
    }
    heat = next(entry for entry in entries if entry.title == "Heat")
    assert (heat.year, heat.stars) == (1995, 4.5)
    assert heat.watched_at == datetime(2024, 1, 5, tzinfo=UTC)


def test_a_heart_does_not_turn_a_bad_rating() -> None:
    files = LETTERBOXD | {
        "likes/films.csv": "Date,Name,Year,Letterboxd URI\n2024-01-08,Cats,2019,https://boxd.it/c\n"
    }
    entries = read_export("letterboxd", "own.zip", zipped(files))
    assert said(entries)["Cats"] is Direction.DISLIKE


def test_letterboxds_diary_alone() -> None:
    diary = (
        "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
        '2024-05-02,"Crouching Tiger, Hidden Dragon",2000,https://boxd.it/x,4,,,2024-05-01\n'
    )
    [entry] = read_export("letterboxd", "diary.csv", diary.encode())
    assert entry.title == "Crouching Tiger, Hidden Dragon"
    assert entry.watched_at == datetime(2024, 5, 1, tzinfo=UTC)


def test_imdbs_ratings_without_series() -> None:
    entries = read_export("imdb", "ratings.csv", IMDB.encode())
    assert said(entries) == {"Heat": Direction.LIKE, "Cats": Direction.DISLIKE}
    assert entries[0].imdb_id == "tt0113277"
    assert entries[0].stars == 4.5


@pytest.mark.parametrize(
    ("name", "content", "site"),
    [
        ("letterboxd-ada.zip", zipped(LETTERBOXD), "letterboxd"),
        ("ratings.csv", LETTERBOXD["ratings.csv"].encode(), "letterboxd"),
        ("ratings.csv", IMDB.encode("utf-8-sig"), "imdb"),
        ("trakt-ada.zip", zipped(TRAKT), "trakt"),
        ("ratings-movies.json", b"[]", "trakt"),
    ],
)
def test_whose_export_it_is_is_seen_by_what_it_holds(
    name: str, content: bytes, site: HistorySite
) -> None:
    assert site_of(name, content) == site


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"Heat was good"),
        ("ratings.csv", b""),
        ("ratings.csv", b"userId,movieId,rating,timestamp\n1,6,4,9\n"),
        ("holiday.zip", zipped({"beach.jpg": ""})),
        ("", b"?"),
    ],
)
def test_what_is_no_export_is_said_with_what_is(name: str, content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"is no export that I know\. Take the \.zip of"):
        site_of(name, content)


@pytest.mark.parametrize("flat", [True, False])
def test_trakts_archive_old_and_new(flat: bool) -> None:
    files = {name.rsplit("/", 1)[-1] if flat else name: text for name, text in TRAKT.items()}
    entries = read_export("trakt", "trakt-ada.zip", zipped(files))
    assert said(entries) == {"Heat": Direction.LIKE, "Cats": None}
    heat = next(entry for entry in entries if entry.title == "Heat")
    assert (heat.imdb_id, heat.tmdb_id) == ("tt0113277", 949)
    assert heat.watched_at == datetime(2024, 1, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("site", "name", "content", "reason"),
    [
        ("letterboxd", "x.zip", zipped(LETTERBOXD)[:-40], "x.zip is damaged or incomplete"),
        ("letterboxd", "x.zip", zipped({"notes.txt": ""}), "x.zip holds none of watched.csv"),
        ("letterboxd", "x.zip", zipped({"../ratings.csv": ""}), "whose name leads out of it"),
        ("letterboxd", "ratings.csv", b"", "ratings.csv is empty"),
        ("letterboxd", "ratings.csv", b"Name\nHeat\n", "ratings.csv has no column Year"),
        (
            "letterboxd",
            "ratings.csv",
            b"Name,Year,Rating\nHeat,1995,9\n",
            "ratings.csv, line 2: Rating 9 is not between 0.5 and 5",
        ),
        (
            "letterboxd",
            "ratings.csv",
            b"Date,Name,Year\nyesterday,Heat,1995\n",
            "ratings.csv, line 2: 'yesterday' is no date",
        ),
        (
            "letterboxd",
            "ratings.csv",
            "Name,Year\nAmélie,2001\n".encode("latin-1"),
            "ratings.csv, line 2 is not UTF-8",
        ),
        ("imdb", "ratings.csv", IMDB.encode().replace(b"tt0113277,9", b"nm1,9"), "'nm1' is no id"),
        ("imdb", "ratings.csv", IMDB.encode().replace(b"77,9,", b"77,11,"), "line 2: Your Rating"),
        ("imdb", "x.zip", zipped({"a.txt": ""}), "x.zip holds no .csv"),
        ("trakt", "x.json", b"{", "x.json is no JSON"),
        ("trakt", "x.json", b"[" * 100_000, "x.json is no JSON"),
        ("trakt", "x.json", b"{}", "x.json is no list"),
        ("trakt", "x.json", b"[7]", "x.json, entry 1: it is no JSON object"),
        ("trakt", "x.json", b'[{"movie": {"title": "Heat"}}]', "entry 1: it is no film"),
        ("trakt", "x.zip", zipped({"a.json": "[]"}), "holds no ratings-movies.json"),
    ],
)
def test_what_is_no_export_is_refused_with_its_line(
    site: HistorySite, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        read_export(site, name, content)
    assert reason in str(raised.value)


TEXTS = st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
KEYS = st.sampled_from(["movie", "ids", "title", "year", "rating", "tmdb"])
JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.sampled_from(["letterboxd", "imdb", "trakt"]), st.binary(max_size=200) | TEXTS)
def test_any_bytes_are_entries_or_refused(site: HistorySite, content: bytes) -> None:
    with suppress(InvalidRequest):
        for entry in read_export(site, "any", content):
            assert 0 < len(entry.title) <= 500


@settings(deadline=None)
@given(JSON)
def test_any_json_is_entries_or_refused(told: object) -> None:
    with suppress(InvalidRequest):
        for entry in read_export("trakt", "any.json", json.dumps([told]).encode()):
            assert entry.title


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(Catalogue(FILMS))


@pytest.mark.parametrize(
    ("film", "item_id", "by", "score"),
    [
        (Watched("Another name", 1995, imdb_id="tt0113277"), "1", "imdb_id", 1.0),
        (Watched("Another name", 1995, tmdb_id=949), "1", "tmdb_id", 1.0),
        (Watched("HEAT", 1995), "1", "title", 1.0),
        (Watched("Heat", 1996), "1", "title", 0.95),
        (Watched("Heat"), "1", "title", 0.9),
        (Watched("Thing", 1982), "5", "title", 1.0),
        (Watched("The Thing", 2011), "6", "title", 1.0),
        (Watched("Harry Potter and the Philosophers Stone", 2001), "8", "title", 0.988),
    ],
)
def test_films_are_found_by_id_else_by_title_and_year(
    matcher: Matcher, film: Watched, item_id: str, by: str, score: float
) -> None:
    found = matcher.find(film)
    assert isinstance(found, Match)
    assert (found.item.item_id, found.by) == (item_id, by)
    assert found.score == pytest.approx(score, abs=0.005)


@pytest.mark.parametrize(
    ("film", "reason"),
    [
        (Watched("Heat", 2013), "no film of this title and year"),
        (Watched("Alien 2", 1992), "no film of this title and year"),
        (Watched("Hurt", 1995), "no film of this title and year"),
        (Watched("Heat", 1995, imdb_id="tt0000001"), "no film of this title and year"),
        (Watched("Twins", 2005), "2 films of this title and year"),
        (Watched("The Thing"), "2 films of this title and year"),
    ],
)
def test_films_that_are_others_or_not_surely_meant_are_not_matched(
    matcher: Matcher, film: Watched, reason: str
) -> None:
    found = matcher.find(film)
    assert isinstance(found, str)
    assert reason in found


def swiped(item_id: str, direction: Direction) -> dict[str, Swipe]:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    swipe = Swipe(item_id=item_id, direction=direction, swiped_at=moment, event_id=1)
    return {item_id: swipe}


def test_the_latest_word_on_a_film_counts_and_is_recorded_last(matcher: Matcher) -> None:
    entries = [
        Watched("Heat", 1995, stars=1, watched_at=datetime(2024, 1, 1, tzinfo=UTC)),
        Watched("Alien", 1979, stars=5, watched_at=datetime(2024, 1, 2, tzinfo=UTC)),
        Watched("Heat", 1995, stars=5, watched_at=datetime(2024, 1, 3, tzinfo=UTC)),
    ]
    found = plan(list(reversed(entries)), matcher, {})
    assert [(m.item_id, m.direction) for m in found.matches] == [
        ("2", Direction.LIKE),
        ("1", Direction.LIKE),
    ]


def test_what_was_swiped_here_counts_more_but_a_skip_does_not(matcher: Matcher) -> None:
    entries = [Watched("Heat", 1995, stars=5), Watched("Moon", 2009, stars=3)]
    for direction, matches, known in (("dislike", 0, 1), ("skip", 1, 0)):
        found = plan(entries, matcher, swiped("1", Direction(direction)))
        assert (len(found.matches), found.known, found.neutral) == (matches, known, 1)
