"""Which film is meant by "Heat", "the second one" or "it"."""

import re

from assistant.planner.conversation import Conversation
from assistant.planner.grammar import plain
from assistant.planner.titles import Titles, title_key
from tools.content import FilmLine

Reference = dict[str, object]
"""How a tool is told which film: ``{"title_or_id": …}`` or ``{"position": …}``."""

_NAMES = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_NUMBERS = "one two three four five six seven eight nine ten".split()
_ONE = r"(?: (?:one|film|movie|pick|recommendation|suggestion|choice|option))?"
ORDINAL = rf"(?:the )?(?:(?:very )?({'|'.join(_NAMES)}|top|last|\d{{1,3}}(?:st|nd|rd|th)){_ONE}|"
ORDINAL += rf"(?:number|no\.?|#) ?(\d{{1,3}}|{'|'.join(_NUMBERS)}))"
EXTREME = r"(?:the )?(?:oldest|earliest|newest|latest|most recent)(?: (?:one|film|movie))?"
EXTREME += r"(?: (?:of|among) (?:these|those|them))?"
DEICTIC = r"(?:it|this|that|these|those|them|(?:this|that) (?:one|film|movie|pick|recommendation)|"
DEICTIC += r"the (?:film|movie|recommendation|pick))"
_ordinal = re.compile(ORDINAL)
_deictic = re.compile(DEICTIC)
_described_film = re.compile(
    r"(?:that|the|this) (?P<before>[^,]{2,40}?) (?:one|film|movie|flick|picture)"
    r"|(?:that|the|this) (?:one|film|movie|flick) "
    r"(?:with|by|about|from|of|in|on|at|where|starring|directed by|set (?:in|on)) "
    r"(?P<after>[^,]{2,40})"
)
_extreme = re.compile(EXTREME)
_FILLER = frozenset("the a an that this one of in on at with by about from and is are".split())


def is_deictic(text: str) -> bool:
    """Whether ``text`` points at a film without naming or numbering it."""
    return bool(_deictic.fullmatch(_bare(text)))


def is_description(text: str) -> bool:
    """Whether ``text`` means a film shown by what it is, such as "the one with the aliens"."""
    bare = _bare(text)
    return bool(_described_film.fullmatch(bare) or _extreme.fullmatch(bare))


def position(text: str) -> int | None:
    """The place in the list that ``text`` names, from 1; -1 is the last."""
    found = _ordinal.fullmatch(_bare(text))
    if not found:
        return None
    if found[2]:
        return _NUMBERS.index(found[2]) + 1 if found[2] in _NUMBERS else int(found[2])
    if found[1] == "top":
        return 1
    if found[1] == "last":
        return -1
    return _NAMES.index(found[1]) + 1 if found[1] in _NAMES else int(found[1][:-2])


def refer(text: str, conversation: Conversation) -> Reference | None:
    """How to tell a tool which film ``text`` means; None when it points at no one film."""
    place = position(text)
    if place is None and text.strip().isdecimal() and int(text) <= len(conversation.shown):
        place = int(text)
    if place is not None:
        return _at(place, conversation)
    if is_deictic(text):
        return {"title_or_id": f"id:{conversation.focus.item_id}"} if conversation.focus else None
    for film in conversation.shown:
        if title_key(film.title) == title_key(text) != "":
            return {"title_or_id": f"id:{film.item_id}"}
    if described := _described(text, conversation):
        return {"title_or_id": f"id:{described.item_id}"}
    return None if is_description(text) else _titled(text)


def _titled(text: str) -> Reference:
    return {"title_or_id": text.strip(" \"'“”.!?")}


def _described(text: str, conversation: Conversation) -> FilmLine | None:
    """The film shown that "that Nolan film", "the one with the dog" or "the oldest" describes."""
    if _extreme.fullmatch(_bare(text)):
        dated = sorted((film for film in conversation.shown if film.year), key=_year)
        return dated[0 if re.search("oldest|earliest", text.lower()) else -1] if dated else None
    found = _described_film.fullmatch(_bare(text))
    words = (found["before"] or found["after"]).split() if found else []
    telling = [word for word in words if word not in _FILLER]
    if not telling:
        return None

    def fits(film: FilmLine) -> bool:
        facts = plain(f"{film.label} {film.note}")
        return all(re.search(rf"\b{re.escape(word.rstrip('s'))}", facts) for word in telling)

    return next((film for film in conversation.shown if fits(film)), None)


def _year(film: FilmLine) -> int:
    return film.year or 0


def title_of(text: str, conversation: Conversation, titles: Titles) -> str | None:
    """The title of the film that ``text`` points at, numbers or names."""
    place = position(text)
    film: FilmLine | None
    if place is not None:
        film = _shown_at(place, conversation)
    elif described := _described(text, conversation):
        film = described
    elif is_deictic(text):
        film = conversation.focus or _shown_at(1, conversation)
    else:
        return titles.match(text)
    return film.title if film else None


def _at(place: int, conversation: Conversation) -> Reference:
    film = _shown_at(place, conversation)
    return {"title_or_id": f"id:{film.item_id}"} if film else {"position": place}


def _shown_at(place: int, conversation: Conversation) -> FilmLine | None:
    count = len(conversation.shown)
    if 1 <= place <= count or -count <= place <= -1:
        return conversation.shown[place - 1 if place > 0 else place]
    return None


def _bare(text: str) -> str:
    return plain(text).strip(" \"'.,!?")
