"""The tools that record a reaction given in words, and take one back."""

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import ToolException

from recommender.errors import NothingToUndo
from recommender.models import Direction, SwipeReceipt
from tools.content import write
from tools.context import ToolContext, idempotency_key
from tools.films import film_at, film_label, find_film


@tool(response_format="content_and_artifact", parse_docstring=True)
def record_reaction(
    direction: Direction,
    runtime: ToolRuntime[ToolContext],
    title_or_id: str = "",
    position: int | None = None,
) -> tuple[str, SwipeReceipt]:
    """Record that the user liked, disliked or has not seen (skip) a film. One film a call.

    Args:
        direction: like, dislike, or skip for "haven't seen it".
        title_or_id: the film's title as the user wrote it, or its id as "id:6".
        position: instead of a title, its number among the films last shown (1 is the first).
    """
    context = runtime.context
    item_id = (
        film_at(context, position) if position is not None else find_film(context, title_or_id)
    )
    receipt = context.recommender.record_swipe(
        context.user_id,
        item_id,
        direction,
        session_id=context.session_id,
        idempotency_key=idempotency_key(runtime),
    )
    return _content(context, receipt), receipt


@tool(response_format="content_and_artifact", parse_docstring=True)
def undo_reaction(
    runtime: ToolRuntime[ToolContext], title_or_id: str = ""
) -> tuple[str, SwipeReceipt]:
    """Take back the user's latest swipe or reaction, or that to one film.

    Args:
        title_or_id: the film whose reaction to take back; empty means the latest of all.
    """
    context = runtime.context
    item_id = find_film(context, title_or_id) if title_or_id else None
    try:
        receipt = context.recommender.undo_swipe(
            context.user_id, item_id, idempotency_key=idempotency_key(runtime)
        )
    except NothingToUndo:
        if item_id is None:
            raise
        film = film_label(context, item_id)
        raise ToolException(f"There is nothing to take back: no reaction to {film}.") from None
    return _content(context, receipt), receipt


def _content(context: ToolContext, receipt: SwipeReceipt) -> str:
    return write(
        {
            "status": receipt.status,
            "direction": receipt.direction,
            "film": film_label(context, receipt.item_id),
            "film id": receipt.item_id,
            "swipes": receipt.swipe_count,
            "preferences updated": "yes" if receipt.preferences_updated else "no",
        }
    )
