"""The phrases that a clause may say a fact in, as regular expressions over its words.

Words are in lower case with a blank between any two of them, marks too. Names are written by the
part they play: ``<f>`` the film itself, ``<t>`` another film, ``<d>`` its director, ``<c>`` one of
its cast, ``<b>`` both, ``<l>`` a genre or tag, ``<w>`` a word of the query.
"""

from collections.abc import Sequence

from recommender.claims.lexicon import words

FILM, TITLE, DIRECTOR, CAST, BOTH, LABEL, WORD = (f"<{role}>" for role in "ftdcblw")
PERSON = "<[dcb]>"
LABELS = r"<l>(?:(?: ,)?(?: and)? <l>)*"
SEVERAL_TITLES = r"<t>(?:(?: ,)?(?: and)? <t>)+"
SEVERAL_LABELS = r"<l>(?:(?: ,)?(?: and)?(?: on| for)? <l>)+"

LIKING = r"(?:liked|enjoyed|mentioned liking|said you liked)"
DISLIKING = r"(?:disliked|did not (?:like|enjoy|care for)|mentioned disliking)"
GOES_FOR = r"(?:tend to )?(?:go for|like|enjoy|favou?r)"
SHUNS = r"(?:tend to (?:pass on|avoid|dislike)|pass on|avoid|do not go for|tend not to like)"

_ALSO = r"(?:(?:also|too|both|have|had) )*"
_SOME = r"(?:(?:an?|some|the|films?|movies?|with|of|like) )*"
_DIRECTORS = r"<[db]>(?:(?: ,)?(?: and)? <[db]>)*"
_CASTS = r"<[cb]>(?:(?: ,)?(?: and)? <[cb]>)*"
_DONE = r"(?: (?:this|it|both|the|film|movie|in|too|as|well)\b)*"

PEOPLE = (
    rf"(?:directed by|(?:the )?(?:same )?(?:director|filmmaker)|made by|film by|movie by)"
    rf"(?: ,)? {_DIRECTORS}",
    rf"{_DIRECTORS} (?:also )?(?:directed|directs|made){_DONE}",
    rf"(?:starring|stars?|features?|featuring|with|has|cast includes|(?:the )?(?:same )?"
    rf"(?:actor|actress|star))(?: ,)? {_CASTS}",
    rf"{_CASTS} (?:also )?(?:stars?|starred|appears?|plays?|is){_DONE}",
)
"""Who did what; a name that none of these holds is only said to be there."""

PREDICATE = (
    r"\b(?:is|was|has|stars?|starring|directed|directs|features?|tagged|includes|released|out)\b"
)
LIKENESS = rf"\b(?:{'|'.join(sorted(words('likeness')))}|as in|has|also)\b"

NEARLY = r"with (?:both )?<d>|same (?:as|<t>)|\b(?:is|was)(?: the)?(?: film| movie)? +@?<t>"
"""Barred: "with" says that somebody plays; to be Heat, or the same, is more than to be like it."""

THIS_TOO = (
    rf"^(?!.*\b(?:{'|'.join(sorted(words('likeness')))})\b)"
    r".*(?:\bthis(?: film| movie)?|\bit|<f>)(?: (?:too|also|as well))*\W*$"
)
"""Barred: "You liked Heat, this film" would say that it was this film that was liked."""


def felt(feeling: str, whom: str) -> str:
    """The person's feeling about a film, before or after its name."""
    tie = r"(?:which|that|(?:an?|another|the|one of the) (?:film|movie|one|films|movies)(?: that)?)"
    return (
        rf"(?<!this , )(?<!film , )(?<!<f> , ){whom}(?: ,)?(?: {tie})? you {_ALSO}{feeling}"
        rf"|you {_ALSO}{feeling} (?:(?:the|film|movie|both) )*{whom}(?! 's)"
    )


def drawn_to(feeling: str, whom: str) -> str:
    """The person's feeling about a genre or tag."""
    return rf"you (?:also )?{feeling} {_SOME}{whom}(?: (?:films|movies))?"


def counted(liked: str, swiped: str) -> str:
    """How many films with a label the person liked, of those they swiped."""
    some = "(?:all |only )?" if liked == swiped else "(?:only )?"
    return (
        rf"(?:you (?:have )?(?:also )?)?(?:liked |with )?{some}{liked}"
        rf"(?: likes?| liked)? (?:out )?of (?:(?:the|your) )*{swiped}\b(?: <l>)?"
        r"(?: (?:films|movies|ones))?(?:(?: that)?(?: you)?(?: have)? swiped(?: or mentioned)?)?"
    )


def asked_for(what: str) -> str:
    """That the person asked for it in so many words."""
    return (
        rf"(?:as |that |which )?you (?:asked|searched|looked)(?: for)?"
        rf"(?: (?!films? by|films? with){_SOME}{what})?"
    )


def suggested(what: str) -> str:
    """That the person's words lean to it."""
    return rf"(?:as )?your words (?:suggest|hint at|point to)(?: {_SOME}{what})?"


CO_LIKED = (
    r"(?:people|viewers|those) who (?:liked|enjoyed) <t> (?:(?:also|tended to|tend to|too) )*"
    r"(?:liked?|enjoy(?:ed)?) (?:this(?: film| movie| one)?|it|<f>)"
)
"""What others liked together; of the person it says nothing."""

NAMED = (
    r"<t>(?: ,)?(?: (?:which|that|the film(?: that)?))? you "
    r"(?:named|mentioned|asked for|asked about)",
    r"you (?:named|mentioned|asked for|asked about) (?:(?:something|films?|a|the) )*(?:like )?<t>",
)
"""That the person named another film in their words."""

QUOTED = (
    rf"your (?:own )?(?:words?|search|query|request)(?: (?:mentions?|for))?(?: {_SOME}<w>)?"
    rf"|you (?:wrote|mentioned|said|searched for|used)(?: (?:the words?|an?))? <w>"
)
"""That the person used these words."""


def own_year(year: int) -> str:
    """When the film is from."""
    return rf"(?:(?:from|in|of|year) )?\b{year}\b"


def years_asked(first: str, text: str, last: str) -> tuple[str, ...]:
    """The span of years that the person asked for, as the evidence's ``text`` has it."""
    spans = {
        "–": rf"\(? ?{first} (?:–|-|to|and) {last} ?\)?",
        " or later": rf"\b{first} or later|since {first}\b",
        " or earlier": rf"\b{first} or earlier|up to {first}\b",
    }
    return tuple(said for mark, said in spans.items() if first and mark in text)


_AMONG = r"(?: (?:among|in) your likes)?"
WITHOUT = (
    rf"without <t>{_AMONG}|(?:had you|if you had) not (?:liked|enjoyed) <t>"
    rf"|were it not for <t>{_AMONG}"
)


def moved(place: str, other: str) -> Sequence[tuple[str, ...]]:
    """Which place the film has, and which it would have, each way so that it is clear which is
    which.
    """
    return (
        (rf"\b{other} (?:instead of|rather than) {place}\b|from {place} to {other}\b",),
        (rf"\bis {place}\b", rf"\bwould be {other}\b"),
    )


def moved_out(place: str, listed: str) -> Sequence[tuple[str, ...]]:
    """Which place the film has, and that it would have none among so many."""
    return ((rf"would not be among the first {listed}(?: ;)?(?: (?:it|<f>) is {place})?",),)
