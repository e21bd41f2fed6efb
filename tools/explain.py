"""The tool that says why a film suits the user."""

from langchain.tools import ToolRuntime, tool

from recommender.models import MAX_QUERY_CHARS, Explanation
from tools.content import write
from tools.context import ToolContext
from tools.films import chosen_film


@tool(response_format="content_and_artifact", parse_docstring=True)
def explain_movie(
    runtime: ToolRuntime[ToolContext],
    title_or_id: str = "",
    position: int | None = None,
    query: str = "",
) -> tuple[str, Explanation]:
    """Say why a film is recommended to the user, from facts and their own swipes only.

    Args:
        title_or_id: the film's title, or its id as "id:6".
        position: instead of a title, its number among the films last shown (1 is the first).
        query: the words of the search that showed the film, if any.
    """
    context = runtime.context
    item_id = chosen_film(context, title_or_id, position)
    explanation = context.recommender.explain(
        context.user_id, item_id, query[:MAX_QUERY_CHARS], runtime.stream_writer
    )
    return _content(explanation), explanation


def _content(explanation: Explanation) -> str:
    return write(
        {
            "film": explanation.title,
            "film id": explanation.item_id,
            "explanation": explanation.explanation,
            "evidence": tuple(evidence.text for evidence in explanation.evidence),
        }
    )
