"""What is measured in a process of its own, without HTTP: the encoder and turns of the chat.

A program, told by the environment as a server is; it prints its timings as JSON.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import typer
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from assistant.agent import agent_by_name
from assistant.bench.data import real
from assistant.bench.figures import TIMINGS, Timing, timing
from assistant.bench.load import SystemClock, closed_loop
from assistant.bench.workload import Taste, batches, people
from assistant.composition import load_encoder, load_fusions, open_recommender, open_stores
from assistant.settings import Settings
from assistant.turns import chat_turn
from fusion.fusion_encoder import FusionInput, SwipedFilm
from fusion.tokens import film_text
from recommender import Recommender
from recommender.models import Item, SearchResult
from recommender.settings import RecommenderSettings
from recommender.stores.held import HeldItems
from recommender.stores.ports import ItemStore, Stores
from recommender.stores.postgres.items import PostgresItemStore
from recommender.stores.postgres.versions import IndexVersions
from tools import ToolContext

ENCODER, CHAT = "fused embedding, not cached", "chat turn, offline"
SAID = (
    "something like {title} but funnier",
    "older",
    "less sad",
    "why the second one?",
    "I loved {title}",
    "something for tonight",
)
"""One conversation."""
Agent = CompiledStateGraph[Any, ToolContext, Any, Any]


def encoder_timing(runs: int, count: int, settings: Settings) -> Timing:
    """Of a query and twenty swipes, fused; the first run warms up."""
    fuse = load_fusions(settings, RecommenderSettings()).encoders["embedding_fusion"].fuse
    with open_stores(settings, RecommenderSettings()) as stores:
        items = items_served(stores, settings)
        tastes = [swiped(taste, items) for taste in people(real())]
    asked = [
        [FusionInput(query, tastes[n % len(tastes)]) for n, query in enumerate(batch)]
        for batch in batches(real(), runs + 1, count)
    ]
    return timing(ENCODER, [closed_loop(batch, fuse, SystemClock()) for batch in asked][1:])


def items_served(stores: Stores, settings: Settings) -> ItemStore:
    """The films as a server searches them."""
    serving = stores.items
    if isinstance(serving, PostgresItemStore):
        serving = IndexVersions(serving).serving()
    return HeldItems(serving) if settings.item_index == "memory" else serving


def swiped(taste: Taste, store: ItemStore) -> tuple[SwipedFilm, ...]:
    """Somebody's swipes as fusion encoders read them."""
    films = [(film, True) for film in taste.likes] + [(film, False) for film in taste.dislikes]
    vectors = store.vectors([film.item_id for film, _ in films], "fused")
    return tuple(
        SwipedFilm(film.item_id, film_text(film.title, film.year), vectors[film.item_id], liked)
        for film, liked in films
    )


def chat_timing(runs: int, count: int, settings: Settings) -> Timing:
    """Of turns that the offline planner answers; the first run warms up."""
    encoder = load_encoder(settings)
    with open_recommender(settings, encoder) as recommender:
        agent = agent_by_name(None, encoder, recommender.films())
        known = [film for film in real() if len(film.title.split()) > 1]
        size = -(-count // len(SAID))
        talks = [known[run * size : (run + 1) * size] for run in range(runs + 1)]
        times = [asyncio.run(_talk(agent, recommender, films)) for films in talks]
    return timing(CHAT, times[1:])


async def _talk(agent: Agent, recommender: Recommender, films: Sequence[Item]) -> list[float]:
    """A conversation about each film, with somebody new; milliseconds of all turns."""
    times = []
    for film in films:
        user_id = f"bench-chat-{film.item_id}"
        shown: tuple[str, ...] = ()
        config: RunnableConfig = {"configurable": {"thread_id": user_id}}
        for words in SAID:
            said = {"messages": [HumanMessage(words.format(title=film.title))]}
            started = SystemClock().now()
            with chat_turn(user_id):
                context = ToolContext(recommender, user_id, None, shown)
                answer = await agent.ainvoke(said, config, context=context, durability="exit")
            times.append(1000 * (SystemClock().now() - started))
            shown = _shown(answer["messages"]) or shown
        recommender.forget_user(user_id)
    return times


def _shown(messages: Sequence[object]) -> tuple[str, ...]:
    """The films of this turn's answer if it had any: what "the second one" means."""
    found = [message.artifact for message in messages if isinstance(message, ToolMessage)]
    answers = [each for each in found if isinstance(each, SearchResult) and each.items]
    return tuple(item.item_id for item in answers[-1].items) if answers else ()


def main(runs: int, count: int) -> None:
    """Measure so many runs of ``count`` requests each."""
    settings = Settings()
    measured = encoder_timing(runs, count, settings), chat_timing(runs, count, settings)
    sys.stdout.buffer.write(TIMINGS.dump_json(measured))


if __name__ == "__main__":
    typer.run(main)
