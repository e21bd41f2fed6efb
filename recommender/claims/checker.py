"""Whether a sentence says only what the evidence says."""

import re
from collections.abc import Mapping, Sequence

from recommender.claims.facts import Fact, facts_of, names_of
from recommender.claims.lexicon import words
from recommender.claims.phrases import FILM, TITLE
from recommender.claims.tokens import Token, Tokeniser
from recommender.models import Evidence, Item

MOST_LETTERS, MOST_CUTS = 400, 10
"""A sentence that is longer, or may be cut in more places, is not looked into."""
_CUTS = frozenset(",;:()–—")


class ClaimChecker:
    """Knows what may be said of one film to one person, and nothing else."""

    def __init__(self, item: Item, evidence: Sequence[Evidence], titles: Mapping[str, str]) -> None:
        """``titles`` are of the films that evidence points to, by id."""
        self._title = item.title
        self._facts = facts_of(item, evidence, titles)
        roles = names_of(self._facts)
        self._tokeniser = Tokeniser(item, roles)
        self._others = frozenset(name for name, role in roles.items() if role == TITLE)
        self.names = (item.title, *roles)
        """All names that may be said."""

    def checked(self, sentence: str) -> str | None:
        """The sentence, without markup, if all it says can be traced; else None."""
        said = self._tokeniser.unmarked(sentence)
        tokens = self._tokeniser.tokens(said) if len(said) <= MOST_LETTERS else None
        return said if tokens and self._stands(tokens) else None

    def _stands(self, tokens: Sequence[Token]) -> bool:
        """Whether the sentence can be cut into clauses of which each has its fact."""
        if self._supported(tokens, self._facts):
            return True
        felt = any(token.text in words("feelings") for token in tokens)
        facts = [fact for fact in self._facts if not (fact.bare and felt)]
        cuts = [place for place in range(1, len(tokens)) if _may_cut(tokens, place)]
        if len(cuts) > MOST_CUTS:
            return False
        reached = {0}
        for end in (*cuts, len(tokens)):
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
        elsewhere = any(self._others.intersection(token.names) for token in tokens[:start])
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
            token.text in about or self._title in token.names for token in clause
        )

    def _supported(self, clause: Sequence[Token], facts: Sequence[Fact]) -> bool:
        return any(self._says(fact, clause) for fact in facts)

    def _says(self, fact: Fact, clause: Sequence[Token]) -> bool:
        """Whether a clause says this fact and no more."""
        roles = {self._title: FILM, **fact.roles}
        parts = [_part(token, roles) for token in clause]
        if None in parts:
            return False
        said = " ".join(part or "" for part in parts)
        if not all(re.search(needed, said) for needed in fact.needed):
            return False
        for phrase in (*fact.may, *sorted(fact.needed, key=len, reverse=True)):
            said = re.sub(_but_names(phrase), " @<t> " if TITLE in phrase else " @ ", said)
        if re.search(fact.barred, said):
            return False
        allowed = words("plain") | fact.words
        return all(
            part in allowed or part[0] == "<" or not part[0].isalnum() for part in said.split()
        )


def _part(token: Token, roles: Mapping[str, str]) -> str | None:
    """The token, or, for a name, the part it plays; None for one that plays none."""
    if not token.names:
        return token.text
    return next((roles[name] for name in token.names if name in roles), None)


def _but_names(phrase: str) -> str:
    """A phrase to take out; one that is only a name stays, to be judged with its neighbours."""
    return r"(?!)" if re.fullmatch(r"<[^ ]*>(?:\|.*)?", phrase) and "you" not in phrase else phrase


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
