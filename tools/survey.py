"""The tool that opens a taste survey: cards to swipe."""

from langchain.tools import ToolRuntime, tool

from recommender.models import SurveySession
from tools.content import FilmLine, write
from tools.context import ToolContext, idempotency_key


@tool(response_format="content_and_artifact", parse_docstring=True)
def start_survey(
    runtime: ToolRuntime[ToolContext], size: int | None = None
) -> tuple[str, SurveySession]:
    """Show the user swipe cards that teach the service their taste.

    Args:
        size: how many cards; leave it out unless the user names a number.
    """
    context = runtime.context
    session = context.recommender.start_survey(
        context.user_id, size, idempotency_key=idempotency_key(runtime)
    )
    films = [
        FilmLine(movie.item_id, movie.title, movie.year, ", ".join(movie.genres))
        for movie in session.movies
    ]
    return write({"survey": session.session_id, "cards": len(films)}, films), session
