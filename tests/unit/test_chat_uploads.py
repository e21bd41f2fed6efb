"""Exports that many record at once leave the chat its threads."""

import asyncio
from threading import Event, Lock

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
MANY = 40


async def test_exports_are_recorded_one_by_one_while_others_are_served() -> None:
    from assistant.chat.uploads import one_by_one

    go, alone = Event(), Lock()

    def record() -> str:
        assert alone.acquire(blocking=False), "two at once"
        assert go.wait(60)
        alone.release()
        return "recorded"

    exports = [asyncio.create_task(one_by_one(record)) for _ in range(MANY)]
    async with asyncio.timeout(60):
        served = [await asyncio.to_thread(str, number) for number in range(MANY)]
    assert served == [str(number) for number in range(MANY)]
    go.set()
    assert await asyncio.gather(*exports) == ["recorded"] * MANY


async def test_an_export_that_fails_lets_the_next_one_go_on() -> None:
    from assistant.chat.uploads import one_by_one

    with pytest.raises(ZeroDivisionError):
        await one_by_one(lambda: 1 // 0)
    assert await one_by_one(lambda: "recorded") == "recorded"
