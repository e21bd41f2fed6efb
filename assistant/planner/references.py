"""Which film is meant by "Heat", "the second one" or "it"."""

import re

from assistant.planner.conversation import Conversation
from assistant.planner.grammar import plain
from assistant.planner.titles import Titles, title_key

Reference = dict[str, object]
"""How a tool is told which film: ``{"title_or_id": …}`` or ``{"position": …}``."""

_NAMES = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_ONE = r"(?: (?:one|film|movie|pick|recommendation|suggestion|choice|option))?"
ORDINAL = rf"(?:the )?(?:(?:very )?({'|'.join(_NAMES)}|last|\d{{1,3}}(?:st|nd|rd|th)){_ONE}|"
ORDINAL += r"(?:number|no\.?|#) ?(\d{1,3}))"
DEICTIC = r"(?:it|this|that|these|those|them|(?:this|that) (?:one|film|movie|pick|recommendation)|"
DEICTIC += r"the (?:film|movie|recommendation|pick))"
_ordinal = re.compile(ORDINAL)
_deictic = re.compile(DEICTIC)


def is_deictic(text: str) -> bool:
    """Whether ``text`` points at a film without naming or numbering it."""
    return bool(_deictic.fullmatch(_bare(text)))


def position(text: str) -> int | None:
    """The place in the list that ``text`` names, from 1; -1 is the last."""
    found = _ordinal.fullmatch(_bare(text))
    if not found:
        return None
    if found[2]:
        return int(found[2])
    if found[1] == "last":
        return -1
    return _NAMES.index(found[1]) + 1 if found[1] in _NAMES else int(found[1][:-2])


def refer(text: str, conversation: Conversation) -> Reference | None:
    """How to tell a tool which film ``text`` means; None when it points at no one film."""
    place = position(text)
    if place is not None:
        return _at(place, conversation)
    if is_deictic(text):
        return {"title_or_id": f"id:{conversation.focus.item_id}"} if conversation.focus else None
    for film in conversation.shown:
        if title_key(film.title) == title_key(text) != "":
            return {"title_or_id": f"id:{film.item_id}"}
    return {"title_or_id": text.strip(" \"'“”.!?")}


def title_of(text: str, conversation: Conversation, titles: Titles) -> str | None:
    """The title of the film that ``text`` points at, numbers or names."""
    place = position(text)
    if place is not None:
        shown = conversation.shown
        return shown[place - 1 if place > 0 else place].title if 0 < place <= len(shown) else None
    if is_deictic(text):
        focus = conversation.focus or (conversation.shown[0] if conversation.shown else None)
        return focus.title if focus else None
    return titles.match(text)


def _at(place: int, conversation: Conversation) -> Reference:
    index = place - 1 if place > 0 else place
    if -len(conversation.shown) <= index < len(conversation.shown):
        return {"title_or_id": f"id:{conversation.shown[index].item_id}"}
    return {"position": place}


def _bare(text: str) -> str:
    return plain(text).strip(" \"'.,!?")
