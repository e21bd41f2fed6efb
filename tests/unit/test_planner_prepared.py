"""What a planner makes before the first message."""

import pytest
from langchain_core.messages import HumanMessage

import prompts
from assistant.planner import offline_planner
from recommender.models import Item
from tests.counting_encoder import CountingEncoder

FILMS = [Item(item_id="1", title="Heat", year=1995, genres=("Crime",))]
DOUBTFUL = "hm what do you make of that"


def test_the_first_message_in_doubt_waits_for_itself_only() -> None:
    encoder = CountingEncoder()
    planner = offline_planner(encoder, FILMS)
    planner.prepare()
    examples = sum(map(len, prompts.intent_examples().values()))
    assert len(encoder.texts) == examples
    planner.invoke([HumanMessage(DOUBTFUL)])
    assert len(encoder.texts) == examples + 1


@pytest.mark.parametrize("prepared", [True, False])
def test_an_encoder_that_fails_is_asked_again(prepared: bool) -> None:
    encoder = CountingEncoder(fail_after=0)
    planner = offline_planner(encoder, FILMS)
    if prepared:
        planner.prepare()
    asked = len(encoder.texts)
    planner.invoke([HumanMessage(DOUBTFUL)])
    assert len(encoder.texts) > asked
