"""The tool that searches the catalogue with the user's words and taste."""

from langchain.tools import ToolRuntime, tool

from recommender.models import (
    MAX_QUERY_CHARS,
    MAX_RESULTS,
    RecommendedItem,
    SearchRequest,
    SearchResult,
    Understanding,
)
from tools.content import FilmLine, write
from tools.context import ToolContext
from tools.films import film_label

DEFAULT_K = 10
DARING = 0.5


@tool(response_format="content_and_artifact", parse_docstring=True)
def search_movies(
    query: str,
    runtime: ToolRuntime[ToolContext],
    k: int = DEFAULT_K,
    explore: float | None = None,
) -> tuple[str, SearchResult]:
    """Recommend films for the user. Films they already swiped are left out.

    Args:
        query: the user's own words, unchanged: titles, people, genres, years, moods and negations
            in them are understood. Empty means "recommend me something".
        k: how many films.
        explore: how daring, only if they say so: 0.9 for "surprise me" or "something less obvious",
            0 for "a safe choice" or "a crowd pleaser".
    """
    context = runtime.context
    request = SearchRequest(
        user_id=context.user_id,
        query=query[:MAX_QUERY_CHARS],
        k=min(max(k, 1), MAX_RESULTS),
        explore=None if explore is None else min(max(0.0, explore), 1.0),
    )
    result = context.recommender.search(request)
    return _content(context, request, result), result


def _content(context: ToolContext, request: SearchRequest, result: SearchResult) -> str:
    metadata = result.intelligence_metadata
    fields = {
        "found": len(result.items),
        "strategy": metadata.strategy,
        "preference influence": f"{metadata.preference_influence:.2f}",
        **_understood(context, result.understood),
        "explored": _explored(request, result),
        "degraded": metadata.degraded,
    }
    return write(fields, map(_film, result.items))


def _understood(context: ToolContext, understood: Understanding) -> dict[str, object]:
    filters = understood.filters
    return {
        "looked up": film_label(context, understood.lookup) if understood.lookup else "",
        "similar to": tuple(film_label(context, item_id) for item_id in understood.similar_to),
        "for": "someone else" if understood.for_someone_else else "",
        "leaning to": understood.soft_genres,
        "genres": filters.include_genres,
        "genres left out": filters.exclude_genres,
        "from year": filters.year_from or "",
        "to year": filters.year_to or "",
        "people": filters.people,
        "people left out": filters.exclude_people,
    }


def _explored(request: SearchRequest, result: SearchResult) -> str:
    """How daring the answer is, where that was asked and could be: taste alone is explored."""
    metadata = result.intelligence_metadata
    fused = metadata.variant in ("token_fusion", "embedding_fusion")
    if request.explore is None or not fused or metadata.preference_influence == 0:
        return ""
    return "less known films" if request.explore > DARING else "well known films"


def _film(item: RecommendedItem) -> FilmLine:
    facts = [", ".join(item.genres), ", ".join(item.director)]
    if item.reason:
        facts.append("why: " + "; ".join(item.reason))
    return FilmLine(item.item_id, item.title, item.year, " · ".join(filter(None, facts)))
