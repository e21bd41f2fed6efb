"""Whether a sentence says only what the evidence says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recommender.claims.facts import FILM, LABEL, TITLE, WORD, Fact, facts_of, names_of
from recommender.claims.lexicon import all_words, table, words
from recommender.models import Evidence, Item

MOST_LETTERS = 400
_MARKUP = re.compile(r"[*_`]+")
_QUOTES = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‑": "-"}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:st|nd|rd|th|s)?\b)|(?P<word>'s\b|[^\W\d_]+(?:'[a-z]+)?)"
    r"|(?P<mark>[,;:.!()\"'–—-]))"
)
_CUTS = frozenset(",;:()–—")


@dataclass(frozen=True)
class Token:
    """A word, number, mark or name; ``names`` are the facts' own that it may be a form of."""

    text: str
    names: tuple[str, ...] = ()


class ClaimChecker:
    """Knows what may be said of one film to one person, and nothing else."""

    def __init__(
        self, item: Item, evidence: Sequence[Evidence], titles: Mapping[str, str]
    ) -> None:
        """``titles`` are of the films that evidence points to, by id."""
        self._item = item
        self._facts = facts_of(item, evidence, titles)
        self._names = names_of(self._facts)

    @cached_property
    def names(self) -> list[str]:
        """All names that may be said."""
        return [self._item.title, *self._names]

    def checked(self, sentence: str) -> str | None:
        """The sentence, without markup, if all it says can be traced; else None."""
        said = self._unmarked(sentence)
        if len(said) > MOST_LETTERS:
            return None
        tokens = self._tokens("".join(_QUOTES.get(letter, letter) for letter in said))
        if tokens is None or not _quotes_names_only(tokens):
            return None
        tokens = [token for token in tokens if token.text not in ('"', "'")]
        return said if tokens and self._stands(tokens) else None

    def _unmarked(self, sentence: str) -> str:
        """Emphasis is taken out, but not of a name such as M*A*S*H."""
        marked = [re.escape(name) for name in self.names if _MARKUP.search(name)]
        parts = re.split(f"({'|'.join(marked)})" if marked else r"(?!)", " ".join(sentence.split()))
        return "".join(
            part if place % 2 else _MARKUP.sub("", part) for place, part in enumerate(parts)
        )

    @cached_property
    def _titles(self) -> frozenset[str]:
        return frozenset(name for name, role in self._names.items() if role == TITLE)

    @cached_property
    def _proper(self) -> frozenset[str]:
        """The names that are written as they are: titles and people."""
        proper = {name for name, role in self._names.items() if role not in (LABEL, WORD)}
        return frozenset(proper | {self._item.title})

    @cached_property
    def _name_patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """How each name may be written; labels in any case, and in the plural."""
        labels = [name for name, role in self._names.items() if role in (LABEL, WORD)]
        return [(_pattern(name, re.NOFLAG), name) for name in self._proper] + [
            (_pattern(form, re.IGNORECASE), name) for name in labels for form in _forms(name)
        ]

    def _tokens(self, said: str) -> list[Token] | None:
        """None where something is neither word, number, mark nor name."""
        tokens: list[Token] = []
        place = 0
        while said[place:].strip():
            start = place + len(said[place:]) - len(said[place:].lstrip())
            if found := self._name_at(said, start):
                end, names = found
                tokens.append(Token(said[start:end], names))
            elif token := _TOKEN.match(said, place):
                end = token.end()
                tokens += _spelled_out(token)
            else:
                return None
            place = end
        return tokens

    def _name_at(self, said: str, start: int) -> tuple[int, tuple[str, ...]] | None:
        if start and said[start - 1].isalnum():
            return None
        quoted = said[start - 1 : start] in ('"', "'")
        found = [(pattern.match(said, start), name) for pattern, name in self._name_patterns]
        spans = [
            (match.end(), name)
            for match, name in found
            if match and (quoted or name in self._proper or match[0].lower() not in all_words())
        ]
        if not spans:
            return None
        longest = max(end for end, _ in spans)
        names = tuple(name for end, name in spans if end == longest)
        return self._with_year(said, longest) if self._item.title in names else longest, names

    def _with_year(self, said: str, end: int) -> int:
        year = f" ({self._item.year})"
        return end + len(year) if said.startswith(year, end) else end

    def _stands(self, tokens: Sequence[Token]) -> bool:
        """Whether the sentence can be cut into clauses of which each has its fact."""
        if self._supported(tokens, self._facts):
            return True
        felt = any(token.text in words("feelings") for token in tokens)
        facts = [fact for fact in self._facts if not (fact.bare and felt)]
        reached = {0}
        for end in [*(n for n in range(1, len(tokens)) if _may_cut(tokens, n)), len(tokens)]:
            if any(self._follows(tokens, start, end, facts) for start in reached):
                reached.add(end)
        return len(tokens) in reached

    def _follows(
        self, tokens: Sequence[Token], start: int, end: int, facts: Sequence[Fact]
    ) -> bool:
        """Whether the clause from ``start`` to ``end`` stands beside those before it.

        "You liked Heat and it is from 1995" may say of either film when it was made.
        """
        clause = tokens[start:end]
        if not _is_clause(clause, first=start == 0):
            return False
        elsewhere = any(self._titles.intersection(token.names) for token in tokens[:start])
        if elsewhere and (
            _is_verb(*_content(clause)[:1]) or any(token.text in ("it", "its") for token in clause)
        ):
            return False
        named = self._names_film(clause, elsewhere)
        return self._supported(clause, [fact for fact in facts if named or not fact.own])

    def _names_film(self, clause: Sequence[Token], elsewhere: bool) -> bool:
        """Whether it says itself what or whom it is about, so that no film beside it is meant."""
        about = words("here") if elsewhere else words("here") | {"it", "its"}
        led = _content(clause)
        return (bool(led) and led[0].text in ("you", "your")) or any(
            token.text in about or self._item.title in token.names for token in clause
        )

    def _supported(self, clause: Sequence[Token], facts: Sequence[Fact]) -> bool:
        return any(self._says(fact, clause) for fact in facts)

    def _says(self, fact: Fact, clause: Sequence[Token]) -> bool:
        """Whether a clause says this fact and no more."""
        roles = {self._item.title: FILM, **fact.roles}
        parts = [_part(token, roles) for token in clause]
        if None in parts:
            return False
        said = " ".join(part or "" for part in parts)
        if not all(re.search(needed, said) for needed in fact.needed):
            return False
        for phrase in (*fact.may, *sorted(fact.needed, key=len, reverse=True)):
            said = re.sub(_but_names(phrase), " ", said)
        if re.search(fact.barred, said):
            return False
        allowed = words("plain") | fact.words
        return all(
            token in allowed or token[0] == "<" or not token[0].isalnum() and token != "'s"
            for token in said.split()
        )


def _part(token: Token, roles: Mapping[str, str]) -> str | None:
    """The token, or, for a name, the part it plays; None for one that plays none."""
    if not token.names:
        return token.text
    return next((roles[name] for name in token.names if name in roles), None)


def _but_names(phrase: str) -> str:
    """A phrase to take out; one that is only a name stays, to be judged with its neighbours."""
    return r"(?!)" if re.fullmatch(r"<[^ ]*>(?:\|.*)?", phrase) and "you" not in phrase else phrase


def _forms(label: str) -> list[str]:
    others = [other for name, list_ in table("genres").items() if name == label for other in list_]
    return [label, f"{label}s", *others]


def _pattern(form: str, flags: re.RegexFlag) -> re.Pattern[str]:
    plain = "".join(_QUOTES.get(letter, letter) for letter in form)
    return re.compile(rf"{re.escape(plain)}(?!\w)", flags)


def _spelled_out(token: re.Match[str]) -> list[Token]:
    text = token[0].strip().lower()
    return [Token(part) for part in table("contractions").get(text, text).split()]


def _quotes_names_only(tokens: Sequence[Token]) -> bool:
    """Whether all that stands in quotation marks is names."""
    inside = False
    for token in tokens:
        if not token.names and token.text in ('"', "'"):
            inside = not inside
        elif inside and not token.names and token.text not in (",", "and"):
            return False
    return not inside


def _may_cut(tokens: Sequence[Token], place: int) -> bool:
    """Whether a clause may begin at a token: after a mark or with a joint, and not with a tie."""
    before, here = tokens[place - 1], tokens[place]
    opens = not before.names and before.text in _CUTS
    joins = not here.names and here.text in words("joints")
    following = tokens[place + 1 : place + 2] if joins else [here]
    tied = any(not t.names and t.text in words("ties") for t in following)
    return (opens or joins) and not tied


def _is_clause(clause: Sequence[Token], first: bool) -> bool:
    """Whether it says something by itself, and is not a part of the clause beside it.

    "Like Heat, which you liked," says what comes next of Heat, too; ", and Heat" says of Heat what
    came before.
    """
    led = _content(clause)
    if not led:
        return True
    if not led[0].names:
        return led[0].text not in words("comparing") or any(map(_predicated, led, led[1:]))
    return first or _is_verb(*led[1:2])


def _content(clause: Sequence[Token]) -> list[Token]:
    """What comes after the joint that a clause begins with, without marks."""
    return [t for t in clause if t.names or (t.text not in words("joints") and t.text not in _CUTS)]


def _predicated(subject: Token, verb: Token) -> bool:
    return not subject.names and subject.text in words("subjects") and _is_verb(verb)


def _is_verb(*token: Token) -> bool:
    return any(not t.names and t.text in words("verbs") for t in token)
