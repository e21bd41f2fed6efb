"""The shipped catalogue is well formed: what the importer, the filters and the cards rely on."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

CATALOG = Path(__file__).parents[2] / "recommender" / "catalog"

Film = dict[str, Any]

FIELDS = {
    "item_id": str,
    "title": str,
    "year": int,
    "genres": list,
    "director": list,
    "cast": list,
    "tags": list,
    "overview": str,
    "imdb_id": str | None,
    "tmdb_id": int | None,
    "rating_count": int,
    "rating_mean": float | None,
}
GENRES = {
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
}
SLUG = re.compile(r"x-[a-z0-9-]+-(\d{4})")
IMDB_ID = re.compile(r"tt\d{7,8}")
ARTICLE_LAST = re.compile(r", (The|A|An|Le|La|Les|Il|El|Das|Der|Die)$")
MOJIBAKE = re.compile(r"[ÃÂ][\x80-\xbf]|â€|\ufffd|&#?\w+;|\s{2}")
# Surnames that are also everyday words: Long Island is not a mention of Shelley Long.
AMBIGUOUS_SURNAMES = {"Long"}


@pytest.fixture(scope="module")
def films() -> list[Film]:
    """Every film of the starter catalogue, in file order."""
    with (CATALOG / "starter.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def label(film: Film) -> str:
    """How a failing film is named in the assertion message."""
    return f"{film['item_id']} {film['title']} ({film['year']})"


def repeated(values: list[Any]) -> list[Any]:
    """The values that occur more than once."""
    return [value for value, count in Counter(values).items() if count > 1]


def spellings(names: list[str]) -> list[set[str]]:
    """Groups of names that differ only in accents, case, spaces or punctuation."""
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        groups[re.sub(r"\W", "", plain).casefold()].add(name)
    return [group for group in groups.values() if len(group) > 1]


def named_people(film: Film) -> list[str]:
    """Directors and cast whose full name or surname the overview mentions."""
    words = set(re.findall(r"\w+", film["overview"])) - AMBIGUOUS_SURNAMES
    people = film["director"] + film["cast"]
    return [
        name
        for name in people
        if name.casefold() in film["overview"].casefold() or name.split()[-1] in words
    ]


def test_size(films: list[Film]) -> None:
    assert len(films) >= 1_550


def test_fields_and_their_types(films: list[Film]) -> None:
    assert [label(f) for f in films if f.keys() != FIELDS.keys()] == []
    wrong = [(label(f), k) for f in films for k, t in FIELDS.items() if not isinstance(f[k], t)]
    assert wrong == []


@pytest.mark.parametrize("field", ["genres", "director", "cast", "tags"])
def test_lists_hold_distinct_trimmed_text(films: list[Film], field: str) -> None:
    bad = [
        label(f)
        for f in films
        if not f[field]
        or repeated(f[field])
        or any(not isinstance(v, str) or v != v.strip() or not v for v in f[field])
    ]
    assert bad == []


def test_each_film_occurs_once(films: list[Film]) -> None:
    assert repeated([f["item_id"] for f in films]) == []
    assert repeated([(f["title"].casefold(), f["year"]) for f in films]) == []
    for link in ("imdb_id", "tmdb_id"):
        assert repeated([f[link] for f in films if f[link] is not None]) == []
    assert repeated([f["overview"] for f in films]) == []


def test_item_ids(films: list[Film]) -> None:
    slugs = [(f, SLUG.fullmatch(f["item_id"])) for f in films if not f["item_id"].isdecimal()]
    assert [label(f) for f, slug in slugs if not slug or int(slug[1]) != f["year"]] == []


def test_links(films: list[Film]) -> None:
    assert [label(f) for f in films if f["imdb_id"] and not IMDB_ID.fullmatch(f["imdb_id"])] == []
    assert [label(f) for f in films if f["tmdb_id"] is not None and f["tmdb_id"] <= 0] == []
    unlinked = [f for f in films if not (f["imdb_id"] and f["tmdb_id"])]
    assert [label(f) for f in unlinked if f["item_id"].isdecimal()] == []


def test_genres_are_movielens_genres(films: list[Film]) -> None:
    assert {genre for f in films for genre in f["genres"]} == GENRES


def test_years(films: list[Film]) -> None:
    assert [label(f) for f in films if not 1890 <= f["year"] <= 2026] == []


def test_titles_have_natural_word_order(films: list[Film]) -> None:
    assert [label(f) for f in films if ARTICLE_LAST.search(f["title"])] == []


def test_tags(films: list[Film]) -> None:
    assert [label(f) for f in films if not 5 <= len(f["tags"]) <= 12] == []
    assert [label(f) for f in films if any(tag != tag.lower() for tag in f["tags"])] == []


def test_one_spelling_per_person_and_per_tag(films: list[Film]) -> None:
    assert spellings([name for f in films for name in f["director"] + f["cast"]]) == []
    assert spellings([tag for f in films for tag in f["tags"]]) == []


def test_overviews(films: list[Film]) -> None:
    assert [label(f) for f in films if not 20 <= len(f["overview"].split()) <= 70] == []
    assert [label(f) for f in films if not f["overview"].endswith((".", "!", "?"))] == []
    assert [(label(f), named_people(f)) for f in films if named_people(f)] == []


def test_text_is_clean_unicode(films: list[Film]) -> None:
    texts = [(f, json.dumps(f, ensure_ascii=False)) for f in films]
    assert [label(f) for f, text in texts if MOJIBAKE.search(text)] == []
    assert [label(f) for f, text in texts if not unicodedata.is_normalized("NFC", text)] == []


def test_ratings(films: list[Film]) -> None:
    rated = [f for f in films if f["rating_count"] > 0]
    unrated = [f for f in films if f["rating_count"] <= 0]
    assert [label(f) for f in rated if not 0.5 <= f["rating_mean"] <= 5] == []
    assert [label(f) for f in unrated if f["rating_count"] or f["rating_mean"] is not None] == []


def test_most_rated_first(films: list[Film]) -> None:
    counts = [f["rating_count"] for f in films]
    assert counts == sorted(counts, reverse=True)


def test_readme_counts_match(films: list[Film]) -> None:
    """The tables in the README are figures, so they are held to the file."""
    rows = re.findall(
        r"^\| ([\w-]+) \| ([\d,]+) \|$",
        (CATALOG / "README.md").read_text(),
        re.MULTILINE,
    )
    told = {name: int(count.replace(",", "")) for name, count in rows}
    decades = Counter(f"{f['year'] // 10}0s" for f in films)
    genres = Counter(genre for f in films for genre in f["genres"])
    assert told == {"films": len(films), **decades, **genres}
