import sys

sys.path.insert(0, "/work/main/tests/integration")
from test_agent import Chat, agent  # noqa
import pytest

SAYS = __import__("pathlib").Path("/tmp/says.txt").read_text().splitlines()


async def test_it(agent, recommender, user_id):
    c = Chat(agent, recommender, user_id)
    for s in SAYS:
        t = await c.say(s)
        print(">", s)
        print("   ", t.calls)
        print("   ", t.text)
        for a in t.artifacts:
            if hasattr(a, "items"):
                print("     ", [f"{i.title} {i.year}" for i in a.items])
                print("     ", a.items[0].reason if a.items else "")
            if a is None:
                print("NONE")
