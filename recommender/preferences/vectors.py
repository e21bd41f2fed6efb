"""Three ways to turn swiped films into one direction in the embedding space.

All take centred item vectors (the catalogue's mean taken out) and return a unit vector, or None
when there is nothing to learn from.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Vector = NDArray[np.float32]

DISLIKE_SHARE = 0.5
RIDGE = 1.0
NEWTON_STEPS = 6


def unit(vector: Vector) -> Vector | None:
    """The vector at length one; None for (almost) nothing."""
    length = float(np.linalg.norm(vector))
    return None if length < 1e-6 else (vector / length).astype(np.float32)


def centroid(liked: Matrix, disliked: Matrix) -> Vector | None:
    """Mean of likes minus half the mean of dislikes (Rocchio 1971, with beta = 1, gamma = 0.5)."""
    return weighted_centroid(liked, disliked, np.ones(len(liked)), np.ones(len(disliked)))


def weighted_centroid(
    liked: Matrix,
    disliked: Matrix,
    like_weights: NDArray[np.float64],
    dislike_weights: NDArray[np.float64],
) -> Vector | None:
    """The same with a weight per swipe, as recency gives."""
    total = np.zeros(liked.shape[1] if liked.size else disliked.shape[1], dtype=np.float64)
    if like_weights.sum() > 0:
        total += like_weights @ liked / like_weights.sum()
    if dislike_weights.sum() > 0:
        total -= DISLIKE_SHARE * (dislike_weights @ disliked) / dislike_weights.sum()
    return unit(total.astype(np.float32))


def contrastive(liked: Matrix, disliked: Matrix) -> Vector | None:
    """The normal of the ridge-regularised logistic boundary between likes and the rest.

    The catalogue's mean (the origin) stands in as one more negative of weight one, so that likes
    alone suffice. Solved in the span of the swipes (n unknowns, not 384) by Newton's method.
    """
    if not len(liked):
        return None if not len(disliked) else unit(-disliked.mean(axis=0))
    films = np.vstack([liked, disliked]).astype(np.float64)
    gram = np.hstack([films @ films.T, np.ones((len(films), 1))])
    origin = np.append(np.zeros(len(films)), 1.0)
    design = np.vstack([gram, origin])
    target = np.concatenate([np.ones(len(liked)), np.zeros(len(disliked) + 1)])
    penalty = RIDGE * np.pad(films @ films.T, (0, 1)) + 1e-4 * np.eye(len(films) + 1)
    weights = np.zeros(len(films) + 1)
    for _ in range(NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (chance - target) + penalty @ weights
        hessian = design.T @ (design * (chance * (1 - chance))[:, None]) + penalty
        weights -= np.linalg.solve(hessian, gradient)
    return unit((weights[:-1] @ films).astype(np.float32))
