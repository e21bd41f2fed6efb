"""Makes `oracle_ranx.json`: figures of `ranx` that our metrics are held to.

`ranx` brings numba, pandas and matplotlib, too heavy for every contributor, so its figures are
kept: `pip install ranx==0.3.21 && python tests/unit/oracle_ranx.py`.
"""

import json
from pathlib import Path

import numpy as np
from ranx import Qrels, Run, evaluate

FIGURES = Path(__file__).with_suffix(".json")


def main() -> None:
    """Rank 40 films at random for 30 people with 1 to 25 relevant ones, and ask ranx."""
    rng = np.random.default_rng(5)
    cases = []
    for _ in range(30):
        ranked = rng.permutation(40).tolist()
        relevant = rng.choice(40, rng.integers(1, 26), replace=False).tolist()
        cases.append({"ranked": ranked, "relevant": relevant})
    qrels = Qrels({str(k): {str(i): 1 for i in c["relevant"]} for k, c in enumerate(cases)})
    run = Run(
        {str(k): {str(i): 40.0 - r for r, i in enumerate(c["ranked"])} for k, c in enumerate(cases)}
    )
    names = ["ndcg@10", "recall@20"]
    evaluate(qrels, run, names, make_comparable=True)
    for name in names:
        for k, case in enumerate(cases):
            case[name] = float(run.scores[name][str(k)])
    FIGURES.write_text(json.dumps(cases), encoding="utf-8")


if __name__ == "__main__":
    main()
