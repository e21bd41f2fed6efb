"""What whoever writes explanations keeps to: templates, and a chat model."""

from collections.abc import Callable

import pytest

from assistant.explanations import ChatModelWriter
from recommender.explanation import Brief, ExplanationWriter, TemplateWriter, brief_of
from recommender.models import Evidence, Item
from tests.scripted_writer import ScriptedChatModel, ScriptedWriter

HEAT = Item(item_id="6", title="Heat", year=1995, genres=("Crime",))
BRIEF = brief_of(HEAT, [Evidence(kind="genre", text="You go for Crime (liked 3 of 4 swiped)")])


def chat_model() -> ExplanationWriter:
    model = ScriptedChatModel(words=["You go ", "for ", "Crime."])
    return ChatModelWriter(model, "scripted:model", timeout=30)


@pytest.mark.parametrize(
    "make", [TemplateWriter, chat_model, lambda: ScriptedWriter("You go for Crime.")]
)
class TestWriters:
    def test_it_writes_text_in_pieces(self, make: Callable[[], ExplanationWriter]) -> None:
        text = "".join(make().write(BRIEF))
        assert "You go for Crime" in text
        assert text.endswith(".")

    def test_it_says_who_writes(self, make: Callable[[], ExplanationWriter]) -> None:
        assert make().model
        assert make().model == make().model

    def test_it_can_be_left_before_the_end(self, make: Callable[[], ExplanationWriter]) -> None:
        writer = make()
        assert next(writer.write(BRIEF))
        assert "".join(writer.write(BRIEF))

    def test_a_brief_may_be_empty(self, make: Callable[[], ExplanationWriter]) -> None:
        assert "".join(make().write(Brief(HEAT, ())))
