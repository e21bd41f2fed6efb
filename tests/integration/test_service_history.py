"""What was watched elsewhere becomes swipes: by the service, REST and the command line."""

import base64
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from assistant.cli import app
from recommender import Recommender
from recommender.errors import IdempotencyKeyReused, StoreUnavailable
from recommender.models import Direction, HistoryReceipt, SearchRequest, SwipeEvent
from recommender.stores.ports import NewSwipe, Stores
from tests.conftest import new_database
from tests.integration.api_client import ApiClient, Json, api, problem

RATINGS = """Date,Name,Year,Letterboxd URI,Rating
2025-06-01,Arrival,2016,https://boxd.it/a,5
2025-06-02,Blade Runner,1982,https://boxd.it/b,4.5
2025-06-03,The Matrix,1999,https://boxd.it/c,4
2025-06-04,Titanic,1997,https://boxd.it/d,1
2025-06-05,Heat,1995,https://boxd.it/e,3
2025-06-06,Nowhere Film,2024,https://boxd.it/f,5
"""
CONTENT = RATINGS.encode()


def take(
    recommender: Recommender,
    user_id: str,
    content: bytes = CONTENT,
    *,
    confirm: bool = False,
    idempotency_key: str | None = None,
) -> HistoryReceipt:
    return recommender.import_history(
        user_id,
        "letterboxd",
        "ratings.csv",
        content,
        confirm=confirm,
        idempotency_key=idempotency_key,
    )


def test_a_preview_records_nothing(recommender: Recommender, user_id: str) -> None:
    receipt = take(recommender, user_id)
    assert (receipt.status, receipt.swipe_count) == ("preview", 0)
    assert [(m.title, m.direction.value) for m in receipt.matches] == [
        ("Arrival", "like"),
        ("Blade Runner", "like"),
        ("The Matrix", "like"),
        ("Titanic", "dislike"),
    ]
    assert [film.title for film in receipt.unmatched] == ["Nowhere Film"]
    assert (receipt.known, receipt.neutral) == (0, 1)
    assert recommender.reactions(user_id) == {}


def test_what_is_confirmed_is_recorded_and_learned_from(
    recommender: Recommender, user_id: str
) -> None:
    receipt = take(recommender, user_id, confirm=True)
    assert (receipt.status, receipt.swipe_count) == ("recorded", 4)
    assert receipt.preferences_updated
    assert list(recommender.reactions(user_id).values()) == [Direction.LIKE] * 3 + [
        Direction.DISLIKE
    ]
    profile = recommender.profile(user_id)
    assert (profile.like_count, profile.dislike_count) == (3, 1)
    events = recommender.export_user(user_id).swipes
    assert {event.swiped_at.date().isoformat() for event in events} == {
        f"2025-06-0{day}" for day in range(1, 5)
    }
    assert len({event.session_id for event in events}) == 1
    found = recommender.search(SearchRequest(user_id=user_id, query="", k=20)).items
    assert not {item.item_id for item in found} & {m.item_id for m in receipt.matches}


def test_the_same_export_again_records_nothing(recommender: Recommender, user_id: str) -> None:
    take(recommender, user_id, confirm=True)
    again = take(recommender, user_id, confirm=True)
    assert (again.matches, again.known, again.swipe_count) == ((), 4, 4)
    assert len(recommender.export_user(user_id).swipes) == 4


def test_a_repeated_key_gets_the_first_answer(recommender: Recommender, user_id: str) -> None:
    first = take(recommender, user_id, confirm=True, idempotency_key="k1")
    again = take(recommender, user_id, confirm=True, idempotency_key="k1")
    assert again == first
    assert len(recommender.export_user(user_id).swipes) == 4


def test_a_key_of_something_else_is_refused(recommender: Recommender, user_id: str) -> None:
    recommender.record_swipe(user_id, "6", Direction.LIKE, idempotency_key="k2")
    with pytest.raises(IdempotencyKeyReused):
        take(recommender, user_id, confirm=True, idempotency_key="k2")
    take(recommender, user_id, confirm=True, idempotency_key="k3")
    with pytest.raises(IdempotencyKeyReused):
        take(recommender, user_id, CONTENT + b"2025-06-07,Alien,1979,x,5\n", idempotency_key="k3")
    assert len(recommender.reactions(user_id)) == 5


def test_a_store_that_failed_on_the_way_is_gone_on_with(
    recommender: Recommender, stores: Stores, user_id: str
) -> None:
    append, calls = stores.swipes.append, list[NewSwipe]()

    def failing(swipe: NewSwipe) -> SwipeEvent:
        calls.append(swipe)
        if len(calls) == 3:
            raise StoreUnavailable
        return append(swipe)

    with patch.object(stores.swipes, "append", failing), pytest.raises(StoreUnavailable):
        take(recommender, user_id, confirm=True, idempotency_key="k4")
    assert len(recommender.reactions(user_id)) == 2
    receipt = take(recommender, user_id, confirm=True, idempotency_key="k4")
    assert (len(receipt.matches), receipt.swipe_count) == (4, 4)
    assert len(recommender.export_user(user_id).swipes) == 4


def test_it_is_taken_back_as_a_whole(recommender: Recommender, user_id: str) -> None:
    arrival = take(recommender, user_id).matches[0].item_id
    recommender.record_swipe(user_id, arrival, Direction.SKIP)
    recommender.record_swipe(user_id, "6", Direction.LIKE)
    receipt = take(recommender, user_id, confirm=True)
    recommender.record_swipe(user_id, receipt.matches[-1].item_id, Direction.LIKE)
    undone = recommender.undo_history(user_id, receipt.session_id)
    assert (undone.undone, undone.swipe_count, undone.preferences_updated) == (3, 3, True)
    assert recommender.reactions(user_id) == {
        arrival: Direction.SKIP,
        "6": Direction.LIKE,
        receipt.matches[-1].item_id: Direction.LIKE,
    }
    assert recommender.undo_history(user_id, receipt.session_id).undone == 0


def test_nothing_of_others_and_no_survey_is_taken_back(
    recommender: Recommender, user_id: str
) -> None:
    receipt = take(recommender, user_id, confirm=True)
    survey = recommender.start_survey(user_id, 5)
    recommender.record_swipe(user_id, "6", Direction.LIKE, session_id=survey.session_id)
    assert recommender.undo_history(f"{user_id}-2", receipt.session_id).undone == 0
    assert recommender.undo_history(user_id, survey.session_id).undone == 0
    assert recommender.profile(user_id).swipe_count == 5


@pytest.fixture(scope="module")
def client(recommender: Recommender) -> ApiClient:
    return ApiClient(api(recommender, max_upload_bytes=2**20))


class TestRest:
    def body(self, content: bytes = CONTENT, **more: object) -> Json:
        encoded = base64.b64encode(content).decode()
        return {"site": "letterboxd", "name": "ratings.csv", "content": encoded} | more

    def test_it_is_looked_at_and_then_confirmed(self, client: ApiClient, user_id: str) -> None:
        path = f"/user/{user_id}/history"
        looked = client.ok("POST", path, self.body())
        assert (looked["status"], looked["swipe_count"]) == ("preview", 0)
        first = client.ok("POST", path, self.body(confirm=True), idempotency_key="a")
        assert first["status"] == "recorded"
        assert first["matches"] == looked["matches"]
        assert client.ok("POST", path, self.body(confirm=True), idempotency_key="a") == first
        assert client.ok("GET", f"/user/{user_id}/profile")["swipe_count"] == 4

    def test_it_is_recognised_and_taken_back(self, client: ApiClient, user_id: str) -> None:
        path = f"/user/{user_id}/history"
        receipt = client.ok("POST", path, self.body(site=None, confirm=True))
        assert receipt["site"] == "letterboxd"
        undone = client.ok("DELETE", f"{path}/{receipt['session_id']}")
        assert (undone["undone"], undone["swipe_count"]) == (4, 0)

    def test_a_film_that_is_wrong_is_a_problem_with_its_line(
        self, client: ApiClient, user_id: str
    ) -> None:
        body = self.body(CONTENT + b"2025-06-07,Alien,1979,x,50\n", confirm=True)
        answer = client.post(f"/user/{user_id}/history", json=body)
        detail = problem(answer, 422, "invalid-request")["detail"]
        assert detail == "ratings.csv, line 8: Rating 50 is not between 0.5 and 5."
        assert client.ok("GET", f"/user/{user_id}/profile")["swipe_count"] == 0

    @pytest.mark.parametrize(
        "change",
        [{"site": "netflix"}, {"content": "?"}, {"name": ""}, {"confirm": "yes"}, {"more": 1}],
    )
    def test_what_cannot_be_read_is_named(
        self, client: ApiClient, user_id: str, change: Json
    ) -> None:
        answer = client.post(f"/user/{user_id}/history", json=self.body() | change)
        [error] = problem(answer, 422, "invalid-request")["errors"]
        assert error["pointer"] == f"#/{next(iter(change))}"

    def test_there_is_more_room_than_elsewhere_but_not_without_end(
        self, client: ApiClient, user_id: str
    ) -> None:
        rows = b"".join(b"2025-06-07,Film %d,1979,x,5\n" % n for n in range(12_000))
        answer = client.ok("POST", f"/user/{user_id}/history", self.body(CONTENT + rows))
        assert len(answer["unmatched"]) == 12_001
        too_much = client.post(f"/user/{user_id}/history", json=self.body(bytes(2**20)))
        problem(too_much, 413, "payload-too-large")


class TestCommand:
    @pytest.fixture(autouse=True)
    def _installed(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        postgres_url: str,
        indexed_template: str,
    ) -> Iterator[None]:
        with new_database(postgres_url, indexed_template) as url:
            monkeypatch.setenv("REELWISE_HOME", str(tmp_path))
            monkeypatch.setenv("DATABASE_URL", url)
            yield

    def reelwise(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["history", "letterboxd", *words, "--user", "ada"])

    def test_it_lists_what_it_found_and_records_when_told(self, tmp_path: Path) -> None:
        file = tmp_path / "ratings.csv"
        file.write_bytes(CONTENT)
        looked = self.reelwise(str(file))
        assert looked.exit_code == 0, looked.output
        assert looked.stdout.splitlines() == [
            "4 matched:",
            "  like: Arrival (2016), by title",
            "  like: Blade Runner (1982), by title",
            "  like: The Matrix (1999), by title",
            "  dislike: Titanic (1997), by title",
            "1 without a match:",
            "  Nowhere Film (2024): the catalogue holds no film of this title and year",
            "0 swiped here already, 1 neither liked nor disliked.",
            "Nothing is recorded yet. Record it with: --yes",
        ]
        assert self.reelwise(str(file), "--yes").stdout.startswith("4 recorded:")
        again = self.reelwise(str(file), "--yes").stdout.splitlines()
        assert again[0] == "0 recorded:"
        assert again[-1] == "4 swiped here already, 1 neither liked nor disliked."

    def test_what_cannot_be_read_ends_with_exit_code_2(self, tmp_path: Path) -> None:
        done = self.reelwise(str(tmp_path / "none.csv"))
        assert done.exit_code == 2
        assert "none.csv cannot be read" in done.stderr
