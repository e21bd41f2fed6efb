"""A query tower of half the layers that makes the vectors of the whole one (extra `[train]`)."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from fusion.network import QueryTower
from fusion.training.asking import Asking
from fusion.training.learners import MAX_QUERY_TOKENS, EmbeddingLearner, tokenised
from fusion.training.loop import Pace

PACE = Pace(steps=1200, batch=64, rate=2e-4)


def distil(learner: EmbeddingLearner, asking: Asking, layers: int = 3, pace: Pace = PACE) -> float:
    """Put a tower of ``layers`` layers, every second one, in the learner's tower's place.

    Trained on queries to every film to minimise the squared distance to the vectors of the tower
    that it replaces. Gives the mean cosine to those over the last tenth of the steps.
    """
    teacher = learner.tower.eval()
    student = _shortened(teacher, layers)
    trained = [p for p in student.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=pace.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, pace.rate, total_steps=pace.steps, pct_start=0.1
    )
    cosines = []
    student.train()
    for step in tqdm(range(pace.steps), desc="Distilling", unit="step", disable=None):
        queries = _queries(asking, pace, step)
        ids, mask = tokenised(learner.tokenizer, queries, MAX_QUERY_TOKENS, learner.device)
        with torch.no_grad():
            wanted = teacher(ids, mask)
        made = student(ids, mask)
        loss = (made - wanted).square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        cosines.append(_cosine(made, wanted))
    learner.tower = student.eval()
    return float(np.mean(cosines[-max(1, pace.steps // 10) :]))


def _shortened(tower: QueryTower, layers: int) -> QueryTower:
    short = copy.deepcopy(tower)
    encoder = short.transformer.encoder
    every = len(encoder.layer) // layers
    encoder.layer = nn.ModuleList(list(encoder.layer)[every - 1 :: every])
    short.transformer.config.num_hidden_layers = layers
    short.requires_grad_(True)
    short.transformer.embeddings.requires_grad_(False)
    return short


def _queries(asking: Asking, pace: Pace, step: int) -> Sequence[str]:
    rng = np.random.default_rng([pace.seed, 2, step])
    drawn = (asking.draw(int(film), rng) for film in rng.integers(asking.n_films, size=pace.batch))
    return [found[0] for found in drawn if found] or ["film"]


def _cosine(made: Tensor, wanted: Tensor) -> float:
    return float((made.detach() * wanted).sum(1).mean())
