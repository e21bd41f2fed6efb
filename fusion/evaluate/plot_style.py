"""How plots look."""

from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Okabe and Ito's, told apart by colour-blind people too."""
GREYS = ("#5f6670", "#7d848e", "#9aa1aa")
INK = "#22262c"
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9aa1aa",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "grid.color": "#e8eaed",
    "savefig.dpi": 200,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
