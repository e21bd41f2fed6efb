"""The examples of the API's documentation: real films, and answers as the service gives them."""

from typing import Any

Example = dict[str, Any]

USER = "ada"
SESSION = "937361dd-2ef6-4d1a-8cca-a854e96b2f36"

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
    "dislikes": ["2671"],
    "history": ["1214", {"item_id": "164179", "direction": "like"}],
    "use_taste": True,
    "for_someone_else": False,
    "explore": 0.4,
    "taste": 1.0,
    "variant": "embedding_fusion",
}
EXPLAIN: Example = {"user_id": USER, "item_id": "164179", "query": "a clever movie about time"}

HISTORY: Example = {
    "site": "letterboxd",
    "name": "ratings.csv",
    "content": "RGF0ZSxOYW1lLFllYXIsTGV0dGVyYm94ZCBVUkksUmF0aW5nCjIwMjUtMDYtMDEsQXJyaXZhbCwyMDE2"
    "LGh0dHBzOi8vYm94ZC5pdC9hLDQuNQoyMDI1LTA2LTAyLE5vd2hlcmUgRmlsbSwyMDI0LGh0dHBzOi8v"
    "Ym94ZC5pdC9iLDIK",
    "confirm": False,
}

BLADE_RUNNER: Example = {
    "item_id": "541",
    "title": "Blade Runner",
    "year": 1982,
    "genres": ["Action", "Sci-Fi", "Thriller"],
    "director": ["Ridley Scott"],
    "cast": ["Harrison Ford", "Rutger Hauer", "Sean Young"],
    "poster": None,
    "credit": "Directed by",
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
    "poster": None,
    "credit": "Directed by",
    "overview": "Twelve huge shells come to rest around the globe, and the US Army recruits a "
    "linguist to find out what their occupants want.",
}
SOURCE_CODE: Example = {
    "item_id": "85414",
    "title": "Source Code",
    "year": 2011,
    "genres": ["Action", "Drama", "Mystery", "Sci-Fi", "Thriller"],
    "director": ["Duncan Jones"],
    "cast": ["Jake Gyllenhaal", "Michelle Monaghan", "Vera Farmiga", "Jeffrey Wright"],
    "poster": None,
    "credit": "Directed by",
    "overview": "A soldier wakes in another man's body aboard a Chicago commuter train that is "
    "about to explode, and is sent back by a military programme to relive the same eight minutes "
    "until he identifies the bomber.",
}
MATCHED_WORDS: Example = {
    "kind": "query",
    "text": "Matches your words: time",
    "item_id": None,
    "weight": 0.6,
    "against": False,
}
LIKED_GENRE: Example = {
    "kind": "genre",
    "text": "You go for Sci-Fi (liked 3 of 3 swiped)",
    "item_id": None,
    "weight": 0.456,
    "against": False,
}
LEARNED_WEIGHTS: Example = {"vector": 0.4723, "bm25": 0.2833, "preference": 0.2444}

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
    "settled": False,
    "movie": ARRIVAL,
}
SWIPE_RECEIPT: Example = {
    "status": "recorded",
    "preferences_updated": True,
    "swipe_count": 6,
    "item_id": "541",
    "direction": "like",
}
HISTORY_RECEIPT: Example = {
    "user_id": USER,
    "site": "letterboxd",
    "session_id": "history-letterboxd-6fd6a9b2f2f1c1b7f3ad4c05",
    "status": "preview",
    "matches": [
        {
            "item_id": "164179",
            "title": "Arrival",
            "year": 2016,
            "direction": "like",
            "matched_by": "title",
            "score": 1.0,
            "named": "Arrival",
            "swiped_at": "2025-06-01T00:00:00Z",
        }
    ],
    "unmatched": [
        {
            "title": "Nowhere Film",
            "year": 2024,
            "reason": "the catalogue holds no film of this title and year",
        }
    ],
    "known": 0,
    "neutral": 0,
    "swipe_count": 0,
    "preferences_updated": False,
}
HISTORY_UNDONE: Example = {
    "user_id": USER,
    "session_id": HISTORY_RECEIPT["session_id"],
    "undone": 1,
    "swipe_count": 0,
    "preferences_updated": True,
}
UNDO_RECEIPT: Example = SWIPE_RECEIPT | {"status": "undone", "swipe_count": 5}
SEARCH_RESULT: Example = {
    "user_id": USER,
    "items": [
        SOURCE_CODE
        | {
            "score": 0.758,
            "preference_boost": 0.1381,
            "reason": [MATCHED_WORDS["text"], LIKED_GENRE["text"]],
            "evidence": [MATCHED_WORDS, LIKED_GENRE],
        }
    ],
    "model_version": "embedding-fusion-e12e9e1e",
    "cached": False,
    "preference_confidence": 0.2963,
    "understood": {
        "text": "clever time",
        "similar_to": ["541"],
        "filters": {
            "include_genres": [],
            "exclude_genres": ["Horror"],
            "year_from": 1990,
            "year_to": None,
            "people": [],
            "exclude_people": [],
            "exclude_seen": True,
        },
        "soft_genres": [],
        "lookup": None,
        "for_someone_else": False,
    },
    "intelligence_metadata": {
        "embedding_cached": False,
        "preference_influence": 0.2444,
        "confidence_score": 0.2963,
        "transformer_latency_ms": 4.44,
        "strategy": "light",
        "variant": "embedding_fusion",
        "degraded": [],
    },
}
EXPLANATION: Example = {
    "item_id": "164179",
    "title": "Arrival",
    "explanation": "Why Arrival (2016)? Matches your words: time. You go for Sci-Fi (liked 3 of 3 "
    "swiped).",
    "evidence": [MATCHED_WORDS, LIKED_GENRE],
    "model": "grounded-template-1",
    "degraded": [],
}
PROFILE: Example = {
    "user_id": USER,
    "swipe_count": 6,
    "like_count": 5,
    "dislike_count": 1,
    "skip_count": 0,
    "preference_confidence": 0.2963,
    "strategy": "light",
    "top_genres": [{"name": "Sci-Fi", "weight": 0.7606}],
    "avoided_genres": [{"name": "Crime", "weight": -0.5283}],
    "top_tags": [{"name": "neo-noir", "weight": 0.9972}],
    "favourite_years": [1989, 2011],
    "popularity_bias": 0.251,
    "learned_weights": LEARNED_WEIGHTS,
    "transformer_metrics": {
        "model_version": "minilm-l6-int8-1",
        "vector_dim": 384,
        "vector_strategy": "centroid",
        "preference_hash": "c4913e339264fcb739e88850aa64ed68",
    },
    "recent_likes": ["Heat", "Amélie", "Moon", "Her", "Blade Runner"],
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
    "surveys": [
        {
            "session_id": SESSION,
            "user_id": USER,
            "item_ids": ["541", "164179"],
            "created_at": "2026-11-24T20:14:00Z",
            "idempotency_key": None,
        }
    ],
    "exposures": [
        {
            "exposure_id": 12,
            "experiment": "fusion-2026",
            "user_id": USER,
            "variant": "embedding_fusion",
            "item_ids": ["164179", "541"],
            "teams": None,
            "shown_at": "2026-11-24T20:15:30Z",
        }
    ],
    "conversations": [
        {
            "thread_id": "0d0f5a1e-6f6e-4a53-9d3f-6f1b2a4c9b10",
            "user_id": USER,
            "created_at": "2026-11-24T20:13:00Z",
            "name": "Something like Heat but funnier",
            "metadata": {"chat_settings": {"k": 10}},
            "records": [
                {
                    "record_id": "7c1f0a52-6a0f-4f6f-8f06-8a5f1f7e9b11",
                    "thread_id": "0d0f5a1e-6f6e-4a53-9d3f-6f1b2a4c9b10",
                    "kind": "step",
                    "body": {
                        "type": "user_message",
                        "output": "Something like Heat but funnier",
                    },
                }
            ],
        }
    ],
    "preferences": {"genre_weights": {"Sci-Fi": 0.7606}},
}
READINESS: Example = {
    "status": "ready",
    "checks": {"store": True, "index": True, "encoder": True},
}
