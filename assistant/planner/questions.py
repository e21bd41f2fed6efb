"""Questions about one film: "why the second one?", "who directed Heat?"."""

import re
from typing import Literal

from assistant.planner.conversation import Conversation
from assistant.planner.references import (
    DEICTIC,
    EXTREME,
    ORDINAL,
    is_deictic,
    is_description,
    position,
    title_of,
)
from assistant.planner.titles import Titles, is_pronoun

_PICKED = (
    r"(?:pick(?:ed)?|choose|chose|chosen|recommend(?:ed|ing)?|suggest(?:ed|ing)?|show(?:n|ing)?|"
    r"select(?:ed)?|list(?:ed)?|includ(?:ed?|ing)|offer(?:ed|ing)?|think of|come up with|put)"
)
_WHY = re.compile(
    r"^(?:(?:but|so|and|ok|hm+|well|tell me|explain(?: to me)?)\W+)*(?:why|how come)\b\W*"
    r"(?:(?:on earth|the (?:hell|heck)|exactly) )?"
    rf"(?P<asked>(?:did|do|would|have|were|are|was|is|has)? ?(?:you|it)? ?(?:\w+ly )?{_PICKED}\b"
    r"(?: me)?)?"
    r"(?:(?:should|would|will|might) i (?:watch|see|like|love|enjoy)|"
    r"do you think i(?:'d| would|'ll| will) (?:like|love|enjoy)|is|was|are|do you say)? ?"
    r"(?P<film>.*)$"
    rf"|^what ma(?:de|kes) you (?:{_PICKED}|think)"
    r"(?: i(?:'d| would) (?:like|love|enjoy))? (?P<b>.+)$"
    r"|^(?:please )?explain (?:the |your )?(?:reason(?:s|ing)? (?:for|behind) |choice of )?"
    r"(?P<c>.+)$"
    r"|\b(?:reason(?:s|ing)?|logic|thinking) (?:for|behind) (?:picking |choosing |recommending )?"
    r"(?P<d>.+)$",
    re.IGNORECASE,
)
_WHICH = rf"(?:{ORDINAL}|{EXTREME}|{DEICTIC}|(?:that|the) (?:\w+ ){{0,2}}one(?: \w+){{0,4}})"
_NEXT = re.compile(
    rf"^(?:and |(?:and )?(?:what|how) about )(?P<film>{ORDINAL}|{DEICTIC})$", re.IGNORECASE
)
_WHY_LAST = re.compile(
    rf"^(?P<film>{ORDINAL}|{DEICTIC}|(?:that|the) [^,]{{2,40}}),? (?:but )?"
    r"why(?: (?:that|this|it|one))?$"
    rf"|^what(?:'s| is|s) (?P<b>{ORDINAL}|{DEICTIC}|(?:that|the) [^,]{{2,40}}?) doing "
    r"(?:here|there|(?:on|in) (?:the|this|that|your) list|(?:up |at )+(?:here|there|the top))$",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[ ,]+(?:here|there|on (?:the|my|this) list|in (?:the|this|my) list|for me|to me|listed|"
    rf"{_PICKED}|(?:such )?a good (?:fit|match|choice|pick)(?: for me)?|first|so high|at the top|"
    r"exactly|then|though|in particular|of all films|please))+$",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"^(?:who|when|(?:what|which) (?:year|genres?)|where|does|did|has|was|"
    r"show me the (?:poster|trailer|cast) (?:of|for)|"
    r"what did i say about|how (?:long|many|much|old|does|did|is|was)|why (?:is|was)|"
    r"what(?:'s| is|s)|is|tell me (?:more )?about|do you (?:know|have)|"
    r"have you (?:got|heard of))\b(?!.*\b(?:like|similar)\b)",
    re.IGNORECASE,
)


_POINTER = re.compile(
    rf"\b(?:in|of|about|for|directed|made|wrote|is|was|stars(?: in)?|plays in) (?P<last>{_WHICH})$"
    rf"|^(?:what(?:'s| is|s)|is|does|did|was|has|(?:when|where|how (?:long|old)) (?:did|was|is)) "
    rf"(?P<first>{_WHICH})\b",
    re.IGNORECASE,
)


_WHO = re.compile(
    r"^(?:and |so |but )*(?:who|which (?:actor|actress|director))(?:'s| is| was| are| were)? "
    r"(?:(?:the )?(?:director|cast|leads?|stars?|actors?|actress(?:es)?|writer)|directed|stars|"
    r"(?:plays|played) (?:the|her|his|him)\b(?:(?! in )[^,;.])*)$",
    re.IGNORECASE,
)
"""Asks who made or plays in the film that is talked about: "who plays the lead?"."""
_JUDGED = re.compile(
    r"^(?:and |so )?(?:is|was) (?P<film>.+?) "
    r"(?:(?:any|really|very|too|that|so|actually|worth|at all) )*"
    r"(?:good|scary|sad|funny|violent|gory|long|boring|watching|seeing|it|bloody|romantic|suitable\b.*|"
    r"ok(?:ay)? for\b.*|(?:for|about)\b.*)$",
    re.IGNORECASE,
)
"""Asks what a film is like: "is jaws scary"."""
_WHAT_ABOUT = re.compile(r"^(?:and |or |but )?(?:what|how) about (?P<film>.+)$", re.IGNORECASE)

Fact = Literal["makers", "cast", "year", "genres", "length", "all"]
"""What a question asks of a film; ``all``, where the answer can only be in its description."""
_FACTS: tuple[tuple[Fact, re.Pattern[str]], ...] = (
    ("length", re.compile(r"\bhow long\b|\b(?:running time|runtime|duration|length)\b", re.I)),
    ("year", re.compile(r"\b(?:when|how old)\b|\b(?:what|which) year\b|\bcome out\b", re.I)),
    ("makers", re.compile(r"\b(?:direct|made|makes|wrote|written|author|creat|filmmaker)", re.I)),
    (
        "cast",
        re.compile(r"\bwho(?:'s)?\b|\b(?:cast|actors?|actress(?:es)?|star(?:s|ring|red)?)\b", re.I),
    ),
    ("genres", re.compile(r"\bgenres?\b|\bwhat (?:kind|sort|type) of\b", re.I)),
)


def film_to_explain(text: str, titles: Titles) -> str | None:
    """What a "why this film?" question calls the film; None when it is no such question."""
    said = " ".join(text.replace("’", "'").split()).rstrip("?!. ")
    if last := _WHY_LAST.match(said):
        return last["film"] or last["b"]
    found = _WHY.search(said)
    if not found:
        return None
    film = next((found[g] for g in ("film", "b", "c", "d") if found[g] is not None), "")
    film = (
        film
        if titles.exact(film) or position(film) is not None
        else _TAIL.sub("", f" {film}").strip(" \"'“”")
    )
    if not film:
        return "this one"
    sure = bool(found["asked"] or found["b"]) or _names_a_film(film, titles)
    return film if sure else None


def film_asked_next(text: str) -> str | None:
    """What "and the third?" calls the film, once another one has been explained."""
    found = _NEXT.match(" ".join(text.split()).rstrip("?!. "))
    return found["film"] if found else None


def film_asked_about(text: str, conversation: Conversation, titles: Titles) -> str | None:
    """The title in a question of fact, such as "who directed Heat?" or "who is in it?"."""
    said = text.replace("’", "'").strip(" ?!.")
    judged = _JUDGED.match(said) or _WHAT_ABOUT.match(said)
    if judged and not is_pronoun(judged["film"]) and titles.exact(judged["film"]):
        return judged["film"]
    if conversation.focus and asks_who(said):
        return f"id:{conversation.focus.item_id}"
    if not _FACT.match(said):
        return None
    pointer = _POINTER.search(said)
    pointed = (
        title_of(pointer["last"] or pointer["first"], conversation, titles) if pointer else None
    )
    return pointed or titles.mentioned(said)


def asks_who(text: str) -> bool:
    """Whether a question is about people of a film that it does not name."""
    return bool(_WHO.match(text.strip(" ?!.")))


def fact_asked(text: str) -> Fact:
    """What a question about a film wants to know."""
    said = text.strip()
    return next((fact for fact, pattern in _FACTS if pattern.search(said)), "all")


def _names_a_film(text: str, titles: Titles) -> bool:
    if is_deictic(text) or position(text) is not None or titles.match(text):
        return True
    if is_description(text):
        return True
    words = text.split()
    return len(words) <= 4 and all(word[0].isupper() or word[0].isdigit() for word in words)
