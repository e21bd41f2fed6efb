"""From the words for a film ("Heat", "id:6", "the second one shown") to its id."""

import re
from collections.abc import Sequence

from langchain_core.tools import ToolException
from rapidfuzz import fuzz

from recommender.errors import UnknownItem
from recommender.models import Filters, RecommendedItem, SearchRequest
from recommender.query.titles import title_key
from recommender.query.words import keys_of
from recommender.text import bare_title, fold
from tools.content import label
from tools.context import ToolContext

_YEAR = re.compile(r"\s*\(?\b((?:18|19|20)\d\d)\)?$")
_NUMBER = re.compile(r"\d+")
_SAME_TITLE = 88.0
"""Least similarity (0..100, Levenshtein) at which a misspelt title still names a film."""


def chosen_film(context: ToolContext, title_or_id: str, position: int | None) -> str:
    """The id of a film by title or id, else by its place among those shown (default: the first).

    Raises ToolException where neither leads to one film.
    """
    if title_or_id:
        return find_film(context, title_or_id)
    return film_at(context, 1 if position is None else position)


def find_film(context: ToolContext, reference: str) -> str:
    """The id of the film that ``reference`` names: ``id:…``, a title, or a bare id.

    Raises ToolException when no film of the catalogue goes by it, or more than one.
    """
    if reference.startswith("id:"):
        return context.recommender.item(reference.removeprefix("id:").strip()).item_id
    try:
        return _by_title(context, reference)
    except ToolException:
        try:
            return context.recommender.item(reference).item_id
        except UnknownItem:
            pass
        raise


def film_at(context: ToolContext, position: int) -> str:
    """The id of the film at a 1-based place among those last shown; -1 is the last.

    Raises ToolException when nothing was shown there.
    """
    count = len(context.shown)
    if not count:
        raise ToolException("No film has been shown in this conversation yet; ask for some first.")
    if not (1 <= position <= count or -count <= position <= -1):
        raise ToolException(f"There is no film number {position}: {count} were shown.")
    return context.shown[position - 1 if position > 0 else position]


def film_label(context: ToolContext, item_id: str) -> str:
    """Title and year of a film, or what was given where no film has that id."""
    try:
        item = context.recommender.item(item_id)
    except UnknownItem:
        return item_id
    return label(item.title, item.year)


def _by_title(context: ToolContext, title: str) -> str:
    request = SearchRequest(
        user_id=context.user_id, query=title, k=20, filters=Filters(exclude_seen=False)
    )
    result = context.recommender.search(request)
    best = max((_likeness(title, item) for item in result.items), default=0.0)
    if best >= _SAME_TITLE:
        return _the_one(title, [item for item in result.items if _likeness(title, item) == best])
    if result.understood.lookup:
        return result.understood.lookup
    raise ToolException(f"No film in the catalogue is called {title[:80]!r}.")


def _the_one(title: str, alike: Sequence[RecommendedItem]) -> str:
    """The id of the film of this title; one that has its very article goes before the others."""
    very = [item for item in alike if fold(item.title) == fold(title.strip())] or alike
    if len(very) > 1:
        films = " and ".join(sorted(label(item.title, item.year) for item in very))
        raise ToolException(f"There are {films}: say which one by its year.")
    return very[0].item_id


def _likeness(reference: str, item: RecommendedItem) -> float:
    year = _YEAR.search(reference)
    whole = _alike(reference, item.title)
    if not year or not reference[: year.start()].strip():
        return whole
    without = _alike(reference[: year.start()], item.title)
    return max(whole, without if int(year[1]) == item.year else without - 100)


def _alike(one: str, other: str) -> float:
    """How alike two titles are, 0..100: with another number it is another film."""
    if _NUMBER.findall(title_key(keys_of(one))) != _NUMBER.findall(title_key(keys_of(other))):
        return 0.0
    return fuzz.ratio(bare_title(one), bare_title(other))
