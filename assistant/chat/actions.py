"""The buttons on the cards. A client sends ids; who swipes is known here and never sent."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import chainlit as cl
from pydantic import ValidationError

from assistant.chat import elements
from assistant.chat.memory import Memory
from assistant.chat.sign_in import signed_in
from assistant.chat.uploads import Upload, one_by_one
from recommender.errors import NothingToUndo, ReelwiseError, UnknownItem, UnknownSession
from recommender.models import Direction, Explanation, Frozen, Identifier
from recommender.service import Recommender

Answer = dict[str, Any]
Payload = TypeVar("Payload", bound=Frozen)
_SENTENCES: dict[type[ReelwiseError], str] = {
    NothingToUndo: "There is no swipe left to take back.",
    UnknownItem: "That film is not in the catalogue any more.",
    UnknownSession: "That stack of cards is no longer known. Say “start swiping” for a fresh one.",
}


class FilmAction(Frozen):
    """What a card sends about itself."""

    item_id: Identifier


class SwipeAction(FilmAction):
    """A reaction to a card; ``session_id`` names the survey it belongs to, if any."""

    direction: Direction
    session_id: Identifier | None = None


class UploadAction(Frozen):
    """Which file of this conversation is meant."""

    file_id: Identifier


class HistoryAction(Frozen):
    """Which export that was recorded is meant."""

    export_id: Identifier


def sentence(error: ReelwiseError) -> str:
    """Say in the words of a conversation what went wrong."""
    return _SENTENCES.get(type(error), str(error))


class CardActions:
    """What the cards can ask for, on behalf of whoever is signed in."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender

    def register(self) -> None:
        """Make the actions callable from the page."""
        cl.action_callback("swipe")(_answering(SwipeAction, self.swipe))
        cl.action_callback("undo")(_answering(FilmAction, self.undo))
        cl.action_callback("explain")(_answering(FilmAction, self.explain))
        cl.action_callback("record_history")(_answering(UploadAction, self.record_history))
        cl.action_callback("drop_history")(_answering(UploadAction, self.drop_history))
        cl.action_callback("undo_history")(_answering(HistoryAction, self.undo_history))

    async def swipe(self, action: SwipeAction) -> Answer:
        """Record a reaction; answer with the taste now known and the survey's next card, if any."""
        return await asyncio.to_thread(self._swiped, signed_in(), action)

    async def undo(self, action: FilmAction) -> Answer:
        """Take back the reaction to one film."""
        user_id = signed_in()
        await asyncio.to_thread(self._recommender.undo_swipe, user_id, action.item_id)
        return {"direction": None, "taste": await asyncio.to_thread(self._taste, user_id)}

    async def explain(self, action: FilmAction) -> Answer:
        """Post why a film is there, with the facts it rests on."""
        query = Memory.current().query_of(action.item_id)
        message = cl.Message(content="")
        explanation = await self._explained(action.item_id, query, message)
        message.content = elements.plain(explanation.explanation)
        facts: Any = cl.CustomElement(name="Evidence", props=elements.evidence(explanation))
        message.elements = [facts]
        await message.send()
        return {}

    async def record_history(self, action: UploadAction) -> Answer:
        """Record what an export tells; its file is then deleted."""
        upload = Upload.of_session(action.file_id)
        receipt = await upload.taken_over(self._recommender, signed_in(), confirm=True)
        upload.delete()
        taste = await asyncio.to_thread(self._taste, signed_in())
        return {"recorded": len(receipt.matches), "taste": taste}

    async def drop_history(self, action: UploadAction) -> Answer:
        """Delete an export's file without recording anything."""
        Upload.of_session(action.file_id).delete()
        return {}

    async def undo_history(self, action: HistoryAction) -> Answer:
        """Take back what was recorded of an export."""
        user_id = signed_in()
        undo = partial(self._recommender.undo_history, user_id, action.export_id)
        undone = await one_by_one(undo)
        taste = await asyncio.to_thread(self._taste, user_id)
        return {"undone": undone.undone, "taste": taste}

    async def _explained(self, item_id: str, query: str, message: cl.Message) -> Explanation:
        """The explanation; its sentences are streamed into ``message`` as they are written."""
        loop = asyncio.get_running_loop()
        sentences: asyncio.Queue[str | None] = asyncio.Queue()

        def tell(sentence: str | None) -> None:
            loop.call_soon_threadsafe(sentences.put_nowait, sentence)

        explaining = asyncio.create_task(
            asyncio.to_thread(self._recommender.explain, signed_in(), item_id, query, tell)
        )
        explaining.add_done_callback(lambda _: tell(None))
        while (sentence := await sentences.get()) is not None:
            await message.stream_token(elements.plain(f"{sentence} "))
        return await explaining

    def _swiped(self, user_id: str, action: SwipeAction) -> Answer:
        receipt = self._recommender.record_swipe(
            user_id, action.item_id, action.direction, session_id=action.session_id
        )
        answer = {"direction": receipt.direction.value, "taste": self._taste(user_id)}
        return answer | self._step(user_id, action.session_id)

    def _step(self, user_id: str, session_id: str | None) -> Answer:
        """Where the survey stands; nothing for a swipe that belongs to none."""
        if session_id is None:
            return {}
        try:
            return elements.survey_step(self._recommender.next_card(user_id, session_id))
        except ReelwiseError:  # the swipe is recorded: the cards that were dealt go on
            return {}

    def _taste(self, user_id: str) -> elements.Props:
        return elements.taste(self._recommender.profile(user_id))


def _answering(
    payload: type[Payload], act: Callable[[Payload], Awaitable[Answer]]
) -> Callable[[cl.Action], Awaitable[Answer]]:
    async def callback(action: cl.Action) -> Answer:
        try:
            return {"ok": True, **await act(payload.model_validate(action.payload))}
        except ValidationError:
            return {"ok": False, "message": "The page sent something I cannot read. Reload it."}
        except ReelwiseError as error:
            return {"ok": False, "message": sentence(error)}

    return callback
