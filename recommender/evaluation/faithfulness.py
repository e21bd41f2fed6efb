"""How much of what explanations say is true, found out without the code that made them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fusion.evaluate.protocol import Interactions
from fusion.evaluate.tasks import Case
from recommender.catalogue import Catalogue
from recommender.claims import ClaimChecker
from recommender.evaluation.bench import Bench
from recommender.evaluation.fact_checker import FactChecker
from recommender.evaluation.world import swipes_of
from recommender.models import USUAL_RESULTS, Direction, Evidence, Explanation, Item, SearchRequest
from recommender.query import QueryReader
from recommender.service import Recommender
from recommender.settings import RecommenderSettings
from recommender.stores.ports import NewSwipe, Stores

EXPLAINED = 3
"""Films of each answer that are explained."""
FRAMES = (
    "Why {film}?",
    "Nothing in your words or swipes points to {film} yet.",
    "On the other hand:",
)
"""What templates say beside the evidence."""


@dataclass(frozen=True)
class Told:
    """A sentence of an explanation: the kind of its evidence, and whether it is true.

    ``kind`` is "unfounded" for what is said of no evidence.
    """

    kind: str
    true: bool
    text: str


@dataclass(frozen=True)
class Explained:
    """An explanation to a stranger of these swipes and words, and what it says."""

    swipes: Sequence[NewSwipe]
    query: str
    explanation: Explanation
    told: Sequence[Told]


class LikedTogether:
    """Counts in ratings whether people who liked one film also liked another.

    They did when more of them liked it than of everybody, and more than of people who like as many
    films do.
    """

    def __init__(self, people: Interactions, ids: Sequence[str]) -> None:
        """``ids`` are films by their index."""
        swiped = list(people.swipes())
        self._index = {item_id: index for index, item_id in enumerate(ids)}
        self._likes = np.zeros((len(swiped), len(ids)), dtype=bool)
        for row, swipes in enumerate(swiped):
            self._likes[row, [swipe.item for swipe in swipes if swipe.liked]] = True
        liked = self._likes.sum(axis=1)
        self._activity = liked / max(float(liked.mean()), 1e-9)

    def __call__(self, first: str, second: str) -> bool:
        """Whether it is so of these films, by id."""
        who, them = (self._likes[:, self._index[film]] for film in (first, second))
        share = float(them.mean())
        expected = np.minimum(share * self._activity[who], 1.0).sum()
        both = int((who & them).sum())
        return bool(both > share * who.sum() and both > expected)


class Judge:
    """Explains to strangers, and checks every sentence by facts, swipes and ranking again."""

    def __init__(self, bench: Bench) -> None:
        self._stores: Stores = bench.stores()
        settings = RecommenderSettings(enable_search_cache=False)
        self._recommender = Recommender(
            self._stores, bench.encoder, settings, fusions=bench.fusions
        )
        self._ids = bench.ids
        self._together = LikedTogether(bench.harness.dataset.everyone, bench.ids)
        self._catalogue = Catalogue(self._recommender.films())
        self._reader = QueryReader(self._catalogue)

    def explain(self, case: Case, number: int) -> Iterator[Explained]:
        """The explanations of the first films that this stranger is shown for this wish."""
        user_id, query = f"stranger {number}", case.query or ""
        swipes = list(swipes_of(user_id, case.history, self._ids))
        for swipe in swipes:
            self._stores.swipes.append(swipe)
        for item in self._recommender.search(_asking(user_id, query)).items[:EXPLAINED]:
            explained = self._recommender.explain(user_id, item.item_id, query)
            yield Explained(swipes, query, explained, list(self._told(explained, swipes, query)))

    def misled(self, explained: Explained, other: Explained) -> Iterator[tuple[bool, bool]]:
        """What comes of a writer who says here what was to be said there.

        Of each sentence whether it is true here too, and whether the checker lets it through.
        """
        evidence = explained.explanation.evidence
        item, facts = self._item(explained), self._facts(explained.swipes)
        understood = self._reader.read(explained.query)
        ids = [fact.item_id for fact in evidence if fact.item_id]
        titles = {film.item_id: film.title for film in self._catalogue.select(ids)}
        checker = ClaimChecker(item, evidence, titles)
        for claim in other.explanation.evidence:
            true = claim.kind != "counterfactual" and facts.holds(item, claim, understood)
            yield true or claim in evidence, checker.checked(f"{claim.text}.") is not None

    def _told(
        self, explained: Explanation, swipes: Sequence[NewSwipe], query: str
    ) -> Iterator[Told]:
        facts, understood = self._facts(swipes), self._reader.read(query)
        item, rest = self._catalogue.get(explained.item_id), explained.explanation
        for claim in explained.evidence:
            true = facts.holds(item, claim, understood) and f"{claim.text}." in rest
            if claim.kind == "counterfactual":
                true = true and self._ranked_so(item, claim, swipes, query)
            rest = rest.replace(f"{claim.text}.", "", 1)
            yield Told(claim.kind, true, claim.text)
        film = f"{item.title} ({item.year})" if item.year else item.title
        for frame in FRAMES:
            rest = rest.replace(frame.format(film=film), "", 1)
        if rest.strip():
            yield Told("unfounded", False, rest.strip())

    def _facts(self, swipes: Sequence[NewSwipe]) -> FactChecker:
        said = {swipe.item_id: swipe.action for swipe in swipes}
        return FactChecker(self._catalogue, said, self._together)

    def _item(self, explained: Explained) -> Item:
        return self._catalogue.get(explained.explanation.item_id)

    def _ranked_so(
        self, item: Item, claim: Evidence, swipes: Sequence[NewSwipe], query: str
    ) -> bool:
        """Whether a twin who never saw the liked film is shown this one where the claim says."""
        user_id = swipes[0].user_id
        twin = f"{user_id} without {claim.item_id}"
        if not self._stores.swipes.events(twin):
            for swipe in swipes:
                skipped = swipe.item_id == claim.item_id
                action = Direction.SKIP.value if skipped else swipe.action
                self._stores.swipes.append(replace(swipe, user_id=twin, action=action))
        said = claim.text.replace(self._catalogue.get(claim.item_id or "").title, "", 1)
        places = [int(place) for place in re.findall(r"(\d+)(?:st|nd|rd|th)", said)]
        place, other = (self._place(who, item.item_id, query) for who in (user_id, twin))
        if f"not be among the first {USUAL_RESULTS}" in said:
            return other is None and places == [place]
        return places == [other, place]

    def _place(self, user_id: str, item_id: str, query: str) -> int | None:
        found = self._recommender.search(_asking(user_id, query)).items
        ids = [item.item_id for item in found]
        return ids.index(item_id) + 1 if item_id in ids else None


def measure_faithfulness(bench: Bench) -> Iterator[list[list[str]]]:
    """Tables of rows: how true the templates' sentences are by kind of evidence, what co-likes add
    to them, and what is let through of a writer who says what is true of others.
    """
    judge = Judge(bench)
    cases = [case for task in bench.tasks if task.n_swipes for case in task.cases]
    explained = [each for number, case in enumerate(cases) for each in judge.explain(case, number)]
    yield tally([each.told for each in explained])
    yield gained([each.told for each in explained])
    half = len(explained) // 2
    misled = [
        verdict
        for one, other in zip(explained, [*explained[half:], *explained[:half]], strict=True)
        for verdict in judge.misled(one, other)
    ]
    yield [
        ["said of somebody else's film", "true of this one, too", "let through", "of them false"],
        [
            f"{len(misled):,}",
            f"{sum(true for true, _ in misled):,}",
            f"{sum(kept for _, kept in misled):,}",
            f"{sum(kept and not true for true, kept in misled):,}",
        ],
    ]


def tally(explanations: Sequence[Sequence[Told]]) -> list[list[str]]:
    """Sentences and how many of them are true, by kind, with one of each kind that is not."""
    told = [sentence for explanation in explanations for sentence in explanation]
    counts, true = Counter(t.kind for t in told), Counter(t.kind for t in told if t.true)
    false: Mapping[str, str] = {t.kind: t.text for t in told if not t.true}
    rows = [["evidence", "sentences", "true", "share", "one that is not"]]
    for kind, count in counts.most_common():
        share = f"{true[kind] / count:.2%}"
        rows.append([kind, f"{count:,}", f"{true[kind]:,}", share, false.get(kind, "")])
    count, held = len(told), sum(true.values())
    whole = f"all of {len(explanations):,} explanations"
    rows.append([whole, f"{count:,}", f"{held:,}", f"{held / max(count, 1):.2%}", ""])
    return rows


def gained(explanations: Sequence[Sequence[Told]]) -> list[list[str]]:
    """How many explanations tell of co-likes, and what they would say of the person otherwise."""
    kinds = [{told.kind for told in sentences} for sentences in explanations]
    telling = [each for each in kinds if "co_liked" in each]
    without_film = sum("liked_film" not in each for each in telling)
    without = sum(each.isdisjoint({"liked_film", "genre", "tag"}) for each in telling)
    return [
        ["explanations", "tell of co-likes", "name no other like", "say nothing else of taste"],
        [f"{len(kinds):,}", f"{len(telling):,}", f"{without_film:,}", f"{without:,}"],
    ]


def _asking(user_id: str, query: str) -> SearchRequest:
    return SearchRequest(user_id=user_id, query=query, k=USUAL_RESULTS)
