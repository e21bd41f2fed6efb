"""What is asked for once only: "ignore my taste this time"."""

import re

_ONCE = r"(?:this time|for once|(?:just )?(?:this )?once|today|tonight|for now)"
_TASTE = r"my (?:own |usual )?(?:tastes?|profile|preferences|swipes|likes|history)"
_IGNORED = re.compile(
    rf"[,;.]?\s*\b(?:and |but |please |just )*(?:(?:{_ONCE})[, ]+)?"
    rf"(?:(?:ignore|disregard|leave out|set aside|regardless of|never mind|without|don'?t use|"
    rf"do not use|not using) {_TASTE}(?:,? {_ONCE})?|forget (?:about )?{_TASTE},? {_ONCE}|"
    rf"(?:leave|keep) {_TASTE} out(?: of (?:it|this))?|"
    r"(?:nothing|not) (?:to do with|based on|tuned to) my (?:taste|profile|swipes))",
    re.IGNORECASE,
)


def without_taste(text: str) -> str | None:
    """The message without its plea to leave taste out; None where it has no such plea."""
    said = text.replace("’", "'")
    if not _IGNORED.search(said):
        return None
    return " ".join(_IGNORED.sub(" ", said).split()).strip(" ,;.!?")
