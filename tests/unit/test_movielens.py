"""MovieLens as a catalogue: titles, texts, counts; and what is wrong with a file."""

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import InvalidRequest
from recommender.importing import tables
from recommender.importing.movielens import named, read_movielens
from recommender.importing.report import Report
from recommender.importing.source import Source
from recommender.models import Item
from tests.movielens_shape import write_movielens

MOVIES = """movieId,title,genres
1,Toy Story (1995),Adventure|Animation|Children
2,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Adventure|IMAX
3,Untitled,(no genres listed)
"""
RATINGS = """userId,movieId,rating,timestamp
1,1,4.0,964982703
1,2,0.5,964981247
2,1,5.0,964982224
2,9,3.0,964982224
"""
LINKS = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0112682,\n"
TAGS = """userId,movieId,tag,timestamp
1,1,Pixar,1139045764
2,1,pixar,1139045764
2,2,pixar,1139045764
1,2,"seen, at home",1139045764
2,1,animation,1139045764
1,1,animation,1139045764
"""


def write(folder: Path, **files: str) -> Path:
    whole = {"movies": MOVIES, "ratings": RATINGS, "links": LINKS, "tags": TAGS} | files
    for name, content in whole.items():
        (folder / f"{name.replace('_', '-')}.csv").write_text(content, encoding="utf-8")
    return folder


def read(folder: Path, known: dict[str, Item] | None = None, **options: int) -> list[Item]:
    report = Report()
    with Source(folder) as source:
        items = read_movielens(source, report, known or {}, **options)
    report.require_faultless()
    return items


def test_films_carry_what_the_files_say(tmp_path: Path) -> None:
    toys, children, untitled = read(write(tmp_path))
    assert toys == Item(
        item_id="1",
        title="Toy Story",
        year=1995,
        genres=("Adventure", "Animation", "Children"),
        tags=("pixar",),
        imdb_id="tt0114709",
        tmdb_id=862,
        rating_count=2,
        rating_mean=4.5,
    )
    assert (children.title, children.year) == ("The City of Lost Children", 1995)
    assert children.overview == "Also known as La Cité des enfants perdus."
    assert (children.genres, children.tags) == (("Adventure",), ("pixar",))
    assert (children.imdb_id, children.tmdb_id) == ("tt0112682", None)
    assert (untitled.title, untitled.year, untitled.genres) == ("Untitled", None, ())
    assert (untitled.rating_count, untitled.rating_mean) == (0, None)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    report = Report()
    with Source(write(tmp_path)) as source:
        items = read_movielens(source, report, {}, min_ratings=2)
    assert [item.item_id for item in items] == ["1"]
    assert report.left_out == {"fewer than 2 ratings": 2, "rated, but not in movies.csv": 1}
    assert not report.faults


def test_texts_of_films_that_are_known_are_kept(tmp_path: Path) -> None:
    own = Item(
        item_id="1",
        title="Toy Story!",
        year=1996,
        director=("John Lasseter",),
        tags=("toys",),
        overview="Toys live.",
        imdb_id="tt0114709",
        rating_count=9,
    )
    other = own.model_copy(update={"item_id": "2"})
    toys, children, _ = read(write(tmp_path), {"1": own, "2": other})
    assert (toys.title, toys.year, toys.director) == ("Toy Story!", 1996, ("John Lasseter",))
    assert (toys.overview, toys.tags, toys.rating_count) == ("Toys live.", ("toys", "pixar"), 2)
    assert children.director == ()


def test_the_genome_says_what_is_special_of_a_film(tmp_path: Path) -> None:
    scores = "movieId,tagId,relevance\n" + "\n".join(
        f"{film},{tag},{relevance}"
        for film, relevances in {1: (0.9, 0.95, 0.1), 2: (0.1, 0.95, 0.69)}.items()
        for tag, relevance in enumerate(relevances, 1)
    )
    names = "tagId,tag\n1,Toys\n2,good\n3,surreal\n"
    folder = write(tmp_path, genome_scores=scores, genome_tags=names)
    toys, children, _ = read(folder)
    assert toys.tags == ("pixar", "toys", "good")
    assert children.tags == ("pixar", "good")


@pytest.mark.parametrize(
    ("written", "title", "other", "year"),
    [
        ("Heat (1995)", "Heat", None, 1995),
        ("Matrix, The (1999)", "The Matrix", None, 1999),
        ("Seven (a.k.a. Se7en) (1995)", "Seven", "Se7en", 1995),
        ("Avventura, L' (Adventure, The) (1960)", "L'Avventura", "The Adventure", 1960),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", None, 2009),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", None, 1975),
        ("Cosmos", "Cosmos", None, None),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", None, 1968),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", None, 1966),
    ],
)
def test_titles_are_turned(written: str, title: str, other: str | None, year: int | None) -> None:
    assert named(written) == (title, other, year)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_title_reads_as_one(text: str) -> None:
    title, _, year = named(text)
    assert title or not text.strip()
    assert year is None or 0 <= year <= 9999


RATING = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 10).map(lambda n: n / 2))


@settings(deadline=None)
@given(st.lists(RATING, max_size=60), st.integers(30, 200))
def test_counts_and_means_do_not_depend_on_the_blocks(
    tmp_path_factory: pytest.TempPathFactory, ratings: list[tuple[int, int, float]], block: int
) -> None:
    lines = [f"{user},{film},{stars},1" for user, film, stars in ratings]
    content = "\n".join(["userId,movieId,rating,timestamp", *lines, ""])
    folder = write(tmp_path_factory.mktemp("ml"), ratings=content)
    told: dict[str, list[float]] = defaultdict(list)
    for _, film, stars in ratings:
        told[str(film)].append(stars)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK", block)
        for item in read(folder):
            own = told[item.item_id]
            assert item.rating_count == len(own)
            assert item.rating_mean == (round(sum(own) / len(own), 2) if own else None)


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("ratings", RATINGS + "1,x,4.0,1\n", "ratings.csv, line 6: movieId 'x' is not a Int64"),
        ("ratings", RATINGS + "1,1\n", "ratings.csv, line 6 has 2 fields, the header has 4"),
        ("ratings", RATINGS + "1,1,,1\n", "ratings.csv, line 6: rating '' is not a Float64"),
        ("ratings", RATINGS + "1,1,9.5,1\n", "line 6: rating 9.5 is not between 0.5 and 5"),
        ("ratings", RATINGS + "1,-4,3.5,1\n", "line 6: movieId -4 is not between 1 and"),
        ("ratings", RATINGS + "1,1,nan,1\n", "line 6: rating nan is not between"),
        ("ratings", "user,movie\n1,1\n", "ratings.csv begins with 'user,movie', not with userId"),
        ("ratings", "", "ratings.csv begins with ''"),
        ("movies", MOVIES + "1,Again (1999),Drama\n", "line 5: the id '1' is that of line 2"),
        ("movies", MOVIES + "-7,Minus (1999),Drama\n", "movieId '-7' is no positive number"),
        ("movies", MOVIES + "7,,Drama\n", "movies.csv, line 5: title: String should have"),
        ("movies", MOVIES + "7,Year Nought (0000),Drama\n", "line 5: the year 0 is not between"),
        ("movies", MOVIES + f"7,{'x' * 600} (1999),Drama\n", "title has 600; the limit is 500"),
        ("movies", "movieId,name\n1,Heat\n", "movies.csv has no column title, genres"),
        ("links", LINKS + "3,x,1\n", "links.csv, line 4: imdbId 'x' is no number"),
        ("tags", TAGS + '1,1,"open,1\n', "tags.csv"),
    ],
)
def test_what_is_wrong_is_named_by_line(
    tmp_path: Path, file: str, content: str, reason: str
) -> None:
    folder = write(tmp_path, **{file: content})
    with pytest.raises(InvalidRequest) as raised:
        read(folder)
    assert reason in str(raised.value)


def test_a_wrong_encoding_is_named_by_line(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "tags.csv").write_bytes(TAGS.encode() + "1,1,café,1\n".encode("latin-1"))
    with pytest.raises(InvalidRequest, match=r"tags\.csv, line 8 is not UTF-8"):
        read(tmp_path)


def test_faults_are_left_out_if_asked_for_and_none_is_counted_twice(tmp_path: Path) -> None:
    report = Report()
    with Source(write(tmp_path, movies=MOVIES + "1,Again (1999),Drama\n")) as source:
        items = read_movielens(source, report, {})
    assert [item.title for item in items] == ["Toy Story", "The City of Lost Children", "Untitled"]
    assert report.faulty == 1
    assert list(report.lines(3)) == [
        "3 films can be taken.",
        "1 left out: rated, but not in movies.csv",
        "faulty: movies.csv, line 5: the id '1' is that of line 2 already",
    ]


def test_files_of_the_large_ones_shape_are_read(tmp_path: Path) -> None:
    folder = write_movielens(tmp_path / "ml", films=300, ratings=20_000, scores=50 * 1128)
    items = read(folder)
    assert len(items) == 300
    assert sum(item.rating_count for item in items) == 20_000
    assert items[0].title == "The Film Number 1"
    assert items[0].rating_count > items[-1].rating_count
    assert any("genome" in tag for item in items[:50] for tag in item.tags)
