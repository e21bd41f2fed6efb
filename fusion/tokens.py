"""Words and swipes as one text, for the token fusion."""

from fusion.fusion_encoder import FusionInput, SwipedFilm

MAX_LIKES, MAX_DISLIKES = 10, 4
MAX_QUERY_CHARS = 400
RECENT_DAYS = 1.0


def as_text(asked: FusionInput) -> str:
    """Query, context, likes and dislikes, the latest first: what is cut is the oldest.

    Films of the last day stand under a heading of their own, as the session's.
    """
    latest = list(reversed(asked.swipes))
    likes = [film for film in latest if film.liked][:MAX_LIKES]
    dislikes = [film for film in latest if not film.liked][:MAX_DISLIKES]
    now = [film for film in likes if film.days_ago < RECENT_DAYS]
    before = [film for film in likes if film.days_ago >= RECENT_DAYS]
    parts = [
        f"[QUERY] {asked.query[:MAX_QUERY_CHARS]}" if asked.query.strip() else "",
        "[FOR SOMEONE ELSE]" if asked.for_someone_else else "",
        _listed("[LIKES NOW]", now),
        _listed("[LIKES]", before),
        _listed("[DISLIKES]", dislikes),
    ]
    return " ".join(part for part in parts if part) or "[QUERY]"


def _listed(heading: str, films: list[SwipedFilm]) -> str:
    return f"{heading} {'; '.join(film.text for film in films)}" if films else ""


def film_text(title: str, year: int | None) -> str:
    """A film as the token fusion reads it."""
    return f"{title} ({year})" if year else title
