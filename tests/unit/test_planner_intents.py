"""What the planner takes a message for: accuracy on a table of messages, with the real encoder."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

import prompts
from assistant.planner import offline_planner
from assistant.planner.conversation import Conversation
from assistant.planner.intents import Intent
from assistant.planner.planning import Planner
from fusion.encoder import TextEncoder
from recommender.models import Item

TABLE = Path(__file__).parent.parent / "fixtures" / "utterances.jsonl"
LEAST_ACCURACY = 0.95


@pytest.fixture(scope="module")
def utterances() -> list[dict[str, Any]]:
    return [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def planner(encoder: TextEncoder, starter_items: list[Item]) -> Planner:
    return offline_planner(encoder, starter_items).planner


def test_the_table_holds_no_example_of_the_planners_own(utterances: list[dict[str, Any]]) -> None:
    examples = {text.lower() for texts in prompts.intent_examples().values() for text in texts}
    assert not [row["text"] for row in utterances if row["text"].lower() in examples]


def test_the_table_covers_every_intent(utterances: list[dict[str, Any]]) -> None:
    assert len(utterances) >= 120
    assert {row["intent"] for row in utterances} == set(Intent) - {Intent.CLARIFY}


def test_intent_accuracy(planner: Planner, utterances: list[dict[str, Any]]) -> None:
    wrong = []
    for row in utterances:
        plan = planner.plan(Conversation.of([HumanMessage(row["text"])]))
        foreign = "note.foreign" in plan.notes
        if (plan.intent, foreign) != (row["intent"], row.get("foreign", False)):
            wrong.append(f"{row['text']!r}: expected {row['intent']}, got {plan.intent} {foreign=}")
    accuracy = 1 - len(wrong) / len(utterances)
    print(f"intent accuracy {accuracy:.3f} on {len(utterances)} messages", *wrong, sep="\n")
    assert accuracy >= LEAST_ACCURACY, "\n".join(wrong)
