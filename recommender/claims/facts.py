"""Evidence as facts that a clause can be held against: its names, its phrases, its words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from recommender.claims.lexicon import words
from recommender.models import Evidence, Item

# Names in a clause are written by the part they play: <f> the film itself, <t> another film,
# <d> its director, <c> one of its cast, <b> both, <l> a genre or tag, <w> a word of the query.
FILM, TITLE, DIRECTOR, CAST, BOTH, LABEL, WORD = (f"<{role}>" for role in "ftdcblw")
Roles = Mapping[str, str]

_ALSO = r"(?:(?:also|too|both|have|had) )*"
_LABELS = r"<l>(?:(?: ,)?(?: and)? <l>)*"
_SOME = r"(?:(?:an?|some|the|films?|movies?|with|of|like) )*"
_ANY = r"<[dcb]>"
_DIRECTORS = r"<[db]>(?:(?: ,)?(?: and)? <[db]>)*"
_CASTS = r"<[cb]>(?:(?: ,)?(?: and)? <[cb]>)*"
_DONE = r"(?: (?:this|it|both|the|film|movie|in|too|as|well))*"
PEOPLE = (
    rf"(?:directed by|(?:the )?(?:same )?(?:director|filmmaker)|made by|film by|movie by)(?: ,)? {_DIRECTORS}",
    rf"{_DIRECTORS} (?:also )?(?:directed|directs|made){_DONE}",
    rf"(?:starring|stars?|features?|featuring|with|has|cast includes|(?:the )?(?:same )?"
    rf"(?:actor|actress|star))(?: ,)? {_CASTS}",
    rf"{_CASTS} (?:also )?(?:stars?|starred|appears?|plays?|is){_DONE}",
)
NEARLY = r"with (?:both )?<d>|same (?:as|<t>)"
LIKING = r"(?:liked|enjoyed|mentioned liking|said you liked)"
DISLIKING = r"(?:disliked|did not (?:like|enjoy|care for)|mentioned disliking)"
# "You liked Heat, this film" would say that it was this film that was liked.
_THIS_TOO = (
    rf"^(?!.*\b(?:{'|'.join(sorted(words('likeness')))})\b)"
    r".*(?:\bthis(?: film| movie)?|\bit|<f>)(?: (?:too|also|as well))*\W*$"
)
_GO_FOR = r"(?:tend to )?(?:go for|like|enjoy|favou?r)"
_PASS_ON = r"(?:tend to (?:pass on|avoid|dislike)|pass on|avoid|do not go for|tend not to like)"


@dataclass(frozen=True)
class Fact:
    """What one clause may say.

    ``roles`` are the names it may hold. Each of ``needed`` must be found in it; they and ``may``
    are taken out, and what is left may hold only ``words``, plain words and names, and nothing
    ``barred``. ``bare`` marks what names another film without saying how the person likes it. ``own`` is a fact of the film itself and not
    of another one.
    """

    roles: Roles
    needed: tuple[str, ...]
    words: frozenset[str]
    may: tuple[str, ...] = ()
    barred: str = NEARLY
    bare: bool = False
    own: bool = True


def facts_of(item: Item, evidence: Sequence[Evidence], titles: Mapping[str, str]) -> list[Fact]:
    """All facts, those that several pieces of evidence make together among them.

    ``titles`` are of the films that evidence points to, by id. Evidence of a form that is not known
    is no fact.
    """
    found = [_of_film(item)]
    for each in evidence:
        found += _of(item, each, titles.get(each.item_id or "", ""))
    return found + list(_together(item, evidence, titles))


def _of_film(item: Item) -> Fact:
    year = (rf"(?:(?:from|in|of|year) )?\b{item.year}\b",) if item.year else ()
    needed = (r"<[dcbl]>" + "".join(f"|{each}" for each in year), _PREDICATE)
    roles = {**_people(item), **dict.fromkeys((*item.genres, *item.tags), LABEL)}
    # A person whose part in the film is not said is no fact of the film.
    return Fact(roles, needed, words("facts"), (*PEOPLE, *year), barred=_ANY)


_PREDICATE = r"\b(?:is|was|has|stars?|starring|directed|directs|features?|tagged|includes|released|out)\b"


def _of(item: Item, evidence: Evidence, title: str) -> Iterator[Fact]:
    text = evidence.text
    match evidence.kind:
        case "query":
            yield from _of_query(text)
        case "anchor_film":
            yield _alike(item, text, title, _named_in_query(), ())
        case "liked_film" | "disliked_film":
            yield from _of_swiped(item, evidence, title)
        case "genre" | "tag":
            yield from _of_label(item, evidence)
        case "person":
            needed = (_asked_for(_ANY), _ANY)
            yield Fact(_named(_people(item), text), needed, words("asked"), PEOPLE)
        case "filter":
            labels = _named(dict.fromkeys(item.genres, LABEL), text)
            suggested = rf"(?:as )?your words (?:suggest|hint at|point to)(?: {_SOME}{_LABELS})?"
            asked = text.endswith("as you asked")
            needed = (_asked_for(_LABELS) if asked else suggested, LABEL)
            yield Fact(labels, needed, words("asked"))
        case "year":
            yield _of_years(item, text)
        case "acclaim":
            yield from _of_ratings(text)
        case "popularity":
            needed = (r"(?:one of|among) the most watched",)
            yield Fact({}, needed, words("popularity"))
        case "counterfactual":
            yield from _of_counterfactual(text, title)


def _of_query(text: str) -> Iterator[Fact]:
    if text == "The film you named":
        yield Fact({}, (r"the film you (?:named|asked for|searched for)",), words("asked"))
    elif text.startswith("Close in meaning"):
        needed = (r"your words", r"\bmeaning\b", r"\bclose\b", r"language model")
        yield Fact({}, needed, words("meaning"))
    elif text.startswith("Matches your words: "):
        said = text.removeprefix("Matches your words: ").split(", ")
        quoting = (
            rf"your (?:own )?(?:words?|search|query|request)(?: (?:mentions?|for))?(?: {_SOME}<w>)?"
            rf"|you (?:wrote|mentioned|said|searched for|used)(?: (?:the words?|an?))? <w>"
        )
        yield Fact(dict.fromkeys(said, WORD), (quoting, WORD), words("query"))


def _of_swiped(item: Item, evidence: Evidence, title: str) -> Iterator[Fact]:
    feeling = LIKING if evidence.kind == "liked_film" else DISLIKING
    yield _alike(item, evidence.text, title, (), (_felt(feeling, TITLE),))
    if evidence.kind == "liked_film":
        yield _alike(item, evidence.text, title, (), ())


def _felt(feeling: str, whom: str) -> str:
    """The person's feeling about ``whom``, before or after its name."""
    tie = (
        r"(?:which|that|(?:an?|another|the|one of the) (?:film|movie|one|films|movies)(?: that)?)"
    )
    return (
        rf"(?<!this , )(?<!film , )(?<!<f> , ){whom}(?: ,)?(?: {tie})? you {_ALSO}{feeling}"
        rf"|you {_ALSO}{feeling} (?:(?:the|film|movie|both) )*{whom}(?! 's)"
    )


def _alike(
    item: Item, text: str, title: str, may: tuple[str, ...], felt: tuple[str, ...]
) -> Fact:
    """That the film is like another one; ``felt`` if the clause must say how that was liked."""
    shared = text.replace(title, "", 1)
    roles = {title: TITLE, **_shared(item, shared)}
    predicate = () if felt else (rf"\b(?:{'|'.join(sorted(words('likeness')))}|as in|has|also)\b",)
    needed = (*felt, TITLE, *predicate)
    may = (*may, *PEOPLE)
    barred = rf"{NEARLY}|{_THIS_TOO}" if felt else NEARLY
    return Fact(roles, needed, words("likeness"), may, barred, bare=not felt, own=False)


def _named_in_query() -> tuple[str, ...]:
    named = r"(?:named|mentioned|asked for|asked about)"
    return (
        rf"<t>(?: ,)?(?: (?:which|that|the film(?: that)?))? you {named}",
        rf"you {named} (?:(?:something|films?|a|the) )*(?:like )?<t>",
    )


def _shared(item: Item, text: str) -> dict[str, str]:
    """The film's people and labels that a text says it shares, by the part it says they have."""
    directors = [name for name in item.director if f"directed by {name}" in text]
    cast = [name for name in item.cast if f"with {name}" in text]
    labels = _named(dict.fromkeys((*item.genres, *item.tags), LABEL), text)
    people = dict.fromkeys(directors, DIRECTOR) | dict.fromkeys(cast, CAST)
    both = dict.fromkeys({*directors} & {*cast}, BOTH)
    return dict(labels) | people | both


def _of_label(item: Item, evidence: Evidence) -> Iterator[Fact]:
    form = r"You (go for|tend to pass on) (.+) \(liked (\d+) of (\d+) swiped(?: or mentioned)?\)"
    if found := re.fullmatch(form, evidence.text):
        feeling = _PASS_ON if evidence.against else _GO_FOR
        said = f"{_label_felt(feeling, LABEL)}|{_counted(found[3], found[4])}"
        roles = {found[2].strip("“”"): LABEL}
        yield Fact(roles, (said, LABEL), words("label"), own=False)


def _label_felt(feeling: str, whom: str) -> str:
    return rf"you (?:also )?{feeling} {_SOME}{whom}(?: (?:films|movies))?"


def _counted(liked: str, swiped: str) -> str:
    everything = "all |" if liked == swiped else ""
    return (
        rf"(?:you (?:have )?(?:also )?)?(?:liked |with )?(?:(?:{everything}only )?){liked}"
        rf"(?: likes?| liked)? (?:out )?of (?:(?:the|your) )*{swiped}\b(?: <l>)?"
        r"(?: (?:films|movies|ones))?(?:(?: that)?(?: you)?(?: have)? swiped(?: or mentioned)?)?"
    )


def _asked_for(what: str) -> str:
    return (
        rf"(?:as |that |which )?you (?:asked|searched|looked)(?: for)?"
        rf"(?: (?!films? by|films? with){_SOME}{what})?"
    )


def _of_years(item: Item, text: str) -> Fact:
    first, last = (re.findall(r"\d{4}", text)[1:] + ["", ""])[:2]
    bounds = {
        "–": rf"\(? ?{first} (?:–|-|to|and) {last} ?\)?",
        " or later": rf"\b{first} or later|since {first}\b",
        " or earlier": rf"\b{first} or earlier|up to {first}\b",
    }
    spans = tuple(said for mark, said in bounds.items() if first and mark in text)
    own = rf"(?:(?:from|in|of) )?\b{item.year}\b"
    asked = _asked_for(r"(?:years?|time)")
    return Fact({}, (asked, own), words("asked"), spans)


def _of_ratings(text: str) -> Iterator[Fact]:
    if found := re.fullmatch(r"Rated ([\d.]+) of 5 by (\d+) MovieLens viewers", text):
        mean = re.escape(found[1])
        said = rf"\b{mean}(?: stars)?(?: out)? of 5\b"
        by = rf"\b{found[2]} (?:movielens )?(?:viewers|ratings)"
        yield Fact({}, (said,), words("acclaim"), (by,))


def _of_counterfactual(text: str, title: str) -> Iterator[Fact]:
    among = r"(?: (?:among|in) your likes)?"
    without = (
        rf"without <t>{among}|(?:had you|if you had) not (?:liked|enjoyed) <t>"
        rf"|were it not for <t>{among}"
    )
    places = re.findall(r"\d+(?:st|nd|rd|th)", text)
    if "not be among the first" in text:
        number = re.findall(r"first (\d+)", text)[-1]
        moved = rf"would not be among the first {number}(?: ;)?(?: (?:it|<f>) is {places[-1]})?"
    elif len(places) >= 2:
        other, place = places[-2:]
        moved = (
            rf"\b{other} (?:instead of|rather than) {place}\b|from {place} to {other}\b"
            rf"|is {place}\b.*would be {other}\b|would be {other}\b.*is {place}\b"
        )
    else:
        return
    yield Fact({title: TITLE}, (without, moved), words("counterfactual"), own=False)


def _together(
    item: Item, evidence: Sequence[Evidence], titles: Mapping[str, str]
) -> Iterator[Fact]:
    """Films that were all liked, or all not; labels that the person all goes for, or passes on."""
    for kind, feeling in (("liked_film", LIKING), ("disliked_film", DISLIKING)):
        several = [titles.get(e.item_id or "", "") for e in evidence if e.kind == kind]
        if len(several) > 1:
            whom = r"<t>(?:(?: ,)?(?: and)? <t>)+"
            needed = (_felt(feeling, whom),)
            roles, barred = dict.fromkeys(several, TITLE), rf"{NEARLY}|{_THIS_TOO}"
            yield Fact(roles, needed, words("likeness"), barred=barred, own=False)
    for against, feeling in ((False, _GO_FOR), (True, _PASS_ON)):
        names = [
            fact_name
            for e in evidence
            if e.kind in ("genre", "tag") and e.against is against
            for each in _of_label(item, e)
            for fact_name in each.roles
        ]
        if len(names) > 1:
            whom = r"<l>(?:(?: ,)?(?: and)?(?: on| for)? <l>)+"
            needed = (_label_felt(feeling, whom),)
            yield Fact(dict.fromkeys(names, LABEL), needed, words("label"), own=False)


def _people(item: Item) -> dict[str, str]:
    people = dict.fromkeys(item.director, DIRECTOR) | dict.fromkeys(item.cast, CAST)
    return people | dict.fromkeys({*item.director} & {*item.cast}, BOTH)


def _named(roles: Roles, text: str) -> dict[str, str]:
    """Those of the names that stand in a text, the longest first, none within another."""
    found = {}
    for name in sorted(roles, key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
        if re.search(pattern, text):
            found[name] = roles[name]
            text = re.sub(pattern, "", text)
    return found


def names_of(facts: Iterable[Fact]) -> dict[str, str]:
    """Every name of any fact, with one of the parts it plays."""
    return {name: role for fact in facts for name, role in fact.roles.items()}
