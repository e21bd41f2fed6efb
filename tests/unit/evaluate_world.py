"""A small world of films and people for the tests of the evaluation."""

import json
from pathlib import Path

import numpy as np

from fusion.evaluate.data import Film
from fusion.evaluate.harness import Plan
from fusion.evaluate.protocol import Interactions, Rating

N_FILMS = 40
GENRES = ("Drama", "Comedy", "Horror", "War")
SMALL_PLAN = Plan(
    validation_people=6,
    test_people=8,
    min_swipes=20,
    swipes=(0, 3),
    tuned_at=(3,),
    worded_at=3,
    hidden_share=0.4,
)


def films() -> list[Film]:
    """40 films, ten of each genre, half of them about heists."""
    return [
        Film(
            item_id=str(k),
            title=f"Film {k}",
            year=1990 + k % 20,
            genres=(GENRES[k % 4],),
            tags=("heist",) if k % 2 else ("bank vault",),
            overview=f"A lonely lighthouse keeper meets number {k}.",
        )
        for k in range(N_FILMS)
    ]


def people(count: int = 30, seed: int = 0) -> Interactions:
    """People who like one genre and dislike the others, 30 films each; ids from 1."""
    rng = np.random.default_rng(seed)
    return Interactions(
        N_FILMS,
        {
            user: [
                Rating(int(item), 5.0 if item % 4 == user % 4 else 1.5, 1000 + moment)
                for moment, item in enumerate(rng.permutation(N_FILMS)[:30])
            ]
            for user in range(1, count + 1)
        },
    )


def write_folder(folder: Path, everyone: Interactions) -> tuple[Path, Path]:
    """Write a MovieLens folder and a catalogue; films are sorted by id."""
    lines = ["userId,movieId,rating,timestamp"]
    for user, ratings in everyone.by_user.items():
        lines += [f"{user},{r.item},{r.value},{r.timestamp}" for r in ratings]
    (folder / "ratings.csv").write_text("\n".join(lines), encoding="utf-8")
    catalogue = folder / "films.jsonl"
    rows = [json.dumps({**film.model_dump(), "rating_count": 9}) for film in films()]
    catalogue.write_text("\n".join(rows), encoding="utf-8")
    return folder, catalogue
