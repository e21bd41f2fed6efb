"""TMDB as a catalogue: its API's details, Kaggle's tables of them, and the API itself."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from recommender.errors import InvalidRequest
from recommender.importing.report import Report
from recommender.importing.source import Source
from recommender.importing.tmdb import popular_ids, read_tmdb
from recommender.importing.tmdb_api import ATTEMPTS, KEPT_SECONDS, PER_SECOND, TmdbApi, fetch
from recommender.models import Item

KEY = "0123456789abcdef0123456789abcdef"
HEAT: dict[str, Any] = {
    "id": 949,
    "imdb_id": "tt0113277",
    "title": "Heat",
    "original_title": "Heat",
    "overview": "Obsessive master thief and detective meet.",
    "release_date": "1995-12-15",
    "status": "Released",
    "adult": False,
    "genres": [{"id": 80, "name": "Crime"}, {"id": 878, "name": "Science Fiction"}],
    "keywords": {"keywords": [{"id": 1, "name": "heist"}, {"id": 2, "name": "los angeles"}]},
    "credits": {
        "cast": [{"name": name} for name in ("Al Pacino", "Robert De Niro", "C", "D", "E", "F")],
        "crew": [
            {"name": "Michael Mann", "job": "Director"},
            {"name": "Dante Spinotti", "job": "Director of Photography"},
        ],
    },
    "vote_average": 7.9,
    "vote_count": 7000,
    "poster_path": "/heat.jpg",
}
FILM = Item(
    item_id="tmdb-949",
    title="Heat",
    year=1995,
    genres=("Crime", "Sci-Fi"),
    director=("Michael Mann",),
    cast=("Al Pacino", "Robert De Niro", "C", "D", "E"),
    tags=("heist", "los angeles"),
    overview="Obsessive master thief and detective meet.",
    imdb_id="tt0113277",
    tmdb_id=949,
    rating_count=7000,
    rating_mean=3.95,
    poster="https://image.tmdb.org/t/p/w342/heat.jpg",
)


def read(
    path: Path, known: dict[str, Item] | None = None, report: Report | None = None
) -> list[Item]:
    report = report or Report()
    with Source(path) as source:
        items = read_tmdb(source, report, known or {})
    report.require_faultless()
    return items


def lines(path: Path, *films: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, films)), encoding="utf-8")
    return path


def test_details_as_the_api_gives_them(tmp_path: Path) -> None:
    assert read(lines(tmp_path / "films.jsonl", HEAT)) == [FILM]


def test_a_film_that_is_known_keeps_its_id(tmp_path: Path) -> None:
    own = Item(item_id="6", title="Heat", year=1995, imdb_id="tt0113277")
    [film] = read(lines(tmp_path / "films.jsonl", HEAT), {"tt0113277": own})
    assert film == FILM.model_copy(update={"item_id": "6"})


def test_kaggles_table_with_commas(tmp_path: Path) -> None:
    path = tmp_path / "TMDB_movie_dataset_v11.csv"
    path.write_text(
        "id,title,vote_average,vote_count,status,release_date,adult,imdb_id,overview,genres,"
        "keywords\n"
        '949,Heat,7.9,7000,Released,1995-12-15,False,tt0113277,"Thief, detective.","Crime, Drama",'
        '"heist, los angeles"\n',
        encoding="utf-8",
    )
    [film] = read(path)
    assert (film.genres, film.tags) == (("Crime", "Drama"), ("heist", "los angeles"))
    assert (film.overview, film.rating_mean) == ("Thief, detective.", 3.95)


def test_kaggles_tables_with_json_and_credits_beside(tmp_path: Path) -> None:
    def quoted(value: object) -> str:
        return '"' + json.dumps(value).replace('"', '""') + '"'

    (tmp_path / "tmdb_5000_movies.csv").write_text(
        "id,title,genres,keywords,release_date,status,vote_average,vote_count,overview\n"
        f"949,Heat,{quoted(HEAT['genres'])},{quoted(HEAT['keywords']['keywords'])},1995-12-15,"
        "Released,7.9,7000,Thief.\n",
        encoding="utf-8",
    )
    people = HEAT["credits"]
    (tmp_path / "tmdb_5000_credits.csv").write_text(
        f"movie_id,title,cast,crew\n949,Heat,{quoted(people['cast'])},{quoted(people['crew'])}\n",
        encoding="utf-8",
    )
    [film] = read(tmp_path)
    assert (film.director, film.cast) == (FILM.director, FILM.cast)
    assert (film.genres, film.tags) == (FILM.genres, FILM.tags)


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    report = Report()
    path = lines(
        tmp_path / "films.jsonl",
        HEAT,
        HEAT | {"id": 2, "adult": True},
        HEAT | {"id": 3, "status": "Rumored"},
        HEAT | {"id": 4, "vote_count": 9},
        HEAT | {"id": 5, "title": " "},
    )
    assert read(path, report=report) == [FILM]
    assert report.left_out == {
        "adult": 1,
        "not released": 1,
        "fewer than 10 votes": 1,
        "without a title": 1,
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"release_date": "-95-1-1"}, "the year -95 is not between"),
        ({"id": "x"}, "id 'x' is no number"),
        ({"id": 949}, "the id 'tmdb-949' is that of line 1 already"),
        ({"genres": [1]}, "'[1]' is no list of JSON objects"),
        ({"genres": "[broken"}, "'[broken' is no JSON"),
        ({"credits": "x"}, "credits is no JSON object"),
        ({"vote_count": "many"}, "vote_count 'many' is no number"),
        ({"vote_average": 70}, "rating_mean: Input should be less than"),
        ({"poster_path": "javascript:x"}, "poster_path 'javascript:x' does not begin with a slash"),
        ({"poster_path": '/"><script>'}, "poster: is no address that begins with https"),
        ({"overview": "x" * 50_000}, "overview has 50,000"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = lines(tmp_path / "films.jsonl", HEAT, HEAT | {"id": 7} | change)
    with pytest.raises(InvalidRequest) as raised:
        read(path)
    assert str(raised.value).startswith("films.jsonl, line 2: ")
    assert reason in str(raised.value)


def test_ids_alone_are_no_films_but_can_be_asked_for(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "movie_ids_11_26_2026.json",
        {"adult": False, "id": 1, "original_title": "A", "popularity": 1.5, "video": False},
        {"adult": False, "id": 2, "original_title": "B", "popularity": 9.5, "video": False},
        {"adult": True, "id": 3, "original_title": "C", "popularity": 99, "video": False},
    )
    with pytest.raises(InvalidRequest, match="holds ids only"):
        read(path)
    with Source(path) as source:
        assert popular_ids(source, Report(), 5) == [2, 1]


# The API, from a server of this process.

Answer = tuple[int, dict[str, str], bytes]


class Tmdb:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        self.answer: Callable[[str], Answer] = lambda _: (200, {}, b"{}")


@contextmanager
def served(tmdb: Tmdb) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            tmdb.asked.append((url.path, parse_qs(url.query), self.headers["Authorization"]))
            status, headers, body = tmdb.answer(url.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/3"
    server.shutdown()
    thread.join()
    server.server_close()


class Clock:
    """A time that passes only where it is slept."""

    def __init__(self) -> None:
        self.now = time.time()
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def tmdb() -> Tmdb:
    return Tmdb()


@pytest.fixture
def url(tmdb: Tmdb) -> Iterator[str]:
    with served(tmdb) as address:
        yield address


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(url: str, clock: Clock, tmp_path: Path) -> Iterator[TmdbApi]:
    with TmdbApi(SecretStr(KEY), tmp_path / "cache", url, clock.sleep, clock) as client:
        yield client


def film(path: str) -> Answer:
    return 200, {}, json.dumps(HEAT | {"id": int(path.rsplit("/", 1)[-1])}).encode()


def test_details_are_asked_for_with_people_and_keywords_and_read(
    tmdb: Tmdb, api: TmdbApi, tmp_path: Path
) -> None:
    tmdb.answer = film
    assert fetch(api, [949], tmp_path / "films.jsonl", lambda: None) == 0
    assert tmdb.asked == [
        (
            "/3/movie/949",
            {"append_to_response": ["keywords,credits"], "api_key": [KEY]},
            None,
        )
    ]
    assert read(tmp_path / "films.jsonl") == [FILM]


def test_a_read_access_token_is_sent_as_a_header(tmdb: Tmdb, url: str, tmp_path: Path) -> None:
    tmdb.answer = film
    with TmdbApi(SecretStr("a.long.token"), tmp_path / "cache", url) as api:
        list(api.details([949]))
    [(_, params, header)] = tmdb.asked
    assert "api_key" not in params
    assert header == "Bearer a.long.token"


def test_the_most_voted_are_listed_page_by_page(tmdb: Tmdb, api: TmdbApi) -> None:
    pages = {1: [10, 11], 2: [12, 13], 3: []}

    def listed(_: str) -> Answer:
        page = int(tmdb.asked[-1][1]["page"][0])
        return 200, {}, json.dumps({"results": [{"id": n} for n in pages[page]]}).encode()

    tmdb.answer = listed
    assert list(api.most_voted(3)) == [10, 11, 12]
    assert list(api.most_voted(9)) == [10, 11, 12, 13]
    assert [params["page"] for _, params, _ in tmdb.asked] == [["1"], ["2"], ["3"]]


def test_it_asks_no_faster_than_tmdb_likes(tmdb: Tmdb, api: TmdbApi, clock: Clock) -> None:
    tmdb.answer = film
    began = clock.now
    list(api.details(range(1, 62)))
    assert clock.now - began == pytest.approx(60 / PER_SECOND)


def test_what_was_answered_is_not_asked_again_for_a_month(
    tmdb: Tmdb, url: str, clock: Clock, tmp_path: Path
) -> None:
    tmdb.answer = film
    for asked in ([1, 2], [1, 2, 3]):
        with TmdbApi(SecretStr(KEY), tmp_path, url, clock.sleep, clock) as api:
            list(api.details(asked))
    assert [path for path, _, _ in tmdb.asked] == ["/3/movie/1", "/3/movie/2", "/3/movie/3"]
    assert KEY not in "".join(path.read_text() + path.name for path in tmp_path.iterdir())
    clock.now = max(p.stat().st_mtime for p in tmp_path.iterdir()) + KEPT_SECONDS + 1
    with TmdbApi(SecretStr(KEY), tmp_path, url, clock.sleep, clock) as api:
        list(api.details([1]))
    assert len(tmdb.asked) == 4


def test_a_damaged_memory_is_asked_for_again(tmdb: Tmdb, api: TmdbApi, tmp_path: Path) -> None:
    tmdb.answer = film
    list(api.details([1]))
    [kept] = (tmp_path / "cache").iterdir()
    kept.write_text("{", encoding="utf-8")
    [again] = api.details([1])
    assert again is not None
    assert len(tmdb.asked) == 2


def test_it_waits_as_long_as_it_is_told_and_asks_again(
    tmdb: Tmdb, api: TmdbApi, clock: Clock
) -> None:
    tmdb.answer = lambda path: (
        film(path) if len(tmdb.asked) > 1 else (429, {"Retry-After": "7"}, b"")
    )
    [found] = api.details([949])
    assert found is not None
    assert clock.slept[0] == 7.0


@pytest.mark.parametrize("answer", [(503, {}, b""), (200, {}, b"<html>")])
def test_it_gives_up_after_a_while_and_says_what_is_kept(
    tmdb: Tmdb, api: TmdbApi, answer: Answer
) -> None:
    tmdb.answer = lambda path: film(path) if path.endswith("/1") else answer
    with pytest.raises(InvalidRequest, match="Run the command again later") as raised:
        list(api.details([1, 2]))
    assert KEY not in str(raised.value)
    assert len(tmdb.asked) == 1 + ATTEMPTS
    tmdb.answer = film
    assert len(list(api.details([1, 2]))) == 2
    assert len(tmdb.asked) == 2 + ATTEMPTS


def test_a_server_that_is_not_there_is_named(tmp_path: Path, clock: Clock) -> None:
    nobody = "http://127.0.0.1:9"
    with (
        TmdbApi(SecretStr(KEY), tmp_path, nobody, clock.sleep, clock) as api,
        pytest.raises(InvalidRequest, match="ConnectError") as raised,
    ):
        list(api.details([1]))
    assert KEY not in str(raised.value)


def test_a_key_that_is_refused_is_said_at_once(tmdb: Tmdb, api: TmdbApi) -> None:
    tmdb.answer = lambda _: (401, {}, b'{"status_code": 7}')
    with pytest.raises(InvalidRequest, match="Set TMDB_API_KEY") as raised:
        list(api.details([1]))
    assert KEY not in str(raised.value)
    assert len(tmdb.asked) == 1


def test_films_that_are_gone_are_counted(tmdb: Tmdb, api: TmdbApi, tmp_path: Path) -> None:
    tmdb.answer = lambda path: film(path) if path.endswith("/1") else (404, {}, b"{}")
    target = tmp_path / "films.jsonl"
    assert fetch(api, [1, 2], target, lambda: None) == 1
    assert fetch(api, [1, 2], target, lambda: None) == 1
    assert len(target.read_text().splitlines()) == 1
    assert len(tmdb.asked) == 2
