"""The last word of a turn: what the tools answered, as a person would say it."""

from collections.abc import Callable, Iterable, Sequence

from langchain_core.messages import ToolMessage

from assistant.planner.conversation import DESCRIBE, SEARCH
from assistant.planner.planning import Plan
from assistant.planner.wording import MOST_SHOWN
from prompts import has_phrase, phrase
from tools.content import Content, label, read


def reply(plan: Plan, results: Sequence[ToolMessage], seed: str) -> str:
    """Put the answers of the tools into words; ``seed`` picks among wordings."""
    if not results:
        return phrase(plan.phrase, seed, **plan.values)
    good = [message for message in results if message.status != "error"]
    said = [phrase(note, seed, **_NOTE_VALUES.get(note, {})) for note in plan.notes]
    for name in dict.fromkeys(str(message.name) for message in good):
        contents = [read(message.text) for message in good if message.name == name]
        if name in _WORDS:
            said.append(_WORDS[name](contents, seed))
    if good and good[-1].name == SEARCH:
        said.append(_found(read(good[-1].text), seed))
    if good and good[-1].name == DESCRIBE:
        said.append(_described(read(good[-1].text), plan.phrase, seed))
    failed = (_error(message) for message in results if message.status == "error")
    return " ".join([*said, *dict.fromkeys(failed)])


def _error(message: ToolMessage) -> str:
    kind, _, detail = message.text.partition(": ")
    if "limit exceeded" in message.text:
        return phrase("error.CallLimit")
    return phrase(f"error.{kind}" if has_phrase(f"error.{kind}") else "error.other", detail=detail)


def _reacted(contents: Sequence[Content], seed: str) -> str:
    said = []
    for direction in ("like", "dislike", "skip"):
        films = [
            content.fields.get("film", "")
            for content in contents
            if content.fields.get("direction") == direction
        ]
        if films:
            said.append(phrase(f"reaction.{direction}", seed, films=listed(films)))
    swipes = max(_number(content, "swipes") for content in contents)
    updated = any(content.fields.get("preferences updated") == "yes" for content in contents)
    key = "reaction.updated" if updated else "reaction.kept"
    return " ".join([*said, phrase(key, seed, swipes=films_counted(swipes))])


def _undone(contents: Sequence[Content], seed: str) -> str:
    films = [content.fields.get("film", "") for content in contents]
    return phrase("reaction.undone", seed, films=listed(films))


def _survey(contents: Sequence[Content], seed: str) -> str:
    return phrase("survey.started", seed, cards=contents[-1].fields.get("cards", ""))


def _explained(contents: Sequence[Content], seed: str) -> str:
    fields = contents[-1].fields
    return phrase("explain.reply", seed, explanation=fields.get("explanation", ""))


def _profile(contents: Sequence[Content], seed: str) -> str:
    content = contents[-1]
    swipes = _number(content, "swipes")
    if not swipes:
        return phrase("profile.none", seed)
    counts = {key: content.fields.get(key, 0) for key in ("liked", "disliked")}
    unseen = content.fields.get("not seen", 0)
    said = [phrase("profile.counts", seed, swipes=films_counted(swipes), unseen=unseen, **counts)]
    for key, field in _PROFILE_LISTS.items():
        if names := content.values(field):
            said.append(phrase(f"profile.{key}", seed, names=listed(names)))
    said.append(phrase(f"profile.{_strategy(content)}", seed))
    return " ".join(said)


# The card shows the rest.
_PROFILE_LISTS = {"goes": "goes for genres", "avoids": "avoids genres"}


def _described(content: Content, asked: str, seed: str) -> str:
    """The fact that was asked for, or that the catalogue lacks it; else all that it says."""
    fields = content.fields
    film = label(fields.get("film", ""), _number(content, "year") or None)
    lists = {key: content.values(key) for key in ("genres", "directors", "cast", "themes")}
    known = {key: listed(names) for key, names in lists.items() if names} | {
        key: fields[key] for key in ("year", "overview") if key in fields
    }
    if asked == "describe.all":
        told = [part for part in _DESCRIPTION if part in known]
        said = [phrase(f"describe.of_{part}", **{part: known[part]}) for part in told]
        return " ".join([phrase("describe.all", film=film), *said])
    wanted = {"describe.makers": "directors"}.get(asked, asked.removeprefix("describe."))
    if wanted not in known:
        return phrase("describe.unknown", seed, film=film)
    return phrase(asked, seed, film=film, **{wanted: known[wanted]})


_DESCRIPTION = ("genres", "directors", "cast", "overview", "themes")


def _found(content: Content, seed: str) -> str:
    if not content.films:
        return _found_nothing(content, seed)
    count = len(content.films)
    how = "".join(f", {part}" for part in _understood(content))
    said = [phrase("search.found" if count > 1 else "search.found_one", seed, count=count, how=how)]
    if names := content.values("not known"):
        quoted = listed([f"“{name}”" for name in names])
        said.append(phrase("search.not_known", seed, names=quoted))
    if content.fields.get("fewer than"):
        said.append(phrase("search.all", seed))
    said.append(phrase(f"search.{_order(content)}", seed))
    if parts := [part.replace("_", " ") for part in content.values("degraded")]:
        said.append(phrase("note.degraded", seed, parts=listed(parts)))
    return " ".join(said)


def _found_nothing(content: Content, seed: str) -> str:
    if how := ", ".join(_understood(content)):
        return phrase("search.none", seed, how=f" ({how})")
    return phrase("search.none_plain", seed)


def _understood(content: Content) -> Iterable[str]:
    for key, wording in _SEARCH_PHRASES.items():
        if names := content.values(key):
            yield phrase(f"search.{wording}", names=listed(names))
    if names := content.values("similar to"):
        key = "similar_left_out" if len(names) == 1 else "similar_many_left_out"
        yield phrase(f"search.{key}", names=listed(names))
    if explored := content.fields.get("explored"):
        yield phrase("search.explored", how=explored)
    start, end = content.fields.get("from year"), content.fields.get("to year")
    if start and end:
        yield phrase("search.year" if start == end else "search.years", start=start, end=end)
    elif start:
        yield phrase("search.years_from", start=start)
    elif end:
        yield phrase("search.years_to", end=end)


_SEARCH_PHRASES = {
    "looked up": "looked_up",
    "similar to": "similar",
    "leaning to": "leaning",
    "less": "less",
    "genres": "genres",
    "genres left out": "genres_left_out",
    "people": "people",
    "part of their work": "part",
    "people left out": "people_left_out",
    "without": "without",
}
_STRATEGIES = ("generic", "light", "personal")
_NOTE_VALUES: dict[str, dict[str, object]] = {"search.capped": {"limit": MOST_SHOWN}}
_WORDS: dict[str, Callable[[Sequence[Content], str], str]] = {
    "record_reaction": _reacted,
    "undo_reaction": _undone,
    "start_survey": _survey,
    "explain_movie": _explained,
    "show_profile": _profile,
}


def _order(content: Content) -> str:
    """What decided the order of the films."""
    if "for" in content.fields:
        return "for_someone_else"
    if content.fields.get("taste") == "left out":
        return "without_taste"
    strategy = _strategy(content)
    if strategy == "light" and "disliked" in content.fields and "liked" not in content.fields:
        return "turned_down"
    named = "similar to" in content.fields and content.fields.get("preference influence") == "0.00"
    return "named" if named and strategy != "generic" else strategy


def _strategy(content: Content) -> str:
    strategy = content.fields.get("strategy", "")
    return strategy if strategy in _STRATEGIES else "generic"


def _number(content: Content, key: str) -> int:
    value = content.fields.get(key, "")
    return int(value) if value.isdecimal() else 0


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def films_counted(count: int) -> str:
    """``1 film``, ``2 films``."""
    return f"{count} film" if count == 1 else f"{count} films"
