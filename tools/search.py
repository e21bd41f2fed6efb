"""The tool that searches the catalogue with the user's words and taste."""

from collections.abc import Sequence

from langchain.tools import ToolRuntime, tool

from recommender.models import (
    MAX_NAMED_FILMS,
    MAX_QUERY_CHARS,
    MAX_RESULTS,
    Mention,
    RecommendedItem,
    SearchRequest,
    SearchResult,
    Understanding,
)
from tools.content import FilmLine, write
from tools.context import ToolContext
from tools.films import film_label, find_film

DARING = 0.5
NAMED_CAST = 3


@tool(response_format="content_and_artifact", parse_docstring=True)
def search_movies(
    query: str,
    runtime: ToolRuntime[ToolContext],
    k: int | None = None,
    explore: float | None = None,
    similar_to: list[str] | None = None,
    liked: list[str] | None = None,
    disliked: list[str] | None = None,
    use_taste: bool = True,
    refinements: list[str] | None = None,
) -> tuple[str, SearchResult]:
    """Recommend films for the user. Films they already swiped are left out.

    Args:
        query: the user's own words, unchanged: titles, people, genres, years, moods and negations
            in them are understood. Empty means "recommend me something".
        k: how many films, only if they say so.
        explore: how daring, only if they say so: 0.9 for "surprise me" or "something less obvious",
            0 for "a safe choice" or "a crowd pleaser".
        similar_to: films that the answer shall be like, by title or "id:…", if the query does not
            name them itself.
        liked: films they say they like, by title or "id:…"; they count for this answer and are
            not recorded.
        disliked: the same for films they say they do not like.
        use_taste: False only if they ask to leave their own taste out this time.
        refinements: what they changed about that wish since, each in their own words ("older",
            "less sad"), while the wish of ``query`` stands; leave out what they took back.
    """
    context, defaults = runtime.context, runtime.context.defaults
    request = SearchRequest(
        user_id=context.user_id,
        query=wish(query, refinements)[:MAX_QUERY_CHARS],
        k=defaults.k if k is None else min(max(k, 1), MAX_RESULTS),
        explore=None if explore is None else min(max(0.0, explore), 1.0),
        similar_to=_found(context, similar_to),
        history=tuple(Mention(item_id=film) for film in _found(context, liked)),
        dislikes=_found(context, disliked),
        use_taste=use_taste,
        taste=defaults.taste,
        variant=defaults.variant,
    )
    result = context.recommender.search(request)
    return _content(context, request, result), result


def wish(query: str, refinements: Sequence[str] | None) -> str:
    """The words that are searched by: the query, and after semicolons how it was refined."""
    return "; ".join(filter(None, (query, *(refinements or ()))))


def _found(context: ToolContext, references: list[str] | None) -> tuple[str, ...]:
    """The ids of films that are named; raises ToolException for one that there is not."""
    named = (references or [])[:MAX_NAMED_FILMS]
    return tuple(dict.fromkeys(find_film(context, reference) for reference in named))


def _content(context: ToolContext, request: SearchRequest, result: SearchResult) -> str:
    metadata = result.intelligence_metadata
    fields = {
        "found": len(result.items),
        "fewer than": request.k if len(result.items) < request.k else "",
        "strategy": metadata.strategy,
        "preference influence": f"{metadata.preference_influence:.2f}",
        **_understood(context, request, result.understood),
        "explored": _explored(context, request, result),
        "degraded": metadata.degraded,
    }
    return write(fields, (_film(context, item) for item in result.items))


def _understood(
    context: ToolContext, request: SearchRequest, understood: Understanding
) -> dict[str, object]:
    filters = understood.filters
    return {
        "looked up": film_label(context, understood.lookup) if understood.lookup else "",
        "similar to": tuple(film_label(context, item_id) for item_id in understood.similar_to),
        "liked": tuple(film_label(context, film.item_id) for film in request.history),
        "disliked": tuple(film_label(context, item_id) for item_id in request.dislikes),
        "taste": "" if request.use_taste else "left out",
        "for": "someone else" if understood.for_someone_else else "",
        "leaning to": understood.soft_genres,
        "less": understood.less,
        "without": understood.without,
        "not known": understood.unknown,
        "part of their work": understood.part or "",
        "genres": filters.include_genres,
        "genres left out": filters.exclude_genres,
        "from year": filters.year_from or "",
        "to year": filters.year_to or "",
        "people": filters.people,
        "people left out": filters.exclude_people,
    }


def _explored(context: ToolContext, request: SearchRequest, result: SearchResult) -> str:
    """How daring the answer is, where that was asked; a safe one differs by taste alone."""
    if request.explore is None:
        return ""
    if request.explore > DARING:
        little = _little_known(context, result)
        return "less known films first" if little else "fame counting against a film"
    metadata = result.intelligence_metadata
    fused = metadata.variant in ("token_fusion", "embedding_fusion")
    return "well known films first" if fused and metadata.preference_influence else ""


def _little_known(context: ToolContext, result: SearchResult) -> bool:
    """Whether most of the films found are rated by fewer people than half of the catalogue."""
    films = context.recommender.films()
    usual = films[len(films) // 2].rating_count
    counts = (context.recommender.item(item.item_id).rating_count for item in result.items)
    return sum(0 < count < usual for count in counts) * 2 > len(result.items)


def _film(context: ToolContext, item: RecommendedItem) -> FilmLine:
    facts = [", ".join(item.genres), ", ".join(item.director)]
    if item.cast:
        facts.append("with " + ", ".join(item.cast[:NAMED_CAST]))
    if tags := context.recommender.item(item.item_id).tags:
        facts.append("themes: " + ", ".join(tags))
    if item.reason:
        facts.append("why: " + "; ".join(item.reason))
    return FilmLine(item.item_id, item.title, item.year, " · ".join(filter(None, facts)))
