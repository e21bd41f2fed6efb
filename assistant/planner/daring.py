"""How daring a search a message asks for: "surprise me", "a safe choice"."""

import re

from assistant.planner.grammar import plain

DARING, SAFE = 0.9, 0.0
_UNKNOWN = r"(?:known|obvious|popular|mainstream|famous|heard of|common|usual|hyped)"
_PICK = r"(?:choices?|bets?|picks?|options?|recommendations?|films?|movies?|ones?|gems?)"
_EXPLORE = (
    (DARING, r"\bno(?:t|thing)?\b.{0,12}\b(?:safe (?:choice|bet|pick|option)|crowd[- ]?pleas\w+)"),
    (SAFE, r"\b(?:do(?:n't| not)|no need to|never) surprise (?:me|us)\b|\bno surprises\W*$"),
    (SAFE, r"\b(?:nothing|not) (?:too |so |very |that )?(?:obscure|daring|adventurous|risky)\b"),
    (DARING, r"\bsurprise (?:me|us)\b"),
    (
        DARING,
        r"\b(?:something|anything|films?|movies?|ones?) (?:\w+ )?(?:unexpected|surprising|unusual|"
        r"obscure|offbeat|unheard of|out of the ordinary|off the beaten (?:track|path)|"
        r"(?:outside|out of) my comfort zone)\b",
    ),
    (DARING, rf"\b(?:less|lesser|not|nothing)[ -]?(?:(?:so|too|as|that|the|well) )?{_UNKNOWN}\b"),
    (DARING, rf"\b(?:obscure|unusual|unexpected|surprising|overlooked|daring) {_PICK}\b"),
    (DARING, rf"\btoo (?:well[- ])?{_UNKNOWN}\b"),
    (DARING, r"(?<!about )\b(?:obscure|overlooked|little[- ]known) (?:\w+ )?\w+s\b"),
    (DARING, r"\bhidden gems?\b|\bunder[- ]?(?:rated|seen|appreciated)\b|\bunder the radar\b"),
    (DARING, r"\bdeep cuts?\b|\bwild ?card\b|\bnever heard of\b|\btake a (?:risk|chance)\b"),
    (SAFE, rf"\bsafe {_PICK}\b|\bcrowd[- ]?pleas(?:ers?|ing)\b|\bplay(?:ing)? (?:it )?safe\b"),
    (SAFE, r"\b(?:can't|cannot|can not) go wrong\b|\bsure (?:thing|bet|hit)\b"),
    (
        SAFE,
        r"\btried and (?:true|tested)\b|\b(?:everyone|everybody) (?:will |would )?(?:like|love)",
    ),
)
"""How daring an answer the words ask for; the first that fits decides."""


def asked_to_explore(text: str) -> float | None:
    """How daring an answer is asked for, 0..1; None where nothing is said of it."""
    said = plain(text)
    return next((daring for daring, words in _EXPLORE if re.search(words, said)), None)
