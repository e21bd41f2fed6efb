"""The examples of the API's documentation: real films, and answers as the service gives them."""

from typing import Any

Example = dict[str, Any]

USER = "ada"
SESSION = "5f0c2a4be1d84f1f9d7a3c52b8e60d17"

SURVEY_START: Example = {"user_id": USER, "survey_size": 20}
SWIPE: Example = {
    "user_id": USER,
    "item_id": "541",
    "direction": "like",
    "session_id": SESSION,
    "timestamp": "2026-11-24T20:15:00Z",
}
UNDO: Example = {"user_id": USER, "item_id": "541"}
SEARCH: Example = {
    "user_id": USER,
    "query": "a clever movie about time",
    "k": 5,
    "explain": True,
    "filters": {"exclude_genres": ["Horror"], "year_from": 1990},
    "similar_to": "541",
}
EXPLAIN: Example = {"user_id": USER, "item_id": "164179", "query": "a clever movie about time"}

BLADE_RUNNER: Example = {
    "item_id": "541",
    "title": "Blade Runner",
    "year": 1982,
    "genres": ["Action", "Sci-Fi", "Thriller"],
    "director": ["Ridley Scott"],
    "cast": ["Harrison Ford", "Rutger Hauer", "Sean Young"],
    "overview": "A weary ex-policeman in a rain-soaked future Los Angeles is ordered to hunt down "
    "four artificial humans who have escaped from an off-world colony.",
}
ARRIVAL: Example = {
    "item_id": "164179",
    "title": "Arrival",
    "year": 2016,
    "genres": ["Drama", "Mystery", "Sci-Fi"],
    "director": ["Denis Villeneuve"],
    "cast": ["Amy Adams", "Jeremy Renner", "Forest Whitaker"],
    "overview": "Twelve huge shells come to rest around the globe, and the US Army recruits a "
    "linguist to find out what their occupants want.",
}
EVIDENCE: Example = {
    "kind": "liked_film",
    "text": "You liked Blade Runner (1982).",
    "item_id": "541",
    "weight": 0.6,
}
LEARNED_WEIGHTS: Example = {"vector": 0.5, "bm25": 0.2, "preference": 0.3}

ITEM: Example = BLADE_RUNNER | {
    "tags": ["cyberpunk", "androids", "neo-noir"],
    "imdb_id": "tt0083658",
    "tmdb_id": 78,
    "rating_count": 124,
    "rating_mean": 4.1,
}
SURVEY_SESSION: Example = {
    "user_id": USER,
    "session_id": SESSION,
    "movies": [BLADE_RUNNER, ARRIVAL],
}
SURVEY_STEP: Example = {
    "session_id": SESSION,
    "position": 1,
    "total": 20,
    "completed": False,
    "movie": ARRIVAL,
}
SWIPE_RECEIPT: Example = {
    "status": "recorded",
    "preferences_updated": True,
    "swipe_count": 6,
    "item_id": "541",
    "direction": "like",
}
UNDO_RECEIPT: Example = SWIPE_RECEIPT | {"status": "undone", "swipe_count": 5}
SEARCH_RESULT: Example = {
    "user_id": USER,
    "items": [
        ARRIVAL
        | {
            "score": 0.82,
            "preference_boost": 0.11,
            "reason": ["Close to Blade Runner, which you liked", "Matches “time”"],
            "evidence": [EVIDENCE],
        }
    ],
    "model_version": "all-MiniLM-L6-v2-int8",
    "cached": False,
    "preference_confidence": 0.35,
    "understood": {
        "text": "a clever movie about time",
        "similar_to": ["541"],
        "filters": {
            "include_genres": [],
            "exclude_genres": ["Horror"],
            "year_from": 1990,
            "year_to": None,
            "people": [],
            "exclude_seen": True,
        },
        "soft_genres": [],
        "lookup": None,
    },
    "intelligence_metadata": {
        "embedding_cached": False,
        "preference_influence": 0.3,
        "confidence_score": 0.35,
        "transformer_latency_ms": 6.1,
        "strategy": "light",
        "degraded": [],
    },
}
EXPLANATION: Example = {
    "item_id": "164179",
    "title": "Arrival",
    "explanation": "Arrival is here because you liked Blade Runner (1982).",
    "evidence": [EVIDENCE],
    "model": "template",
}
PROFILE: Example = {
    "user_id": USER,
    "swipe_count": 6,
    "like_count": 3,
    "dislike_count": 2,
    "skip_count": 1,
    "preference_confidence": 0.35,
    "strategy": "light",
    "top_genres": [{"name": "Sci-Fi", "weight": 0.48}],
    "avoided_genres": [{"name": "Horror", "weight": -0.22}],
    "top_tags": [{"name": "cerebral", "weight": 0.31}],
    "favourite_years": [1982, 2016],
    "popularity_bias": -0.1,
    "learned_weights": LEARNED_WEIGHTS,
    "transformer_metrics": {
        "model_version": "all-MiniLM-L6-v2-int8",
        "vector_dim": 384,
        "vector_strategy": "recency_weighted",
        "preference_hash": "9c1f4b7a02de",
    },
    "recent_likes": ["541", "164179"],
    "updated_at": "2026-11-24T20:15:00Z",
}
USER_EXPORT: Example = {
    "user_id": USER,
    "exported_at": "2026-11-24T20:16:00Z",
    "swipes": [
        {
            "event_id": 41,
            "user_id": USER,
            "item_id": "541",
            "action": "like",
            "session_id": SESSION,
            "swiped_at": "2026-11-24T20:15:00Z",
            "recorded_at": "2026-11-24T20:15:00.120Z",
            "idempotency_key": None,
        }
    ],
    "surveys": [{"session_id": SESSION, "item_ids": ["541", "164179"]}],
    "preferences": {"genre_weights": {"Sci-Fi": 0.48}},
}
READINESS: Example = {
    "status": "ready",
    "checks": {"store": True, "index": True, "encoder": True},
}
