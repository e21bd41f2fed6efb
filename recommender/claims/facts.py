"""Evidence as facts that a clause can be held against: its names, its phrases, its words."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from recommender.claims import phrases
from recommender.claims.lexicon import words
from recommender.claims.phrases import BOTH, CAST, DIRECTOR, LABEL, TITLE, WORD
from recommender.models import Evidence, EvidenceKind, Item

Roles = Mapping[str, str]


@dataclass(frozen=True)
class Fact:
    """What one clause may say.

    ``roles`` are the names it may hold, with the part each plays (see `phrases`). Each of
    ``needed`` must be found in the clause. They and ``may`` are taken out, with ``@`` left in their
    place, or ``@<t>`` for another film; what is left may hold only ``words``, plain words and
    names, and nothing ``barred``. ``bare`` marks a fact that names another film without saying how
    the person likes it, ``own`` one of the film itself.
    """

    roles: Roles
    needed: tuple[str, ...]
    words: frozenset[str]
    may: tuple[str, ...] = ()
    barred: str = phrases.NEARLY
    bare: bool = False
    own: bool = True


def facts_of(item: Item, evidence: Sequence[Evidence], titles: Mapping[str, str]) -> list[Fact]:
    """All facts, those that several pieces of evidence make together among them.

    ``titles`` are of the films that evidence points to, by id. Evidence of a form that is not known
    is no fact.
    """
    found = [_of_film(item)]
    for each in evidence:
        found += _READERS[each.kind](item, each, titles.get(each.item_id or "", ""))
    return [*found, *_films_together(evidence, titles), *_labels_together(evidence)]


def names_of(facts: Iterable[Fact]) -> dict[str, str]:
    """Every name of any fact, with one of the parts it plays."""
    return {name: role for fact in facts for name, role in fact.roles.items() if name}


def _of_film(item: Item) -> Fact:
    """The film's own facts; a person whose part in it is not said is none."""
    year = (phrases.own_year(item.year),) if item.year else ()
    needed = ("|".join(("<[dcbl]>", *year)), phrases.PREDICATE)
    roles = {**_people(item), **dict.fromkeys((*item.genres, *item.tags), LABEL)}
    may = (*phrases.PEOPLE, *year)
    return Fact(roles, needed, words("facts"), may, barred=phrases.PERSON)


def _of_query(_item: Item, evidence: Evidence, _title: str) -> Iterator[Fact]:
    text = evidence.text
    if text == "The film you named":
        yield Fact({}, (r"the film you (?:named|asked for|searched for)",), words("asked"))
    elif text.startswith("Close in meaning"):
        needed = (r"your words", r"\bmeaning\b", r"\bclose\b", r"language model")
        yield Fact({}, needed, words("meaning"))
    elif text.startswith("Matches your words: "):
        said = text.removeprefix("Matches your words: ").split(", ")
        yield Fact(dict.fromkeys(said, WORD), (phrases.QUOTED, WORD), words("query"))


def _of_anchor(item: Item, evidence: Evidence, title: str) -> Iterator[Fact]:
    yield _alike(item, evidence.text, title, may=phrases.NAMED)


def _of_liked(item: Item, evidence: Evidence, title: str) -> Iterator[Fact]:
    yield _alike(item, evidence.text, title, phrases.felt(phrases.LIKING, TITLE))
    yield _alike(item, evidence.text, title)


def _of_disliked(item: Item, evidence: Evidence, title: str) -> Iterator[Fact]:
    yield _alike(item, evidence.text, title, phrases.felt(phrases.DISLIKING, TITLE))


def _alike(item: Item, text: str, title: str, felt: str = "", may: tuple[str, ...] = ()) -> Fact:
    """That the film is like another one, and how that one was liked if ``felt`` says so."""
    roles = {title: TITLE, **_shared(item, text.replace(title, "", 1))}
    needed = (felt or phrases.LIKENESS, TITLE)
    barred = rf"{phrases.NEARLY}|{phrases.THIS_TOO}" if felt else phrases.NEARLY
    may = (*may, *phrases.PEOPLE)
    return Fact(roles, needed, words("likeness"), may, barred, bare=not felt, own=False)


def _shared(item: Item, text: str) -> dict[str, str]:
    """The film's people and labels that a text says it shares, by the part it says they have."""
    directors = [name for name in item.director if f"{item.credit.lower()} {name}" in text]
    cast = [name for name in item.cast if f"with {name}" in text]
    labels = _named(dict.fromkeys((*item.genres, *item.tags), LABEL), text)
    return labels | _parts(directors, cast)


def _of_co_liked(_item: Item, _evidence: Evidence, title: str) -> Iterator[Fact]:
    yield Fact({title: TITLE}, (phrases.CO_LIKED,), words("colikes"), own=False)


def _of_label(_item: Item, evidence: Evidence, _title: str) -> Iterator[Fact]:
    return _about_label(evidence)


def _about_label(evidence: Evidence) -> Iterator[Fact]:
    form = r"You (?:go for|tend to pass on) (.+) \(liked (\d+) of (\d+) swiped(?: or mentioned)?\)"
    if found := re.fullmatch(form, evidence.text):
        feeling = phrases.SHUNS if evidence.against else phrases.GOES_FOR
        said = f"{phrases.drawn_to(feeling, LABEL)}|{phrases.counted(found[2], found[3])}"
        roles = {found[1].strip("“”"): LABEL}
        yield Fact(roles, (said, LABEL), words("label"), own=False)


def _of_person(item: Item, evidence: Evidence, _title: str) -> Iterator[Fact]:
    needed = (phrases.asked_for(phrases.PERSON), phrases.PERSON)
    yield Fact(_named(_people(item), evidence.text), needed, words("asked"), phrases.PEOPLE)


def _of_filter(item: Item, evidence: Evidence, _title: str) -> Iterator[Fact]:
    labels = _named(dict.fromkeys(item.genres, LABEL), evidence.text)
    asked = evidence.text.endswith("as you asked")
    said = phrases.asked_for if asked else phrases.suggested
    yield Fact(labels, (said(phrases.LABELS), LABEL), words("asked"))


def _of_year(item: Item, evidence: Evidence, _title: str) -> Iterator[Fact]:
    if item.year:
        first, last, *_ = [*re.findall(r"\d{4}", evidence.text)[1:], "", ""]
        needed = (phrases.asked_for(r"(?:years?|time)"), phrases.own_year(item.year))
        yield Fact({}, needed, words("asked"), phrases.years_asked(first, evidence.text, last))


def _of_acclaim(_item: Item, evidence: Evidence, _title: str) -> Iterator[Fact]:
    if found := re.fullmatch(r"Rated ([\d.]+) of 5 by (\d+) MovieLens viewers", evidence.text):
        said = rf"\b{re.escape(found[1])}(?: stars)?(?: out)? of 5\b"
        by = rf"\b{found[2]} (?:movielens )?(?:viewers|ratings)"
        yield Fact({}, (said,), words("acclaim"), (by,))


def _of_popularity(_item: Item, _evidence: Evidence, _title: str) -> Iterator[Fact]:
    yield Fact({}, (r"(?:one of|among) the most watched",), words("popularity"))


def _of_counterfactual(_item: Item, evidence: Evidence, title: str) -> Iterator[Fact]:
    text = evidence.text.replace(title, "", 1)
    places = re.findall(r"\d+(?:st|nd|rd|th)", text)
    listed = re.search(r"not be among the first (\d+)", text)
    if listed and len(places) == 1:
        moved = phrases.moved_out(places[0], listed[1])
    elif len(places) == 2:
        moved = phrases.moved(places[1], places[0])
    else:
        return
    for said in moved:
        needed = (phrases.WITHOUT, *said)
        yield Fact({title: TITLE}, needed, words("counterfactual"), own=False)


Reader = Callable[[Item, Evidence, str], Iterator[Fact]]
_READERS: Mapping[EvidenceKind, Reader] = {
    "query": _of_query,
    "anchor_film": _of_anchor,
    "person": _of_person,
    "filter": _of_filter,
    "year": _of_year,
    "liked_film": _of_liked,
    "disliked_film": _of_disliked,
    "co_liked": _of_co_liked,
    "genre": _of_label,
    "tag": _of_label,
    "acclaim": _of_acclaim,
    "popularity": _of_popularity,
    "counterfactual": _of_counterfactual,
}


def _films_together(evidence: Sequence[Evidence], titles: Mapping[str, str]) -> Iterator[Fact]:
    """Films that were all liked, or all not."""
    feelings = {"liked_film": phrases.LIKING, "disliked_film": phrases.DISLIKING}
    for kind, feeling in feelings.items():
        several = [titles.get(each.item_id or "", "") for each in evidence if each.kind == kind]
        if len(several) > 1:
            needed = (phrases.felt(feeling, phrases.SEVERAL_TITLES),)
            roles, barred = dict.fromkeys(several, TITLE), rf"{phrases.NEARLY}|{phrases.THIS_TOO}"
            yield Fact(roles, needed, words("likeness"), barred=barred, own=False)


def _labels_together(evidence: Sequence[Evidence]) -> Iterator[Fact]:
    """Genres and tags that the person all goes for, or all passes on."""
    for against, feeling in ((False, phrases.GOES_FOR), (True, phrases.SHUNS)):
        several = [each for each in evidence if each.kind in ("genre", "tag")]
        chosen = [each for each in several if each.against is against]
        roles = names_of(fact for each in chosen for fact in _about_label(each))
        if len(roles) > 1:
            needed = (phrases.drawn_to(feeling, phrases.SEVERAL_LABELS),)
            yield Fact(roles, needed, words("label"), own=False)


def _people(item: Item) -> dict[str, str]:
    return _parts(item.director, item.cast)


def _parts(directors: Iterable[str], cast: Iterable[str]) -> dict[str, str]:
    parts = dict.fromkeys(directors, DIRECTOR)
    return parts | {name: BOTH if name in parts else CAST for name in cast}


def _named(roles: Roles, text: str) -> dict[str, str]:
    """Those of the names that stand in a text, the longest first, none within another."""
    found = {}
    for name in sorted(roles, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
        if re.search(pattern, text):
            found[name] = roles[name]
            text = re.sub(pattern, "", text)
    return found
