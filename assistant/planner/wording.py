"""From a message to the words and the number of a search."""

import re
from dataclasses import dataclass

from assistant.planner.conversation import Conversation
from assistant.planner.daring import asked_to_explore
from assistant.planner.grammar import plain
from assistant.planner.references import DEICTIC, ORDINAL, title_of
from assistant.planner.titles import Titles
from tools.search import DEFAULT_K

MOST_SHOWN = 50
"""The most films one answer of the chat shows."""
_NUMBERS = {
    word: n
    for n, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"a dozen": 12, "twenty": 20, "a couple of": 2, "a couple": 2}
_COUNT = rf"(?P<n>\d{{1,5}}|{'|'.join(_NUMBERS)})\b(?!['’]?s\b)"
_ASK = (
    r"(?:please )?(?:(?:can|could|would|will) you )?(?:please )?"
    r"(?:give|show|find|get|recommend|suggest|list|name|tell|bring|pick)(?: me| us)? "
)
_FILMS = r"(?:\w+ ){0,3}(?:films|movies|flicks|\w+ies|dramas|thrillers|westerns|musicals|noirs)\b"
_COUNTED = re.compile(
    rf"^(?:{_ASK}(?:just |only |my |your |the )?(?:top |best )?{_COUNT} ?"
    rf"|(?:just |only |the )?(?:top |best )?{_COUNT.replace('<n>', '<m>')} (?={_FILMS}))"
    r"(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_OPENER = (
    r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|ok(?:ay)?|thanks|thank you|great|"
    r"cool|nice)(?: there| reelwise)?"
)
_HELLO = re.compile(
    rf"^(?:{_OPENER}[,.! ]+){{0,3}}{_OPENER}[,.!]+\s+(?:now )?(?=\S)", re.IGNORECASE
)
_MORE = re.compile(
    r"^(?:ok |and |please )*(?:(?:show|give|find|get|recommend|suggest)(?: me| us)? )?"
    r"(?:(?:some |any |a few |\d+ |two |three |five |ten )*(?:more|others?)"
    r"(?: (?:films|movies|options|ideas|suggestions|recommendations|like (?:that|these|those|them)|"
    r"of (?:those|them|these|the same)|please))*"
    r"|(?:what|anything|something) else|next|another(?: one)?|keep going|different ones|"
    r"more of the same|none of (?:these|those|them)|"
    r"(?:i )?(?:do(?:n't| not) (?:really )?(?:like|want)|hate) "
    r"(?:any of )?(?:these|those|them))\W*$"
)
_REFINE = re.compile(
    r"^(?:ok |and |now |please )*(?:but|only|just|without|not|no|except|make (?:it|them)|more|less|"
    r"older|newer|funnier|shorter|longer|darker|lighter|scarier|happier|sadder|with|from|before|"
    r"after|in (?:the|black|colou?r)|a (?:bit|little)|nothing|something less)\b"
)
_REFINE_WORDS = 10
_POINTED = re.compile(rf"\b(like|as|to) (?P<film>{ORDINAL}|{DEICTIC})(?=$|\W)", re.IGNORECASE)


@dataclass(frozen=True)
class Search:
    """What to hand to search_movies. ``capped``: more was asked for than is shown."""

    query: str
    k: int = DEFAULT_K
    capped: bool = False
    explore: float | None = None

    @property
    def args(self) -> dict[str, object]:
        """The arguments of the tool call."""
        args: dict[str, object] = {"query": self.query, "k": self.k}
        return args if self.explore is None else args | {"explore": self.explore}


def without_greeting(text: str) -> str:
    """The message after a "Hi, …" at its start."""
    return _HELLO.sub("", text.strip(), count=1)


def asks_for_more(text: str) -> bool:
    """Whether a message asks for more of the same, such as "what else?"."""
    return bool(_MORE.match(plain(text)))


def read_search(text: str, conversation: Conversation, titles: Titles) -> Search:
    """The person's own words, with what they leave to the conversation put in."""
    if titles.exact(text):
        return Search(text)
    if asks_for_more(text):
        return _more(text, conversation)
    words, count = _counted(text)
    pointed = _with_titles(words, conversation, titles)
    k = DEFAULT_K if count is None else min(max(count, 1), MOST_SHOWN)
    capped = (count or 0) > MOST_SHOWN
    earlier = str(conversation.last_search.get("query", ""))
    refines = pointed == words and len(words.split()) <= _REFINE_WORDS
    explore = asked_to_explore(words)
    if earlier and refines and _REFINE.match(plain(words)):
        kept = _explored(conversation) if explore is None else explore
        return Search(f"{earlier}, {words}", k, capped, kept)
    return Search(pointed, k, capped, explore)


def _counted(text: str) -> tuple[str, int | None]:
    found = _COUNTED.match(text)
    if not found:
        return text, None
    word = (found["n"] or found["m"]).lower()
    return found["rest"].strip(), _NUMBERS[word] if word in _NUMBERS else int(word)


def _more(text: str, conversation: Conversation) -> Search:
    _, count = _counted(text)
    shown = conversation.last_search.get("k", 0)
    wanted = (shown if isinstance(shown, int) else 0) + (count or DEFAULT_K)
    query = str(conversation.last_search.get("query", ""))
    return Search(query, min(wanted, MOST_SHOWN), wanted > MOST_SHOWN, _explored(conversation))


def _explored(conversation: Conversation) -> float | None:
    earlier = conversation.last_search.get("explore")
    return float(earlier) if isinstance(earlier, int | float) else None


def _with_titles(text: str, conversation: Conversation, titles: Titles) -> str:
    def named(pointer: re.Match[str]) -> str:
        title = title_of(pointer["film"], conversation, titles)
        return f"{pointer[1]} {title}" if title else pointer[0]

    return _POINTED.sub(named, text)
