"""The tool that says what the catalogue knows of a film."""

from langchain.tools import ToolRuntime, tool

from recommender.models import Item
from tools.content import write
from tools.context import ToolContext
from tools.films import chosen_film


@tool(response_format="content_and_artifact", parse_docstring=True)
def describe_movie(
    runtime: ToolRuntime[ToolContext], title_or_id: str = "", position: int | None = None
) -> tuple[str, Item]:
    """Tell the facts of one film: its year, genres, makers and cast, themes, and what it is about.

    Args:
        title_or_id: the film's title, or its id as "id:6".
        position: instead of a title, its number among the films last shown (1 is the first).
    """
    context = runtime.context
    item = context.recommender.item(chosen_film(context, title_or_id, position))
    return _content(item), item


def _content(item: Item) -> str:
    return write(
        {
            "film": item.title,
            "film id": item.item_id,
            "year": item.year or "",
            "genres": item.genres,
            "directors": item.director,
            "cast": item.cast,
            "themes": item.tags,
            "overview": item.overview,
        }
    )
