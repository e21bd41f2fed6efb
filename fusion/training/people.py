"""Who is learned from and whom a model is calibrated on, who must be somebody else."""

from typing import NamedTuple

from fusion.evaluate.data import DataUnusable, split_users
from fusion.evaluate.protocol import Interactions

SEED = 7
"""The evaluation's: the people it tests on are the ones that are set aside here."""
STRANGERS, SET_ASIDE = 60, 130
MIN_STRANGERS, MIN_PEOPLE = 5, 25
FEW_SWIPES = 10


class People(NamedTuple):
    """Nobody is in both."""

    learned_from: Interactions
    strangers: Interactions


def divide(everyone: Interactions, hold_out: bool = False, min_swipes: int = FEW_SWIPES) -> People:
    """Strangers with ``min_swipes`` likes and dislikes: 10 % of the people, 5 to 60.

    ``hold_out`` also keeps apart those whom the evaluation tests on: a quarter, 130 at most.

    Raises:
        DataUnusable: there are too few people.
    """
    count = len(everyone.by_user)
    if count < MIN_PEOPLE:
        raise DataUnusable(
            f"{count} people have likes or dislikes; training takes {MIN_PEOPLE} at least."
        )
    strangers = min(STRANGERS, max(MIN_STRANGERS, count // 10))
    split = split_users(everyone, SEED, strangers, min(SET_ASIDE, count // 4), min_swipes)
    if hold_out:
        return People(split.train, split.validation)
    kept = {u: r for u, r in everyone.by_user.items() if u not in split.validation.by_user}
    return People(Interactions(everyone.n_items, kept), split.validation)
