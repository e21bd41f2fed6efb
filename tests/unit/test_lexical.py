"""BM25 scores against rank-bm25's BM25Okapi on the real catalogue."""

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from recommender.lexical import LexicalIndex, TextQuery, TextSearch
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.text import FIELDS, index_terms, index_text, terms, with_phrases

K1 = 1.5
QUERIES = [
    "heist gone wrong",
    "space robots lonely",
    "Agnès Varda",
    "a comedy about a wedding in Paris",
    "hitchcock thriller 1950s",
    "drama drama drama",
    "submarine",
    "love",
]


@pytest.fixture(scope="module")
def index(starter_items: list[Item]) -> LexicalIndex:
    return LexicalIndex(starter_items)


@pytest.fixture(scope="module")
def okapi(starter_items: list[Item]) -> BM25Okapi:
    return BM25Okapi([index_terms(item) for item in starter_items], k1=K1, b=0.75)


@pytest.fixture(scope="module")
def film_counts(okapi: BM25Okapi) -> dict[str, int]:
    """In how many films each word occurs."""
    counts: dict[str, int] = {}
    for frequencies in okapi.doc_freqs:
        for word in frequencies:
            counts[word] = counts.get(word, 0) + 1
    return counts


@pytest.mark.parametrize("query", QUERIES)
def test_equals_okapi_but_for_the_idf(
    index: LexicalIndex,
    okapi: BM25Okapi,
    film_counts: dict[str, int],
    query: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With Lucene's idf put into the reference, scores differ by Okapi's constant k1 + 1 only."""
    films = okapi.corpus_size
    lucene = {word: np.log(1 + (films - n + 0.5) / (n + 0.5)) for word, n in film_counts.items()}
    monkeypatch.setattr(okapi, "idf", lucene)
    words = with_phrases(terms(query))
    wanted = okapi.get_scores(words) / (K1 + 1)
    assert wanted.max() > 0
    np.testing.assert_allclose(index.scores(terms(query)), wanted, rtol=1e-4, atol=1e-5)


def test_rare_words_score_as_in_unchanged_okapi(
    index: LexicalIndex, okapi: BM25Okapi, film_counts: dict[str, int]
) -> None:
    """The two idfs meet where words are rare (here: in under 2 % of films): scores within 1 %."""
    rare = sorted(word for word, n in film_counts.items() if 1 < n < okapi.corpus_size / 50)
    rng = np.random.default_rng(5)
    for _ in range(60):
        words = [str(word) for word in rng.choice(rare, size=3)]
        wanted = okapi.get_scores(words) / (K1 + 1)
        assert wanted.max() > 0
        np.testing.assert_allclose(index.scores(words), wanted, rtol=0.01)


def test_one_word_ranks_as_in_unchanged_okapi(index: LexicalIndex, okapi: BM25Okapi) -> None:
    for word in terms("submarine wedding paris robot drama"):
        ours, theirs = index.scores([word]), okapi.get_scores([word])
        assert set(np.flatnonzero(ours)) == set(np.flatnonzero(theirs))
        by_theirs = np.argsort(-theirs, kind="stable")
        assert (np.diff(ours[by_theirs]) <= 1e-5).all()


@pytest.mark.parametrize("words", [[], ["qzxv"], [""]])
def test_no_known_word_scores_nothing(index: LexicalIndex, words: list[str]) -> None:
    scores = index.scores(words)
    assert scores.shape == index.holding(words).shape
    assert not scores.any()
    assert not index.holding(words).any()


def test_unknown_words_do_not_disturb(index: LexicalIndex) -> None:
    np.testing.assert_array_equal(index.scores(["qzxv", "robot"]), index.scores(["robot"]))


def test_a_word_finds_the_films_that_hold_it(
    index: LexicalIndex, starter_items: list[Item]
) -> None:
    scores = index.scores(terms("Godzilla"))
    found = {starter_items[row].item_id for row in np.flatnonzero(scores)}
    held = index.holding(["qzxv", "godzilla"])
    assert found == {starter_items[row].item_id for row in np.flatnonzero(held)}
    told = {i.item_id for i in starter_items if "godzilla" in terms(index_text(i))}
    assert found == told
    best = starter_items[int(np.argmax(scores))]
    assert "Godzilla" in best.title or "godzilla" in best.tags


def test_films_hold_the_words_that_they_score_for(index: LexicalIndex) -> None:
    for said in ("war", "robot war", "paris qzxv", "the", "qzxv", "haunted house wedding"):
        words = terms(said)
        np.testing.assert_array_equal(index.holding(words), index.scores(words) > 0)


@pytest.fixture(scope="module")
def text_search(starter_items: list[Item], index: LexicalIndex) -> TextSearch:
    return TextSearch(starter_items, index, RecommenderSettings())


@pytest.mark.parametrize("query", QUERIES)
def test_words_alone_score_as_in_the_index(
    index: LexicalIndex, text_search: TextSearch, query: str
) -> None:
    weights = {"title": 9.0, "overview": 9.0, "genres": 9.0, "people": 9.0}
    scores = text_search.scores(TextQuery(terms(query), field_weights=weights))
    np.testing.assert_array_equal(scores, index.scores(terms(query)))


def test_hints_sort_the_films_that_hold_a_word_and_let_no_other_in(
    index: LexicalIndex, text_search: TextSearch
) -> None:
    words, hints = terms("submarine"), terms("Comedy")
    plain, hinted = index.scores(words), text_search.scores(TextQuery(words, hints))
    added = hinted - plain
    assert set(np.flatnonzero(hinted)) == set(np.flatnonzero(plain))
    assert 0 < added.max() <= 0.6 * plain.max() + 1e-5
    assert set(np.flatnonzero(added > 1e-6)) <= set(np.flatnonzero(index.scores(hints)))


def test_hints_are_nothing_without_words_nor_words_without_hints(
    index: LexicalIndex, text_search: TextSearch
) -> None:
    for words in ([], ["qzxv"]):
        assert not text_search.scores(TextQuery(words, terms("Western"))).any()
    np.testing.assert_array_equal(
        text_search.scores(TextQuery(terms("robot"), ["qzxv"])), index.scores(terms("robot"))
    )


@pytest.fixture(scope="module")
def by_field(starter_items: list[Item], index: LexicalIndex) -> TextSearch:
    return TextSearch(starter_items, index, RecommenderSettings(enhance_field_weights=True))


def test_a_field_that_counts_more_lifts_the_films_found_there(
    starter_items: list[Item], index: LexicalIndex, by_field: TextSearch
) -> None:
    words = terms("Hitchcock")
    added = by_field.scores(TextQuery(words, field_weights={"people": 2.0})) - index.scores(words)
    lifted = {starter_items[row].item_id for row in np.flatnonzero(added > 1e-6)}
    assert lifted == {i.item_id for i in starter_items if "Hitchcock" in " ".join(i.people)}


@pytest.mark.parametrize("query", QUERIES)
def test_usual_weights_change_nothing_and_no_weights_lose_a_film(
    index: LexicalIndex, by_field: TextSearch, query: str
) -> None:
    whole = index.scores(terms(query))
    for usual in ({}, dict.fromkeys(FIELDS, 1.0)):
        scores = by_field.scores(TextQuery(terms(query), field_weights=usual))
        np.testing.assert_array_equal(scores, whole)
    least = by_field.scores(TextQuery(terms(query), field_weights=dict.fromkeys(FIELDS, 0.5)))
    assert (least >= whole / 2).all()
    assert (least <= whole).all()


def test_the_fields_hold_the_words_of_the_index(starter_items: list[Item]) -> None:
    for item in starter_items[:200]:
        assert {t for read in FIELDS.values() for t in read(item)} == set(index_terms(item))


def test_films_without_a_word_can_be_indexed() -> None:
    index = LexicalIndex([Item(item_id="1", title="It")], lambda _: [])
    assert index.scores(["robot"]).tolist() == [0.0]
