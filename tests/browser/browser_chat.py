"""The chat as a person uses it, over a browser's page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Route, expect

USER = "local"
PHONE_WIDTH = 768  # px; pages that are narrower are a phone's to Chainlit


class Chat:
    """What a person does in the chat."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def say(self, words: str) -> None:
        """Type a message and send it."""
        with self.getting_an_address():
            self.send(words)

    def send(self, words: str) -> None:
        """Say it without a wait for the conversation's address."""
        self.page.locator("#chat-input").click()
        self.page.keyboard.insert_text(words)
        expect(self.page.locator("#chat-submit")).to_be_enabled()  # not while the line is down
        self.page.keyboard.press("Enter")

    def start_survey(self) -> None:
        """Press "Start swiping", and wait for the cards and for the keys to be theirs."""
        with self.getting_an_address():
            self.page.get_by_role("button", name="Start swiping").click()
        self.page.get_by_test_id("top-card").wait_for()
        expect(self.page.get_by_role("region", name="Taste survey")).to_be_focused()

    @contextmanager
    def getting_an_address(self) -> Iterator[None]:
        """Wait until the first message has given the conversation an address.

        Its page is then built anew: no node of the former one is left. The list of conversations
        leads there, which is closed on a phone: nothing happens then.
        """
        if "/thread/" in self.page.url or self.page.evaluate("innerWidth") < PHONE_WIDTH:
            yield
            return
        former = self.page.locator(".rw-welcome").element_handle()
        yield
        self.page.wait_for_url("**/thread/*")
        former.wait_for_element_state("hidden")

    @contextmanager
    def address_held_back(self) -> Iterator[None]:
        """Have the conversation get its address only afterwards, as from a busy server."""
        held: list[Route] = []
        # Its answer leads to the address.
        self.page.route("**/project/threads", lambda request: held.append(request))
        with self.getting_an_address():
            yield
            for request in held:
                request.continue_()
            self.page.unroute("**/project/threads")

    def press(self, *keys: str) -> None:
        """Press keys, and wait until the server has answered each and the page shows it."""
        for key in keys:
            self.page.keyboard.press(key)
            self.answered()

    def answered(self) -> None:
        """Wait until the server has answered what was pressed: cards show it before that."""
        expect(self.page.locator("html[data-rw-waiting]")).to_have_count(0)

    def ended(self) -> None:
        """Wait until the assistant's turn is over: all of it is kept then."""
        expect(self.page.locator("#stop-button")).to_have_count(0)

    def drag_card(self, distance: int) -> None:
        """Drag the top card sideways by ``distance`` pixels and let go."""
        x, y = self._card_centre()
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + distance, y + 6, steps=5)
        self.page.mouse.up()

    def flick_card(self, distance: int) -> None:
        """Push the top card sideways by ``distance`` pixels with a finger."""
        x, y = self._card_centre()
        finger = self.page.context.new_cdp_session(self.page)
        for kind, step in (("Start", 0.0), ("Move", 0.4), ("Move", 0.8), ("Move", 1.0)):
            point = {"x": x + distance * step, "y": y}
            finger.send(
                "Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": [point]}
            )
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _card_centre(self) -> tuple[float, float]:
        card = self.page.get_by_test_id("top-card")
        card.hover(trial=True)  # once it is where it stays
        box = card.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def overflows(self) -> bool:
        """Whether any part of the page sticks out to the right."""
        return bool(
            self.page.evaluate(
                "[...document.querySelectorAll('html, body, .rw, .step')]"
                ".some(each => each.scrollWidth > each.clientWidth + 1"
                " || each.getBoundingClientRect().right > innerWidth + 1)"
            )
        )


# What Chainlit's own page says when it opens another conversation, of its own dialog, and of the
# files that it would take before it knows its configuration.
_NO_TROUBLE = (
    "for a list of valid MIME types.",
    "WebSocket is closed before the connection is established.",
    "Missing `Description` or `aria-describedby={undefined}` for {DialogContent}.",
)
OpenChat = Callable[..., Chat]


def watch(page: Page, server: str, troubles: list[str]) -> None:
    """Note everything that must not happen on a page: complaints, dialogs, requests elsewhere."""
    own = (server, server.replace("http", "ws", 1), "data:", "blob:")

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.endswith(_NO_TROUBLE):
            troubles.append(f"{message.type}: {message.text}")

    def refuse(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def trace(request: Request) -> None:
        if not request.url.startswith(own):
            troubles.append(f"request: {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: troubles.append(f"exception: {error}"))
    page.on("dialog", refuse)
    page.on("request", trace)
