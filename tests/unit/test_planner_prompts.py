"""The prompts: all are there, all can be filled, and they keep to what the product does."""

import pytest

import prompts
from assistant.planner.intents import Intent
from tools import ALL_TOOLS

DONE_BY_TOOLS = {
    Intent.SURVEY, Intent.SEARCH, Intent.EXPLAIN, Intent.PROFILE, Intent.REACTION, Intent.UNDO,
    Intent.DESCRIBE,
}  # fmt: skip
OF_SEVERAL = {Intent.CLARIFY, Intent.SIZE}
"""What is said depends on more than the intent."""


@pytest.mark.parametrize("intent", sorted(set(Intent) - DONE_BY_TOOLS - OF_SEVERAL))
def test_every_intent_without_a_tool_has_a_reply(intent: Intent) -> None:
    reply = prompts.phrase(f"{intent}.reply")
    assert 20 < len(reply) < 600


def test_the_examples_are_of_intents_that_exist() -> None:
    for name, examples in prompts.intent_examples().items():
        assert Intent(name)
        assert len(examples) == len(set(examples)) >= 3


def test_the_system_prompt_names_every_tool() -> None:
    for tool in ALL_TOOLS:
        assert tool.name in prompts.system_prompt()


def test_the_same_seed_picks_the_same_wording() -> None:
    wordings = {prompts.phrase("greet.reply", seed) for seed in "abcdefgh"}
    assert len(wordings) > 1
    assert prompts.phrase("greet.reply", "a") == prompts.phrase("greet.reply", "a")


@pytest.mark.parametrize("text", ["{oops}", "{0}", "{{x}}", "%s", "{films.__class__}"])
def test_values_are_never_templates(text: str) -> None:
    assert text in prompts.phrase("reaction.like", films=text)


def test_an_unknown_phrase_and_a_missing_value_are_errors() -> None:
    with pytest.raises(KeyError):
        prompts.phrase("no.such")
    with pytest.raises(KeyError):
        prompts.phrase("reaction.like")


def test_erasing_is_explained_and_never_claimed() -> None:
    reply = prompts.phrase("forget.reply")
    assert "DELETE /user/{your user id}" in reply
    assert "erased" not in reply
