"""Reactions given in words: "I loved Alien and hated Cats"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.planner.references import is_deictic, position
from assistant.planner.titles import Titles

_LIKED = r"loved|adored|enjoyed|liked|was blown away by|(?:(?:am|'m) )?(?:a )?(?:big |huge )?fan of"
_DISLIKED = (
    r"hated|disliked|detested|despised|loathed|couldn'?t stand|could not stand|was bored by|"
    r"walked out of|(?:(?:was|am|'m) )?(?:meh|lukewarm|so-so) (?:on|about)|"
    r"did(?:n'?t| not) (?:really |much )?(?:like|enjoy|love|care for)|"
    r"never (?:really |much )?(?:liked|enjoyed|loved|cared for)"
)
_SKIPPED = (
    r"(?:have |'ve )?(?:never|not yet|not) (?:seen|watched|saw)|"
    r"have(?:n'?t| not) (?:yet )?(?:seen|watched)|did(?:n'?t| not) (?:see|watch)"
)
_LIKE = r"love|adore|enjoy|like"
_DISLIKE = (
    r"hate|dislike|detest|despise|can'?t stand|cannot stand|do(?:n'?t| not) (?:really )?like|"
    r"(?:(?:am|'m) )?not (?:(?:really|at all|so|that) )?(?:interested in|into|keen on)"
)
_ADVERBS = r"(?:(?:also|really|absolutely|just|totally|kind of|quite|so|always|both|did|do) )*"
_CLAUSE = re.compile(
    rf"(?:(?:^|[.!?;,] *|\b(?:and|but|though|while) )(?:(?:i|we)(?:'ve| have)? ?)?|"
    rf"(?<!\bif )\b(?:i|we)(?:'ve| have)? ?){_ADVERBS}"
    rf"(?:(?P<liked>{_LIKED})|(?P<disliked>{_DISLIKED})|(?P<skip>{_SKIPPED})|"
    rf"(?P<dislike>{_DISLIKE})|(?P<like>{_LIKE}))(?: (?:very|so) much)?(?: *: *| +)"
    r"|(?:,? but|,| and) not (?P<not>)",
    re.IGNORECASE,
)
_THUMBS = re.compile(r"^(?:a )?(?:big )?thumbs (up|down) (?:for|to|on) (.+)$", re.IGNORECASE)
_FAVOURITE = re.compile(
    r"\bfavou?rites?(?: (?:films?|movies?))?(?: of all time)? (?:is|are|was|were) (.+)$"
    r"|^(.+?) (?:is|was) (?:one of )?my (?:all[- ]time )?favou?rites?\b.*$",
    re.IGNORECASE,
)
_NOT = r"(?:(?:was|is|were|are)(?:n'?t| not)|not)"
_BEING = (
    rf"(?:(?:(?P<denied>{_NOT})|to be|was|is|were|are|both|all|really|so|absolutely|pretty|too|"
    r"very|just|a|an|such|quite|that|actually|particularly) )*"
)
_JUDGEMENT = (
    r"(?:(?P<good>great|brilliant|amazing|fantastic|wonderful|excellent|awesome|superb|perfect|"
    r"masterpieces?|good|fun|beautiful|moving|incredible|hilarious|lovely|nice|sweet|decent|"
    r"stunning|gripping|outstanding|terrific|phenomenal|cute|charming|adorable|funny|touching|"
    r"clever|magical|cool|entertaining|enjoyable|impressive|spectacular|solid|great fun|"
    r"fire|lit|dope|epic|goated|peak)|"
    r"(?P<bad>(?<!is )(?<!are )too (?!good\b|funny\b)\w+(?: and \w+)?|slow|confusing|predictable|"
    r"forgettable|stupid|dumb|terrible|awful|boring|bad|overrated|dreadful|rubbish|horrible|dull|"
    r"disappointing|a mess|garbage|trash|tedious|pretentious|lame|overlong|mid|meh|"
    r"cringe|underwhelming))"
)
"""That it "is too scary" asks for another film; that it "was too slow" judges one seen."""
_AFTER = (
    r"(?:,? (?:films?|movies?|one|ones|though|tbh|honestly|really|too|actually|stuff|"
    r"if you ask me|in my opinion|imh?o|to me|for me))*"
)
_HELD = (
    r"(?:(?:and|but|so|well|honestly|personally|imo),? )*"
    r"(?:i|we) (?P<doubted>(?:do|did)(?:n'?t| not) )?"
    r"(?:thought|think|felt|feel|reckon|found|find|considered|must say) (?:that )?"
)
_VERDICT = re.compile(
    rf"^(?:{_HELD}(?P<held>.+?) |(?P<film>.+?) (?=(?:was|is|were|are)(?:n'?t)? ))"
    rf"{_BEING}{_JUDGEMENT}{_AFTER}\W*$",
    re.IGNORECASE,
)
"""What somebody makes of a film: "Heat was great", "I found Fargo boring"."""
_SEEN_IT = (
    r"^(?:(?:i|we)(?:'ve| have)? )?(?:(?:just|already|recently|both|all) )*(?:seen|watched|saw) "
    r"(?P<film>.+"
)
_SEEN = re.compile(
    rf"{_SEEN_IT}?)(?:[,;.!]+ *(?:it |they |that )?|(?: and| but)? (?:it|they|that) )"
    rf"{_BEING}{_JUDGEMENT}{_AFTER}\W*$",
    re.IGNORECASE,
)
_FELT = re.compile(
    r"\b(?:(?P<good>loved|adored|enjoyed|liked)|(?P<bad>hated|couldn'?t stand|did(?:n'?t| not) "
    r"(?:like|enjoy)|walked out of|fell asleep (?:in|during))) "
    r"(?:it|every (?:minute|second|moment|bit)(?: of it)?)\W*$",
    re.IGNORECASE,
)
"""What was felt about a film that stands before: "Midsommar made me sick, hated it"."""
_SAW = re.compile(r"^(?:(?:i|we)(?:'ve| have)? )?(?:just )?(?:seen|watched|saw) ", re.IGNORECASE)
_ONLY_SEEN = re.compile(rf"{_SEEN_IT})$", re.IGNORECASE)
_THEY = r"(?:it|(?:they|both|all)(?: of them)?)"
_OPINION = re.compile(
    r"(?P<good>(?:oh )?(?:yes|yeah|yep|yup|y|very much|a lot|absolutely|of course|sure|i did)|"
    r"(?:i )?(?:really )?(?:loved|liked|enjoyed) (?:it|both|them(?: both)?)|"
    rf"{_THEY} (?:was|were) "
    r"(?:\w+ )?(?:great|good|brilliant|amazing|excellent|fun|wonderful))|"
    r"(?P<bad>no+|nope|nah|n|not (?:really|at all|much)|"
    r"(?:i )?did(?:n't| not)(?: like (?:it|them))?|"
    r"(?:i )?(?:hated|disliked) (?:it|both|them(?: both)?)|"
    rf"{_THEY} (?:was|were) "
    r"(?:\w+ )?(?:boring|bad|terrible|awful|dull))"
)
_BETWEEN = re.compile(r",? (?:but|and|while|though) |[;,] ", re.IGNORECASE)
_SEVERAL = re.compile(r"(?:the )?(?:first|top) (two|three|four|five)\b.*", re.IGNORECASE)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5}
_ASKING = r"what|any(?:thing)?|some(?:thing)?|show|give|recommend|suggest|find|can|could|more|got"
_REQUEST = re.compile(
    rf"[,.;!?]+ *(?:so |and |now |but )*(?=(?:{_ASKING}|please|now|tonight)\b)"
    r"|[,.;!?]* *\b(?:but|and|so) (?:now )?(?:i )?(?=(?:want|need|would|'d|feel|am looking|"
    r"give|show|recommend|find|suggest|what)\b)",
    re.IGNORECASE,
)
_REQUESTED = re.compile(
    rf"(?:(?:ok(?:ay)?|so|and|now|please),? )*(?:{_ASKING}|films|movies|"
    r"(?:i|we)(?:'d| would)? (?:want|need|like) (?:an?|some(?:thing)?|any(?:thing)?|films|movies)"
    r")\b",
    re.IGNORECASE,
)
"""A wish that comes first is one of its own: "something like Heat, Fargo was clever"."""
_TAIL = re.compile(
    r"(?:[ ,]+(?:too|a lot|so much|very much|as well|either|yet|already|before|though|as a kid|"
    r"last night|yesterday|at all|any ?more|the other day|both|to bits|tbh|the most))+$",
    re.IGNORECASE,
)
_UNSAID = re.compile(
    r"\b(?:i|we) (?:can(?:'?t|not| not)|could(?:n'?t| not)|would(?:n'?t| not)) "
    r"(?:really |honestly )?say (?:that )?(?:i|we)(?:'ve| have)? (?:really |much )?"
    r"(?P<verb>love|enjoy|like|adore)(?:e?d)?\b"
    r"|\bneither of us (?:really |much )?(?P<both>love|enjoy|like|adore)(?:e?d)\b",
    re.IGNORECASE,
)
"""A dislike put politely, or by two: "I can't say I enjoyed Fargo", "neither of us liked it"."""
_WITHDRAWN = re.compile(
    r"^(?:(?:no|oh|ok(?:ay)?|actually|sorry|wait|hey|please|can you|could you)[,.! ]+)*"
    r"(?:(?:(?:(?:i )?take back|forget|undo|remove|delete|cancel|retract|withdraw|scrap|ignore)|"
    r"(?:i )?(?:never|did(?:n'?t| not)) (?:sa(?:y|id)|meant?))(?: about)? (?:that |to (?:say )?)*"
    rf"(?:(?:(?:i|we) )?{_ADVERBS}(?:{_LIKED}|{_DISLIKED}|{_SKIPPED}|{_DISLIKE}|{_LIKE})|"
    r"what (?:i|we) (?:just )?said (?:about|of)|"
    r"(?:my|the|that) (?:(?:dis)?likes?|love|verdict|opinion|rating|reaction|swipe|vote)s? "
    r"(?:for|of|on|about|to)) (?P<films>.+)|(?:undo|un-?(?:dis)?like) (?P<film>.+))$",
    re.IGNORECASE,
)
_INSTEAD = re.compile(r"(?:[,;.!–-]+|,? but|,? and) +(?=(?:i|we|it|they) )", re.IGNORECASE)
_SMALL_WORD = 3
"""Letters of the longest word that a title may have in lower case."""
_PRESENT = ("like", "dislike", "not")
_DIRECTIONS = {"liked": "like", "disliked": "dislike", "not": "dislike"}


@dataclass(frozen=True)
class Reaction:
    """One reaction: ``film`` is what the person called it."""

    direction: str
    film: str


@dataclass(frozen=True)
class Reactions:
    """The reactions of a message and what it asks for besides them."""

    given: tuple[Reaction, ...]
    request: str = ""


def read_reactions(text: str, titles: Titles) -> Reactions:
    """The reactions that ``text`` states; none when it states none.

    "I love X" counts only where X is a film: "I love westerns" is a wish, not a swipe.
    """
    stated, wish = without_request(text)
    stated = _UNSAID.sub(lambda said: f"I did not {said['verb'] or said['both']}", stated)
    given = tuple(_statement(stated, titles)) or tuple(_clauses(stated, titles))
    if any(is_deictic(reaction.film) for reaction in given):
        given = _pointed(given, titles.mentioned(stated))
    return Reactions(tuple(dict.fromkeys(given)), wish if given else "")


def withdrawn(text: str, titles: Titles) -> Reactions:
    """The films whose reactions are taken back: "I never said I liked Heat", "unlike Alien".

    What is said of them instead follows: "…, I hated it".
    """
    stated, wish = without_request(text)
    said = _WITHDRAWN.match(stated.rstrip(".! "))
    if not said or is_deictic(said["film"] or ""):
        return Reactions(())
    denied, *instead = _INSTEAD.split(said["films"] or said["film"], maxsplit=1)
    films = titles.split(_TAIL.sub("", denied))
    given = tuple(Reaction("undo", film) for film in films if _is_a_film(film, titles))
    if not given:
        return Reactions(())
    meant = (r for text in instead for r in read_reactions(text, titles).given)
    return Reactions((*given, *_pointed(tuple(meant), given[-1].film)), wish)


def without_request(text: str) -> tuple[str, str]:
    """What a message states, and the wish that follows: "loved Heat, what else is there?"."""
    said = " ".join(text.replace("’", "'").split())
    request = _REQUEST.search(said)
    return (said[: request.start()], said[request.end() :]) if request else (said, "")


def only_seen(text: str, titles: Titles) -> tuple[str, ...]:
    """The films that a message says were seen, but not what they were like."""
    seen = _ONLY_SEEN.match(" ".join(text.replace("’", "'").split()).rstrip(".! "))
    if not seen:
        return ()
    named = _TAIL.sub("", seen["film"].removeprefix("all of ").removeprefix("both of "))
    films = tuple(titles.split(named))
    return films if all(_is_a_film(film, titles) for film in films) else ()


def opinion(text: str, films: tuple[str, ...]) -> Reactions:
    """What the answer to "did you like it?" says of films; no reactions where it is no answer."""
    parts = [part.strip() for part in re.split(r"[,.;!]", text.replace("’", "'").lower())]
    said = [_OPINION.fullmatch(part) for part in parts if part]
    if not said or not all(said):
        return Reactions(())
    direction = "like" if all(part and part["good"] for part in said) else "dislike"
    return Reactions(tuple(Reaction(direction, film) for film in films))


def _pointed(given: tuple[Reaction, ...], title: str | None) -> tuple[Reaction, ...]:
    """In "just saw Heat, loved it" the film that "it" points at stands in the same message."""
    return tuple(
        replace(reaction, film=title) if title and is_deictic(reaction.film) else reaction
        for reaction in given
    )


def _statement(text: str, titles: Titles) -> Iterator[Reaction]:
    if thumbs := _THUMBS.match(text):
        yield from _films("like" if thumbs[1].lower() == "up" else "dislike", thumbs[2], titles)
    elif favourite := _FAVOURITE.search(text):
        yield from _named("like", favourite[1] or favourite[2], titles)
    elif verdict := _SEEN.match(text):
        yield from _judged(verdict, titles)
    elif (felt := _FELT.search(text)) and (film := _spoken_of(text[: felt.start()], titles)):
        yield Reaction("like" if felt["good"] else "dislike", film)
    else:
        verdicts = [_VERDICT.match(part) for part in _BETWEEN.split(text)]
        if all(verdicts):
            for verdict in filter(None, verdicts):
                yield from _judged(verdict, titles)
        elif (whole := _VERDICT.match(text)) and not _begins_as_request(text, titles):
            yield from _judged(whole, titles)


def _begins_as_request(text: str, titles: Titles) -> bool:
    """Whether a wish comes first, not a title such as "Something Wild"."""
    return bool(_REQUESTED.match(text)) and not titles.leading(text)


def _spoken_of(text: str, titles: Titles) -> str | None:
    """The film of "Midsommar made me sick" and of "seen number 2"."""
    film = _SAW.sub("", text).strip(" ,;.!")
    return film if _is_a_film(film, titles) else titles.leading(film)


def _judged(verdict: re.Match[str], titles: Titles) -> Iterator[Reaction]:
    said = verdict.groupdict()
    denied = bool(said["denied"]) is not bool(said.get("doubted"))
    film = said["film"] or said["held"]
    yield from _named("like" if bool(said["good"]) is not denied else "dislike", film, titles)


def _clauses(text: str, titles: Titles) -> Iterator[Reaction]:
    clauses = list(_CLAUSE.finditer(text))
    previous = ""
    for n, clause in enumerate(clauses):
        end = clauses[n + 1].start() if n + 1 < len(clauses) else len(text)
        verb = clause.lastgroup or ""
        without_subject = clause[0].strip().lower() == "like"
        if without_subject or (verb == "not" and previous not in ("liked", "like")):
            continue
        films = _named if verb in _PRESENT else _films
        yield from films(_DIRECTIONS.get(verb, verb), text[clause.end() : end], titles)
        previous = verb


def _films(direction: str, text: str, titles: Titles) -> Iterator[Reaction]:
    """The films listed in ``text``; "the mood of Heat" is none."""
    whole = text.strip(" ,.;!?\"'")
    bare = whole if titles.exact(whole) else _TAIL.sub("", whole).strip(" ,.;!?\"'")
    if several := _SEVERAL.fullmatch(bare):
        places = range(1, _COUNTS[several[1].lower()] + 1)
        yield from (Reaction(direction, f"number {place}") for place in places)
        return
    for film in titles.split(bare):
        if titles.match(film) or _written_as_title(film) or not titles.mentioned(film):
            yield Reaction(direction, film)


def _named(direction: str, text: str, titles: Titles) -> Iterator[Reaction]:
    reactions = list(_films(direction, text, titles))
    if all(_is_a_film(reaction.film, titles) for reaction in reactions):
        yield from reactions


def _written_as_title(text: str) -> bool:
    """Whether each longer word has a capital, as in "Memories of the Ninth Moon"."""
    words = [word for word in text.split() if len(word) > _SMALL_WORD]
    return len(words) > 1 and all(word[0].isupper() for word in words)


def _is_a_film(text: str, titles: Titles) -> bool:
    if is_deictic(text) or position(text) is not None or titles.match(text) is not None:
        return True
    return text.strip().isdecimal() and len(text.strip()) < 3  # a place in the list
