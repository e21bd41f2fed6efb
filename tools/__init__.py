"""The product's functions as LangChain tools, for the user of the run context."""

from langchain_core.tools import BaseTool

from tools.context import ToolContext
from tools.describe import describe_movie
from tools.explain import explain_movie
from tools.profile import show_profile
from tools.reactions import record_reaction, undo_reaction
from tools.search import search_movies
from tools.survey import start_survey

ALL_TOOLS: list[BaseTool] = [
    start_survey,
    record_reaction,
    undo_reaction,
    search_movies,
    describe_movie,
    explain_movie,
    show_profile,
]

__all__ = [
    "ALL_TOOLS",
    "ToolContext",
    "describe_movie",
    "explain_movie",
    "record_reaction",
    "search_movies",
    "show_profile",
    "start_survey",
    "undo_reaction",
]
