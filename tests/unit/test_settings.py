import pytest

from assistant.settings import Settings

AWAY = {
    "DATABASE_URL": "postgresql+psycopg://db.example/reelwise",
    "USER_STORE": "dynamodb",
    "ITEM_STORE": "opensearch",
    "TEXT_ENCODER": "bedrock",
    "FUSION_ENCODER": "sagemaker",
    "EXPLANATION_MODEL": "bedrock_converse:some-model",
}


def test_on_a_laptop_all_is_at_hand() -> None:
    assert Settings().all_at_hand


@pytest.mark.parametrize("name", AWAY)
def test_what_is_asked_over_a_network_is_not_at_hand(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, AWAY[name])
    assert not Settings().all_at_hand
