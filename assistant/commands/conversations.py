"""``reelwise evaluate --conversations``: public benchmarks of recommending in a conversation.

As in ``evaluate_cli``, nothing of the evaluation is imported before it runs.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.composition import load_encoder, load_fusions
from assistant.films import Films, load_films
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.indexer import STARTER, sync_index
from recommender.models import MAX_RESULTS, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.memory import MemoryItemStore, memory_stores

if TYPE_CHECKING:
    from recommender.evaluation.conversations import Turn
    from recommender.evaluation.recall import Way

NOBODY = "nobody"


def measure_conversations(path: Path, catalogue: Path) -> str:
    """How often the recommended films are in the answers, as two Markdown tables.

    ``catalogue`` is a file of films or a folder that ``reelwise import`` wrote. Raises DataUnusable
    for files that are not the benchmark's.
    """
    from fusion.evaluate.tables import markdown
    from recommender.evaluation.conversations import read_turns
    from recommender.evaluation.recall import popular, ranked_by_words, recall_tables

    turns = read_turns(path)
    encoder, settings = load_encoder(Settings()), Settings()
    if catalogue != STARTER:
        settings = settings.model_copy(update={"catalogue": str(catalogue)})
    films = load_films(settings, encoder)
    known = Catalogue(films.items)
    asking = _Asking(_recommender(films, encoder), known)
    ways: dict[str, Way] = {
        "popularity": popular(known),
        "BM25 over the seeker's words": ranked_by_words(known),
        "words alone": asking.words,
        "mentioned films alone": asking.mentions,
        "**Reelwise**": asking.all,
    }
    return "\n\n".join(markdown(rows) for rows in recall_tables(turns, ways, known))


def _recommender(films: Films, encoder: TextEncoder) -> Recommender:
    """The product over these films, all in memory; each search is asked once, so none is kept."""
    from recommender.stores.held import HeldItems

    domain = RecommenderSettings(enable_search_cache=False)
    fusions, items = load_fusions(Settings(), domain), HeldItems(MemoryItemStore())
    sync_index(films.items, items, encoder, lambda *_: None, films.vectors, fusions.space)
    stores = replace(memory_stores(), items=items)
    return Recommender(stores, encoder, domain, fusions=fusions.encoders)


class _Asking:
    """Searches with the gist of a turn's conversation, or with part of it."""

    def __init__(self, recommender: Recommender, catalogue: Catalogue) -> None:
        from assistant.planner.gist import GistReader

        self._recommender, self._catalogue = recommender, catalogue
        self._gists = GistReader(catalogue)

    def all(self, turn: "Turn") -> Sequence[Item]:
        return self._search(self._gist(turn))

    def words(self, turn: "Turn") -> Sequence[Item]:
        return self._search(self._gist(turn).model_copy(update={"history": ()}))

    def mentions(self, turn: "Turn") -> Sequence[Item]:
        return self._search(self._gist(turn).model_copy(update={"query": ""}))

    def _gist(self, turn: "Turn") -> SearchRequest:
        from langchain_core.messages import AIMessage, HumanMessage

        said = [
            HumanMessage(each.text) if each.by_seeker else AIMessage(each.text)
            for each in turn.said
        ]
        return self._gists.request(said, NOBODY, MAX_RESULTS)

    def _search(self, request: SearchRequest) -> Sequence[Item]:
        found = self._recommender.search(request).items
        return self._catalogue.select(item.item_id for item in found)
