"""The fusion networks, as functions of tensors."""

import torch
from torch import nn

from fusion.linear_fusion import DIM, RANK
from fusion.network import DISLIKE, LIKE, TEXT_DIM, Asked, EmbeddingFusion, Shape


def test_films_that_are_added_up_before_they_are_mapped_come_to_the_same() -> None:
    torch.manual_seed(0)
    maps = torch.randn(2, RANK, RANK)
    net = EmbeddingFusion(Shape(), maps, nn.Linear(TEXT_DIM, RANK), spread=1.0).eval()
    nn.init.normal_(net.gate.weight)  # else every swipe weighs the same
    b, n = 3, 7
    asked = Asked(
        query=torch.randn(b, TEXT_DIM),
        has_query=torch.tensor([True, False, True]),
        films=torch.randn(b, n, DIM),
        liked=torch.rand(b, n) < 0.6,
        swiped=torch.rand(b, n) < 0.8,
        days=10 * torch.rand(b, n),
        someone_else=torch.tensor([False, False, True]),
    )
    basis = asked.films[..., :RANK]
    each = torch.where(asked.liked[..., None], basis @ maps[LIKE], basis @ maps[DISLIKE])
    together, one_by_one = net(asked)[0], net(asked, each)[0]
    torch.testing.assert_close(together.taste, one_by_one.taste, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(together.words, one_by_one.words)
