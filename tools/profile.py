"""The tool that says what is known about the user's taste."""

from collections.abc import Iterable

from langchain.tools import ToolRuntime, tool

from recommender.models import Profile, TasteWeight
from tools.content import write
from tools.context import ToolContext

_SHOWN = 5


@tool(response_format="content_and_artifact", parse_docstring=True)
def show_profile(runtime: ToolRuntime[ToolContext]) -> tuple[str, Profile]:
    """Show what the service has learned about this user's taste, and from how many swipes."""
    profile = runtime.context.recommender.profile(runtime.context.user_id)
    return _content(profile), profile


def _content(profile: Profile) -> str:
    return write(
        {
            "swipes": profile.swipe_count,
            "liked": profile.like_count,
            "disliked": profile.dislike_count,
            "not seen": profile.skip_count,
            "strategy": profile.strategy,
            "confidence": f"{profile.preference_confidence:.2f}",
            "goes for genres": _names(profile.top_genres),
            "avoids genres": _names(profile.avoided_genres),
            "goes for tags": _names(profile.top_tags),
            "years": profile.favourite_years or (),
            "recent likes": profile.recent_likes[:_SHOWN],
        }
    )


def _names(weights: Iterable[TasteWeight]) -> tuple[str, ...]:
    return tuple(weight.name for weight in weights)[:_SHOWN]
