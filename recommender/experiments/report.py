"""What an experiment found: pure figures over the logs of exposures and swipes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby, islice
from statistics import fmean

from recommender.errors import InvalidRequest, UnknownExperiment
from recommender.experiments.intervals import (
    Interval,
    lift,
    lift_interval,
    mean_interval,
    share_interval,
)
from recommender.experiments.reactions import WINDOW, Side, Tally, tally
from recommender.experiments.variants import VARIANTS, Variant
from recommender.models import Exposure, Frozen, SwipeEvent
from recommender.stores.ports import Stores

ENOUGH_USERS = 10
USERS_AT_A_TIME = 500
"""Whose swipes are read by one query."""

UserTallies = Mapping[Side, Tally]


class VariantFigures(Frozen):
    """How the people who saw one variant reacted.

    ``like_rate`` is likes per exposure, the mean over users; ``lift`` how much higher it is than
    the baseline's (0.1: ten percent). Intervals are 95 % over users, None for fewer than 10.
    """

    variant: Variant
    users: int
    exposures: int
    films_shown: int
    likes: int
    dislikes: int
    like_rate: float
    like_rate_interval: Interval | None
    lift: float | None
    lift_interval: Interval | None


class Duel(Frozen):
    """Who won when a variant and the baseline were interleaved.

    A user's winner is the side of which they liked more films. ``win_share`` is of the users who
    have one; above 0.5 the variant is better. Its interval is Wilson's, 95 %.
    """

    variant: Variant
    baseline: Variant
    users: int
    likes: int
    baseline_likes: int
    wins: int
    losses: int
    ties: int
    win_share: float | None
    win_share_interval: Interval | None


class ExperimentReport(Frozen):
    """The findings. ``mixed_users`` saw several variants, each alone, and are left out of those."""

    experiment: str
    baseline: Variant
    reaction_window_days: float
    variants: tuple[VariantFigures, ...]
    mixed_users: int
    duels: tuple[Duel, ...]


def report(
    stores: Stores, experiment: str, baseline: Variant | None = None, window: timedelta = WINDOW
) -> ExperimentReport:
    """Read the logs of an experiment and compare its variants with the baseline.

    Without a ``baseline`` it is the simplest variant that was shown.

    Raises:
        UnknownExperiment: it showed nobody anything.
        InvalidRequest: it did not show the baseline.
    """
    people = [seen for logs in _logs(stores, experiment) if (seen := tally(*logs, window))]
    if not people:
        raise UnknownExperiment(experiment, stores.exposures.experiments())
    return compare(experiment, people, baseline, window)


def compare(
    experiment: str,
    people: Sequence[UserTallies],
    baseline: Variant | None = None,
    window: timedelta = WINDOW,
) -> ExperimentReport:
    """The report of what was counted, one element of ``people`` a user. Raises InvalidRequest."""
    shown = [v for v in VARIANTS if any(side.variant == v for seen in people for side in seen)]
    if baseline is None:
        baseline = shown[0]
    if baseline not in shown:
        raise InvalidRequest(
            f"Experiment {experiment!r} did not show {baseline}. It showed: {', '.join(shown)}."
        )
    alone = [{s.variant: t for s, t in seen.items() if not s.interleaved} for seen in people]
    drafts = [{s.variant: t for s, t in seen.items() if s.interleaved} for seen in people]
    return ExperimentReport(
        experiment=experiment,
        baseline=baseline,
        reaction_window_days=window / timedelta(days=1),
        variants=tuple(_variant_figures(alone, shown, baseline)),
        mixed_users=sum(len(seen) > 1 for seen in alone),
        duels=tuple(_duels(drafts, shown, baseline)),
    )


def _logs(
    stores: Stores, experiment: str
) -> Iterator[tuple[Sequence[Exposure], Sequence[SwipeEvent]]]:
    """What each user was shown, oldest first, and all their swipes."""
    exposures = stores.exposures.of_experiment(experiment)
    users = ((user, list(shown)) for user, shown in groupby(exposures, lambda e: e.user_id))
    while some := dict(islice(users, USERS_AT_A_TIME)):
        swipes = stores.swipes.events_of(list(some))
        yield from ((shown, swipes.get(user, [])) for user, shown in some.items())


def _variant_figures(
    alone: Sequence[Mapping[Variant, Tally]], shown: Sequence[Variant], baseline: Variant
) -> Iterator[VariantFigures]:
    groups = {v: [seen[v] for seen in alone if seen.keys() == {v}] for v in shown}
    for variant, group in groups.items():
        if group:
            control = [] if variant == baseline else groups[baseline]
            yield _figures(variant, group, control)


def _figures(variant: Variant, group: Sequence[Tally], control: Sequence[Tally]) -> VariantFigures:
    ours = [seen.like_rate for seen in group]
    theirs = [seen.like_rate for seen in control]
    enough = len(ours) >= ENOUGH_USERS
    return VariantFigures(
        variant=variant,
        users=len(group),
        exposures=sum(seen.exposures for seen in group),
        films_shown=sum(seen.films for seen in group),
        likes=sum(seen.likes for seen in group),
        dislikes=sum(seen.dislikes for seen in group),
        like_rate=fmean(ours),
        like_rate_interval=mean_interval(ours) if enough else None,
        lift=lift(ours, theirs) if theirs else None,
        lift_interval=lift_interval(ours, theirs)
        if enough and len(theirs) >= ENOUGH_USERS
        else None,
    )


def _duels(
    drafts: Sequence[Mapping[Variant, Tally]], shown: Sequence[Variant], baseline: Variant
) -> Iterator[Duel]:
    for variant in shown:
        fought = [d for d in drafts if variant in d and baseline in d]
        if fought and variant != baseline:
            yield _duel(variant, baseline, [(d[variant].likes, d[baseline].likes) for d in fought])


def _duel(variant: Variant, baseline: Variant, likes: Sequence[tuple[int, int]]) -> Duel:
    """``likes`` has a pair for each user: of the variant's films and of the baseline's."""
    wins = sum(ours > theirs for ours, theirs in likes)
    losses = sum(ours < theirs for ours, theirs in likes)
    decided = wins + losses
    return Duel(
        variant=variant,
        baseline=baseline,
        users=len(likes),
        likes=sum(ours for ours, _ in likes),
        baseline_likes=sum(theirs for _, theirs in likes),
        wins=wins,
        losses=losses,
        ties=len(likes) - decided,
        win_share=wins / decided if decided else None,
        win_share_interval=share_interval(wins, decided) if decided else None,
    )
