"""Team-draft interleaving: two rankings become one list, and each film keeps its team."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple


class Drafted(NamedTuple):
    """A film of the joint list and who chose it: ranking 0, ranking 1, or nobody."""

    item_id: str
    team: int | None


def team_draft(first: Sequence[str], second: Sequence[str], k: int, seed: int) -> list[Drafted]:
    """Draft up to ``k`` films, best first, like captains who pick teams in turns.

    In each round a coin decides who picks first; a pick is the best film that is still free
    (Radlinski, Kurup & Joachims 2008, algorithm 2). A round begins while both rankings have a free
    film; what remains of one then fills the list and counts for nobody.
    """
    coin = Random(seed)  # noqa: S311 - a coin, not a secret
    drafted: dict[str, int | None] = {}
    sizes = [0, 0]
    while len(drafted) < k:
        free = [[i for i in ranking if i not in drafted] for ranking in (first, second)]
        level = sizes[0] == sizes[1]
        team = coin.getrandbits(1) if level else sizes.index(min(sizes))
        if not (all(free) if level else free[team]):
            drafted |= dict.fromkeys((free[0] or free[1])[: k - len(drafted)])
            break
        drafted[free[team][0]] = team
        sizes[team] += 1
    return [Drafted(item_id, team) for item_id, team in drafted.items()]
