"""An explanation written by Bedrock, on the wire: the real client, and a runtime that speaks it."""

import json

import pytest

from assistant.composition import Fusions, load_writer
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.explaining import PART
from recommender.explanation import MODEL
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.telemetry import FALLBACKS
from tests import bedrock
from tests.integration.test_bedrock import MODEL as BEDROCK
from tests.integration.viewers import ROMANCE, SCI_FI, opinions, tell
from tests.scripted_endpoint import (
    Act,
    ScriptedEndpoint,
    aws_error,
    hang,
    reset,
)

FILM, QUERY = "1240", "a robot from the future"
SAYS = bedrock.says(
    "You go for Sci", "-Fi. You liked Gone with the Wind. ", "It is a **1984** film by magic.",
    " The Terminator stars Linda Hamilton",  ". \nAnd it is gr",
)  # fmt: skip


@pytest.fixture
def service(
    runtime: ScriptedEndpoint,  # noqa: ARG001
    stores: Stores,
    encoder: TextEncoder,
    fusions: Fusions,
) -> Recommender:
    writer = load_writer(Settings(explanation_model=BEDROCK))
    return Recommender(
        stores, encoder, RecommenderSettings(), fusions=fusions.encoders, writer=writer
    )


@pytest.fixture
def fan(service: Recommender, user_id: str, starter_items: list[Item]) -> str:
    tell(service, user_id, opinions(Catalogue(starter_items), SCI_FI, ROMANCE))
    return user_id


def test_what_stands_of_its_words_is_told_and_remembered(
    runtime: ScriptedEndpoint, service: Recommender, fan: str
) -> None:
    runtime.script.append(bedrock.stream(SAYS))
    heard: list[str] = []
    told = service.explain(fan, FILM, QUERY, heard.append)
    assert heard == ["You go for Sci-Fi.", "The Terminator stars Linda Hamilton."]
    assert told.explanation == " ".join(heard)
    assert told.model.startswith(BEDROCK)
    assert told.degraded == ()
    assert service.explain(fan, FILM, QUERY) == told
    (request,) = runtime.requests
    body = json.loads(request.body)
    assert request.path.endswith("/converse-stream")
    (message,) = body["messages"]
    assert all(fact.text in message["content"][0]["text"] for fact in told.evidence)
    assert fan not in json.dumps(body)


@pytest.mark.parametrize(
    "act",
    [
        aws_error(429, "ThrottlingException"),
        aws_error(403, "AccessDeniedException"),
        reset,
        hang,
        bedrock.broken_off(bedrock.says("You go for Sci-Fi. ")),
        bedrock.garbled(bedrock.says("You go for Sci-Fi. ")),
        bedrock.failing(bedrock.says("You go for Sci-Fi. ")[:2], "modelStreamErrorException"),
        bedrock.stream(bedrock.says("I cannot help with that.")),
    ],
)
def test_templates_explain_where_it_fails(
    runtime: ScriptedEndpoint, service: Recommender, fan: str, act: Act
) -> None:
    before = FALLBACKS.labels(PART)._value.get()
    runtime.script.append(act)
    told = service.explain(fan, FILM, QUERY)
    assert (told.model, told.degraded) == (MODEL, (PART,))
    assert all(fact.text in told.explanation for fact in told.evidence)
    assert FALLBACKS.labels(PART)._value.get() == before + 1


def test_a_throttled_request_is_sent_again(
    runtime: ScriptedEndpoint, service: Recommender, fan: str
) -> None:
    runtime.script.extend([aws_error(429, "ThrottlingException"), bedrock.stream(SAYS)])
    assert service.explain(fan, FILM, QUERY).degraded == ()
