"""A whole conversation as one search: the films that were named, and what is wished for.

The chat reads message by message and swipes as it goes. This reads a conversation that was held
elsewhere, between two people or with another assistant, of somebody who never swiped.
"""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from assistant.planner.reactions import read_reactions
from assistant.planner.references import is_deictic
from assistant.planner.titles import Titles
from recommender.catalogue import Catalogue
from recommender.models import MAX_HISTORY, MAX_QUERY_CHARS, Direction, Item, Mention, SearchRequest
from recommender.query import QueryReader

Said = dict[str, Direction]
"""What is said of films, by id, the latest last."""


class GistReader:
    """Reads conversations over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._reader = QueryReader(catalogue)
        self._titles = Titles([item.title for item in catalogue.items])
        self._called: dict[str, list[Item]] = {}
        for item in catalogue.items:
            self._called.setdefault(item.title, []).append(item)

    def request(self, messages: Sequence[BaseMessage], user_id: str, k: int) -> SearchRequest:
        """The films that the person named as their likes, but for those they say they dislike or
        never saw, and their latest wish: a new one takes the place of the one before.
        """
        said: Said = {}
        wish, latest = "", None
        for message in messages:
            text = str(message.text)
            named = self._named(text)
            if isinstance(message, HumanMessage):
                self._note(said, text, named, latest)
                wish = text if self._wishes(text) else wish
            latest = named[-1] if named else latest
        mentions = [Mention(item_id=item_id, direction=way) for item_id, way in said.items()]
        history = tuple(mentions[-MAX_HISTORY:])
        return SearchRequest(user_id=user_id, query=wish[:MAX_QUERY_CHARS], k=k, history=history)

    def _note(self, said: Said, text: str, named: Sequence[str], latest: str | None) -> None:
        """Who names a film that they say nothing of has it in mind for what they want."""
        judged = dict.fromkeys(named, "like")
        for reaction in read_reactions(text, self._titles).given:
            film = latest if is_deictic(reaction.film) else self._film(reaction.film)
            if film is not None:
                judged[film] = reaction.direction
        for film, way in judged.items():
            said.pop(film, None)
            if way != "skip":
                said[film] = Direction(way)

    def _wishes(self, text: str) -> bool:
        """Whether a message says what the film should be: a genre, a mood, a person, a time."""
        read = self._reader.read(text)
        limits = read.filters.model_dump(exclude_defaults=True)
        return read.lookup is None and bool(limits or read.soft_genres or read.less)

    def _named(self, text: str) -> list[str]:
        """The ids of the films that a message names, each once."""
        named = list(self._reader.read(text).anchors)
        if title := self._titles.mentioned(text):
            named.append(self._called[title][0].item_id)
        dated = (self._of_year(title, year) for title, year in self._titles.dated(text))
        return list(dict.fromkeys([*named, *dated]))

    def _film(self, text: str) -> str | None:
        if dated := self._titles.dated(text):
            return self._of_year(*dated[0])
        title = self._titles.match(text)
        return self._called[title][0].item_id if title else None

    def _of_year(self, title: str, year: int) -> str:
        """The film of that title whose year is nearest, of equals the most rated."""
        films = self._called[title]
        return min(films, key=lambda film: abs((film.year or 0) - year)).item_id
