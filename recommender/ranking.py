"""Putting candidates in order: words, meaning, a person's taste, and what people at large think."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.preferences.model import Tier, UserPreferences
from recommender.ranking_weights import RankingWeights
from recommender.retrieval import Candidates
from recommender.top_k import top_k

NOWHERE = np.zeros(0, np.intp)


@dataclass(frozen=True)
class Ranked:
    """Scores of n candidates; ``boost`` is the part of ``score`` that the person's taste made."""

    score: NDArray[np.float64]
    boost: NDArray[np.float64]

    def leaning(self, lean: float) -> "Ranked":
        """The same with ``lean`` times the boost."""
        return Ranked(self.score + (lean - 1.0) * self.boost, lean * self.boost)


class Ranker:
    """Scores candidates against the catalogue's columns."""

    def __init__(
        self,
        catalogue: Catalogue,
        mean_vector: NDArray[np.float32],
        weights: RankingWeights,
    ) -> None:
        self._catalogue = catalogue
        self._mean_vector = mean_vector
        self._weights = weights
        fame, acclaim = _fame(catalogue), _min_max(catalogue.acclaim)
        self._gem = np.where(_is_told(catalogue), 0.5 * acclaim - fame, -0.5)
        self._prior = weights.prior_fame * fame + (1 - weights.prior_fame) * acclaim

    def rank(
        self,
        candidates: Candidates,
        preferences: UserPreferences,
        tier: Tier,
        soft_genres: tuple[str, ...] = (),
        has_query: bool = True,
        anchors: Sequence[str] = (),
        for_someone_else: bool = False,
        refused: Collection[str] = (),
        lean: float = 1.0,
    ) -> Ranked:
        """Score = weighted words + meaning + prior + taste, each brought to 0..1 (taste: -1..1).

        ``anchors`` are the ids of films that the answer shall be like. ``for_someone_else``: the
        person's own taste counts little; a fused vector has taken that into account. Films with
        ``refused`` tags go down. ``lean`` multiplies what taste adds.
        """
        weights, learned = self._weights, preferences.search_weights
        if candidates.taste is not None and candidates.likeness is not None:
            wished = self._wished(candidates.rows, soft_genres, anchors, refused)
            near = weights.fused_anchor_likeness if anchors else weights.fused_likeness
            wished += near * _min_max(candidates.likeness)
            labels = np.zeros(len(wished))
            if not has_query:
                labels = weights.fused_genres * self._label_fit(candidates.rows, preferences, tier)
            return self._fused(candidates, candidates.taste, wished, labels).leaning(lean)
        relevance = learned.vector * _min_max(candidates.similarity)
        relevance += learned.bm25 * _share_of_best(candidates.bm25)
        prior = weights.prior_with_words if has_query else weights.prior_alone
        wished = self._wished(candidates.rows, soft_genres, anchors, refused)
        taste = self.taste(candidates.rows, candidates.vectors, preferences, tier)
        scale = weights.taste_with_words if has_query else weights.taste_alone(tier)
        scale *= weights.for_someone_else if for_someone_else else 1.0
        boost = scale * learned.preference * taste
        score = relevance + prior * self._prior[candidates.rows] + wished + boost
        return Ranked(score, boost).leaning(lean)

    def exploring(self, ranked: Ranked, rows: NDArray[np.intp], explore: float) -> Ranked:
        """The scores of ``rows`` with acclaim in the place of fame: with ``explore``, 0..1, at 1
        good films that few know come first.
        """
        gem = explore * self._weights.explored * self._gem[rows]
        return replace(ranked, score=ranked.score + gem)

    def gems(self, allowed: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
        """Rows of the ``count`` films allowed that are the best of those few know."""
        rows = np.flatnonzero(allowed)
        return rows[top_k(self._gem[rows], count)]

    def _fused(
        self,
        candidates: Candidates,
        taste: NDArray[np.float32],
        wished: NDArray[np.float64],
        labels: NDArray[np.float64],
    ) -> Ranked:
        """The fused vector holds words, taste and fame; ``wished``, words and ``labels``, the fit
        of genres and tags, add what it lacks.
        """
        weights = self._weights
        scale = weights.fused / max(float(np.ptp(candidates.similarity)), 1e-9) if len(taste) else 0
        score = weights.fused * _min_max(candidates.similarity) + wished + labels
        score += weights.fused_bm25 * _share_of_best(candidates.bm25)
        boost = scale * (taste - (taste.mean() if len(taste) else 0.0)) + labels
        return Ranked(score, np.asarray(boost, dtype=np.float64))

    def _label_fit(
        self, rows: NDArray[np.intp], preferences: UserPreferences, tier: Tier
    ) -> NDArray[np.float64]:
        """How well films' genres and tags suit a taste, -1..1; all 0 in the generic tier."""
        if tier == "generic":
            return np.zeros(len(rows))
        mix = self._weights.light_mix
        genres = self._genre_fit(rows, preferences.genre_weights)
        tags = self._tag_fit(rows, preferences.tag_weights)
        return np.asarray(mix.genres * genres + mix.tags * tags)

    def _genre_fit(
        self, rows: NDArray[np.intp], weights: Mapping[str, float]
    ) -> NDArray[np.float64]:
        """How well films' genres suit a taste, -1..1; see `_weighed`."""
        known = [genre in weights for genre in self._catalogue.genres]
        weighed = [weights.get(genre, 0.0) for genre in self._catalogue.genres]
        has = self._catalogue.genre_matrix[rows]
        return _weighed(has @ np.array(weighed), has @ np.array(known, dtype=float))

    def _tag_fit(self, rows: NDArray[np.intp], weights: Mapping[str, float]) -> NDArray[np.float64]:
        """The same of their tags."""
        total, count = np.zeros((2, len(self._catalogue)))
        for tag, weight in weights.items():
            tagged = self._catalogue.tag_rows.get(tag, NOWHERE)
            total[tagged] += weight
            count[tagged] += 1
        return _weighed(total[rows], count[rows])

    def _wished(
        self,
        rows: NDArray[np.intp],
        soft_genres: tuple[str, ...],
        anchors: Sequence[str],
        refused: Collection[str],
    ) -> NDArray[np.float64]:
        """What films get for genres that are wished for, or had by the films that are named, and
        what they lose for tags that are refused.
        """
        wished = self._weights.soft_genre * self._genre_share(rows, soft_genres)
        wished -= self._weights.refused * self._has(rows, refused)
        return wished + self._weights.anchor_genre * self._genre_likeness(rows, anchors)

    def taste(
        self,
        rows: NDArray[np.intp],
        vectors: NDArray[np.float32],
        preferences: UserPreferences,
        tier: Tier,
    ) -> NDArray[np.float64]:
        """How well films suit a taste, shape (n,), -1..1; all 0 in the generic tier."""
        if tier == "generic" or not len(rows):
            return np.zeros(len(rows))
        parts = (
            self._along_vector(vectors, preferences),
            self._genre_fit(rows, preferences.genre_weights),
            self._tag_fit(rows, preferences.tag_weights),
            self._year_fit(rows, preferences),
            preferences.popularity_bias * (2 * self._catalogue.popularity[rows] - 1),
        )
        shares = self._weights.mix(tier).shares
        return np.asarray(sum(share * part for share, part in zip(shares, parts, strict=True)))

    def _along_vector(
        self, vectors: NDArray[np.float32], preferences: UserPreferences
    ) -> NDArray[np.float64]:
        direction = preferences.vector
        if direction is None:
            return np.zeros(len(vectors))
        centred = vectors - self._mean_vector
        lengths = np.maximum(np.linalg.norm(centred, axis=1), 1e-6)
        # Cosines to a taste are seldom beyond a half: the scale uses the range that occurs.
        return np.asarray(np.clip(2.0 * (centred @ direction) / lengths, -1, 1), dtype=np.float64)

    def _year_fit(
        self, rows: NDArray[np.intp], preferences: UserPreferences
    ) -> NDArray[np.float64]:
        if preferences.year_centre is None or preferences.year_spread is None:
            return np.zeros(len(rows))
        distance = (self._catalogue.years[rows] - preferences.year_centre) / (
            preferences.year_spread + 10.0
        )
        return np.asarray(2 * np.exp(-0.5 * distance**2) - 1, dtype=np.float64)

    def _genre_likeness(
        self, rows: NDArray[np.intp], anchors: Sequence[str]
    ) -> NDArray[np.float64]:
        """Jaccard index of each film's genres and the anchors' own, the mean over anchors, 0..1."""
        matrix = self._catalogue.genre_matrix
        known = [self._catalogue.rows[item_id] for item_id in anchors if item_id in self._catalogue]
        if not known or not len(rows):
            return np.zeros(len(rows))
        both = matrix[rows].astype(float) @ matrix[known].T.astype(float)
        either = matrix[rows].sum(axis=1)[:, None] + matrix[known].sum(axis=1)[None, :] - both
        return np.asarray((both / np.maximum(either, 1)).mean(axis=1))

    def _has(self, rows: NDArray[np.intp], tags: Collection[str]) -> NDArray[np.float64]:
        """1 for films with any of the tags, else 0."""
        found = np.zeros(len(self._catalogue))
        for tag in tags:
            found[self._catalogue.tag_rows.get(tag, NOWHERE)] = 1.0
        return found[rows]

    def _genre_share(self, rows: NDArray[np.intp], genres: tuple[str, ...]) -> NDArray[np.float64]:
        columns = [self._catalogue.genres.index(g) for g in genres if g in self._catalogue.genres]
        if not columns:
            return np.zeros(len(rows))
        return np.asarray(self._catalogue.genre_matrix[rows][:, columns].mean(axis=1))


def _weighed(total: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of n films, the weights of their labels summed, over the root of their number; -1..1."""
    return np.asarray(np.clip(total / np.sqrt(np.maximum(count, 1)), -1, 1))


def _fame(catalogue: Catalogue) -> NDArray[np.float64]:
    """Square root of the share of the most rated film's ratings: tells hits apart, 0..1."""
    most = max(int(catalogue.rating_counts.max(initial=0)), 1)
    return np.asarray(np.sqrt(catalogue.rating_counts / most))


def _is_told(catalogue: Catalogue) -> NDArray[np.bool_]:
    """Whether ratings tell how many know a film: not while they still come in, in its first years,
    nor where there are none.
    """
    rated = catalogue.rating_counts > 0
    latest = int(catalogue.years[rated].max(initial=0))
    return np.asarray(rated & (catalogue.years < latest - 2))


def _min_max(values: NDArray[np.float32]) -> NDArray[np.float64]:
    if not len(values) or float(np.ptp(values)) < 1e-9:
        return np.zeros(len(values))
    return np.asarray((values - values.min()) / np.ptp(values), dtype=np.float64)


def _share_of_best(values: NDArray[np.float32]) -> NDArray[np.float64]:
    best = float(values.max(initial=0.0))
    return np.asarray(values / best if best > 0 else values, dtype=np.float64)
