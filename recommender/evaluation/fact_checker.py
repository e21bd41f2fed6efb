"""Judges evidence by the catalogue and a person's swipes, and by nothing that made it."""

import re
from collections.abc import Callable, Mapping

from recommender.catalogue import Catalogue
from recommender.errors import UnknownItem
from recommender.models import Evidence, Item, Understanding
from recommender.text import index_text, terms

Labels = Callable[[Item], tuple[str, ...]]


class FactChecker:
    """Knows the catalogue and what one person said of films: "like", "dislike" or "skip" by id.

    ``together`` knows of two films, by id, whether who liked the first also liked the second.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        said: Mapping[str, str],
        together: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._said = said
        self._together = together

    def holds(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        """Whether a claim is of a known form and true."""
        judge = getattr(self, f"_{claim.kind}", None)
        try:
            return judge is not None and bool(judge(item, claim, understood))
        except (KeyError, UnknownItem):
            return False

    def _query(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        if claim.text == "The film you named":
            return understood.lookup == item.item_id
        if claim.text == "Close in meaning to your words, by the language model":
            return bool(understood.text)
        words = claim.text.removeprefix("Matches your words: ").split(", ")
        asked, film = set(terms(understood.text)), set(terms(index_text(item)))
        return claim.text.startswith("Matches") and all(
            set(terms(word)) & film & asked for word in words
        )

    def _person(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        found = re.fullmatch(r"(Directed by|With) (.+), as you asked", claim.text)
        if not found:
            return False
        credits = item.director if found[1] == "Directed by" else item.cast
        return found[2] in credits and found[2] in understood.filters.people

    def _filter(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        genres, _, ground = claim.text.partition(", ")
        asked = {
            "as you asked": understood.filters.include_genres,
            "as your words suggest": understood.soft_genres,
        }[ground]
        return set(genres.split(" and ")) <= set(item.genres) & set(asked)

    def _year(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        filters, year = understood.filters, item.year or 0
        inside = (filters.year_from or 0) <= year <= (filters.year_to or 9999)
        bounds = {int(number) for number in re.findall(r"\d{4}", claim.text)}
        known = {year, filters.year_from, filters.year_to}
        return inside and claim.text.startswith(f"From {year}, ") and bounds <= known

    def _anchor_film(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        anchor = self._catalogue.get(claim.item_id or "")
        return anchor.item_id in understood.anchors and self._alike(item, anchor, claim.text)

    def _liked_film(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return not claim.against and self._swiped(item, claim, "like", "liked")

    def _disliked_film(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return claim.against and self._swiped(item, claim, "dislike", "disliked")

    def _co_liked(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        """That it names a like, and, where ratings are known, that they bear it out."""
        like = self._catalogue.get(str(claim.item_id))
        told = claim.text == f"People who liked {like.title} also liked this"
        told = told and self._said.get(like.item_id) == "like"
        return told and (self._together is None or self._together(like.item_id, item.item_id))

    def _counterfactual(self, _item: Item, claim: Evidence, _: Understanding) -> bool:
        """That it names a like; whoever can rank again checks its places."""
        like = self._catalogue.get(str(claim.item_id))
        named = claim.text.startswith(f"Without {like.title} among your likes it would ")
        return named and self._said.get(like.item_id) == "like"

    def _swiped(self, item: Item, claim: Evidence, direction: str, verb: str) -> bool:
        other = self._catalogue.get(claim.item_id or "")
        text = claim.text.replace(f", which you {verb}", "", 1)
        told = text != claim.text and self._said[other.item_id] == direction
        return told and self._alike(item, other, text)

    def _alike(self, item: Item, other: Item, text: str) -> bool:
        if text == f"Close to {other.title}":
            return item.item_id != other.item_id
        start = f"Like {other.title}: "
        if not text.startswith(start):
            return False
        shared = text.removeprefix(start)
        for name in set(item.director) & set(other.director):
            shared = shared.replace(f"directed by {name}", "")
        for name in set(item.cast) & set(other.cast):
            shared = shared.replace(f"with {name}", "")
        labels = {*item.tags, *item.genres} & {*other.tags, *other.genres}
        for label in sorted(labels, key=len, reverse=True):
            shared = shared.replace(label, "")
        return shared.strip(", ") == ""

    def _genre(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return self._label(claim, item.genres, lambda film: film.genres)

    def _tag(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return self._label(claim, item.tags, lambda film: film.tags)

    def _label(self, claim: Evidence, own: tuple[str, ...], labels: Labels) -> bool:
        found = re.fullmatch(
            r"(You go for|You tend to pass on) (.+) \(liked (\d+) of (\d+) swiped\)", claim.text
        )
        if not found:
            return False
        name, liked, swiped = found[2].strip("“”"), int(found[3]), int(found[4])
        said = [
            direction
            for item_id, direction in self._said.items()
            if direction != "skip" and name in labels(self._catalogue.get(item_id))
        ]
        counted = (liked, swiped) == (said.count("like"), len(said))
        fair = liked <= swiped / 2 if claim.against else liked >= swiped / 2
        return name in own and counted and fair and swiped > 0

    def _acclaim(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        text = f"Rated {item.rating_mean:.1f} of 5 by {item.rating_count} MovieLens viewers"
        return claim.text == text and (item.rating_mean or 0) >= 3.9

    def _popularity(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        rank = sum(other.rating_count > item.rating_count for other in self._catalogue.items)
        most = rank <= len(self._catalogue) / 10 + 1
        return claim.text == "One of the most watched films here" and most
