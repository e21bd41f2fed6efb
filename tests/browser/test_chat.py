"""What a person sees and does in the chat, in a real browser against the real server."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.browser_chat import USER, Chat, OpenChat

pytestmark = pytest.mark.browser


def profile(server: str) -> dict[str, Any]:
    """What the service knows about the person in the chat."""
    answer: dict[str, Any] = httpx.get(f"{server}/user/{USER}/profile", timeout=60).json()
    return answer


def test_first_visit_greets_and_offers_three_ways_in(chat: Chat) -> None:
    expect(chat.page.get_by_text("Hi, I'm Reelwise")).to_be_visible()
    for name in ("Start swiping", "Recommend something", "What do you know about me?"):
        expect(chat.page.get_by_role("button", name=name)).to_be_visible()
    expect(chat.page).to_have_title("Reelwise")


def test_survey_by_buttons_shows_progress_and_the_live_profile(chat: Chat, server: str) -> None:
    chat.start_survey()
    deck = chat.page.get_by_role("region", name="Taste survey")
    expect(deck.get_by_text("1 of 20", exact=True)).to_be_visible()
    for name in ("Like", "Not for me", "Haven't seen it", "Like"):
        deck.get_by_role("button", name=name, exact=True).click()
    chat.answered()
    expect(deck.get_by_text("5 of 20", exact=True)).to_be_visible()
    expect(deck.get_by_role("meter")).not_to_have_attribute("aria-valuenow", "0")
    known = profile(server)
    assert (known["like_count"], known["dislike_count"], known["skip_count"]) == (2, 1, 1)


def test_survey_by_keys_to_the_end_and_on_to_the_picks(chat: Chat, server: str) -> None:
    chat.start_survey()
    picks = chat.page.get_by_role("button", name="Show my picks")
    keys = ("ArrowRight", "ArrowLeft", "ArrowDown", " ", *["ArrowRight"] * 16)
    for number, key in enumerate(keys, 2):
        chat.press(key)
        next_card = chat.page.get_by_text(re.compile(rf"^{number} of \d+$"))
        expect(picks.or_(next_card)).to_be_visible()
        if picks.is_visible():  # after the last card, or once more cards would change nothing
            break
    known = profile(server)
    counts = (known["like_count"], known["dislike_count"], known["skip_count"])
    assert counts == (number - 4, 1, 2)
    picks.click()
    expect(chat.page.get_by_role("region", name="Recommendations")).to_be_visible()


def test_undo_brings_the_card_back(chat: Chat, server: str) -> None:
    chat.start_survey()
    title = chat.page.locator(".rw-facts h3")
    first = title.inner_text()
    chat.press("ArrowRight")
    expect(title).not_to_have_text(first)
    chat.press("Backspace")
    expect(title).to_have_text(first)
    chat.press("ArrowLeft", "u")
    expect(title).to_have_text(first)
    assert profile(server)["swipe_count"] == 0


@pytest.mark.parametrize(("distance", "counts"), [(180, (1, 0)), (-180, (0, 1)), (40, (0, 0))])
def test_a_drag_counts_when_it_goes_far_enough(
    chat: Chat, server: str, distance: int, counts: tuple[int, int]
) -> None:
    chat.start_survey()
    chat.drag_card(distance)
    expect(chat.page.get_by_text(f"{1 + sum(counts)} of 20", exact=True)).to_be_visible()
    chat.answered()
    known = profile(server)
    assert (known["like_count"], known["dislike_count"]) == counts


def test_a_finger_swipes_cards_on_a_phone(open_chat: OpenChat, server: str) -> None:
    chat = open_chat(390, 844)
    chat.start_survey()
    chat.flick_card(150)
    chat.answered()
    expect(chat.page.get_by_text("2 of 20", exact=True)).to_be_visible()
    assert profile(server)["like_count"] == 1


def test_the_verdicts_are_in_reach_on_the_smallest_phone(open_chat: OpenChat) -> None:
    chat = open_chat(360, 740)
    chat.start_survey()
    for name in ("Like", "Not for me", "Haven't seen it"):
        expect(chat.page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()


def test_the_cards_stay_in_view_when_the_page_jumps_to_its_end(open_chat: OpenChat) -> None:
    chat = open_chat(360, 740)
    chat.start_survey()
    scrollers = chat.page.evaluate(
        """() => {
            const around = [];
            for (let each = document.querySelector('.rw-deck'); each; each = each.parentElement)
                if (each.scrollHeight > each.clientHeight + 1) around.push(each);
            around.at(-1).scrollTop = around.at(-1).scrollHeight;
            return around.length;
        }"""
    )
    assert scrollers == 1
    expect(chat.page.get_by_role("button", name="Like", exact=True)).to_be_in_viewport()


def test_a_swipe_that_was_not_recorded_comes_back_and_says_why(chat: Chat) -> None:
    chat.start_survey()
    title = chat.page.locator(".rw-facts h3").inner_text()
    refusal: dict[str, Any] = {"ok": False, "message": "The database does not answer."}
    chat.page.route(
        "**/project/action",
        lambda route: route.fulfill(json={"success": True, "response": refusal}),
    )
    chat.press("ArrowRight")
    expect(chat.page.get_by_role("alert")).to_have_text(refusal["message"])
    expect(chat.page.locator(".rw-facts h3")).to_have_text(title)
    expect(chat.page.get_by_text("1 of 20", exact=True)).to_be_visible()


def test_what_a_stack_knows_outlives_the_page_that_is_built_anew(chat: Chat) -> None:
    with chat.address_held_back():
        chat.page.get_by_role("button", name="Start swiping").click()
        chat.page.get_by_test_id("top-card").wait_for()
        chat.press("ArrowRight", "ArrowRight")
        taste = chat.page.get_by_test_id("live-profile").inner_text()
    expect(chat.page.get_by_role("region", name="Taste survey")).to_be_focused()
    expect(chat.page.get_by_text("3 of 20", exact=True)).to_be_visible()
    assert chat.page.get_by_test_id("live-profile").inner_text() == taste
    chat.press("ArrowRight")
    expect(chat.page.get_by_text("4 of 20", exact=True)).to_be_visible()


def test_what_was_done_to_cards_outlives_the_page_that_is_built_anew(chat: Chat) -> None:
    note = chat.page.get_by_role("region", name="Your verdict on Heat")
    cards = chat.page.get_by_role("region", name="Recommendations")
    with chat.address_held_back():
        chat.send("I loved Heat, something with a twist")
        note.get_by_role("button", name="Undo").click()
        cards.get_by_role("button", name="Show 3 more").click()
        chat.answered()
    expect(note.get_by_text("No verdict")).to_be_visible()
    expect(cards.get_by_role("heading", level=3)).to_have_count(10)


def test_the_overview_is_shown_on_demand(chat: Chat) -> None:
    chat.start_survey()
    more = chat.page.get_by_role("button", name="What is it about?")
    expect(chat.page.locator(".rw-overview")).to_have_count(0)
    more.click()
    expect(chat.page.locator(".rw-overview")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")


def test_a_half_done_survey_survives_the_talk_going_on(chat: Chat) -> None:
    chat.start_survey()
    chat.press("ArrowRight", "ArrowRight")
    chat.say("A quiet film about memory")
    chat.page.get_by_role("region", name="Recommendations").wait_for()
    expect(chat.page.get_by_text("3 of 20", exact=True)).to_be_attached()


def test_search_in_words_gives_cards_with_reasons_and_reactions(chat: Chat, server: str) -> None:
    chat.say("90s heist with a twist")
    cards = chat.page.get_by_role("region", name="Recommendations")
    cards.wait_for()
    first = cards.locator(".rw-film").first
    expect(first.locator(".rw-reasons li").first).to_be_visible()
    years = [text.split(" · ")[0] for text in cards.locator(".rw-meta").all_inner_texts()]
    assert years
    assert all(year.startswith("199") for year in years)
    first.get_by_role("button", name="Like:").click()
    expect(first.get_by_text("Liked", exact=True)).to_be_visible()
    chat.answered()
    assert profile(server)["like_count"] == 1
    first.get_by_role("button", name="Undo").click()
    expect(first.get_by_role("button", name="Like:")).to_be_visible()
    chat.answered()
    assert profile(server)["like_count"] == 0


def test_why_this_one_is_answered_with_its_evidence(chat: Chat) -> None:
    chat.say("Something like Heat but funnier")
    film = chat.page.locator(".rw-film").nth(1)
    film.wait_for()
    title = film.locator("h3").inner_text()
    film.get_by_role("button", name="Why this one?").click()
    evidence = chat.page.get_by_role("region", name=f"What this rests on: {title}")
    expect(evidence).to_be_in_viewport()
    expect(evidence.get_by_role("listitem").first).to_be_visible()


def test_the_profile_says_what_is_known_in_plain_words(chat: Chat) -> None:
    chat.start_survey()
    chat.press(*["ArrowRight"] * 4, "ArrowLeft", "ArrowLeft")
    chat.say("What do you know about me?")
    taste = chat.page.get_by_role("region", name="Your taste")
    expect(taste.get_by_text("Your taste, from 6 films")).to_be_visible()
    expect(taste.get_by_role("heading", name="You go for")).to_be_visible()


def test_a_belief_shows_its_films_and_is_changed_by_changing_one(chat: Chat, server: str) -> None:
    chat.say("I loved Alien and Heat, hated La La Land")
    expect(chat.page.get_by_text("Noted, you liked Alien")).to_be_visible()
    chat.say("What do you know about me?")
    taste = chat.page.get_by_role("region", name="Your taste")
    musicals = taste.get_by_text("Musical", exact=True)
    musicals.click()
    taste.get_by_role("button", name="Take back: La La Land").first.click()
    expect(musicals).to_have_count(0)
    chat.answered()
    assert profile(server)["dislike_count"] == 0
    taste.get_by_role("button", name="Put back: La La Land").click()
    expect(musicals).to_be_visible()
    chat.answered()
    assert profile(server)["dislike_count"] == 1


def test_what_the_assistant_did_stands_line_under_line(chat: Chat) -> None:
    chat.say("I loved Alien and Heat, hated La La Land")
    expect(chat.page.get_by_text("Noted, you liked Alien")).to_be_visible()
    steps = chat.page.locator("[data-step-type=tool]")
    expect(steps).to_have_count(3)
    # All at once: the page scrolls as it grows.
    tops = steps.evaluate_all("steps => steps.map(each => each.getBoundingClientRect().top)")
    gaps = [below - above for above, below in pairwise(tops)]
    assert all(18 <= gap <= 28 for gap in gaps), gaps


def test_a_film_named_in_words_can_be_liked_and_undone(chat: Chat, server: str) -> None:
    chat.say("I loved Heat")
    note = chat.page.get_by_role("region", name="Your verdict on Heat")
    expect(note.get_by_text("Liked")).to_be_visible()
    note.get_by_role("button", name="Undo").click()
    expect(note.get_by_text("No verdict")).to_be_visible()
    chat.answered()
    chat.say("What do you know about me?")
    chat.page.get_by_role("region", name="Your taste").wait_for()
    assert profile(server)["swipe_count"] == 0


def test_a_reaction_that_is_put_right_is_shown_once(chat: Chat) -> None:
    chat.say("I loved Heat")
    chat.say("I never said I liked Heat, I hated it")
    notes = chat.page.get_by_role("region", name="Your verdict on Heat")
    expect(notes.get_by_text("Not for you")).to_have_count(2)  # one for each message
    expect(notes).to_have_count(2)


def test_a_reaction_that_is_taken_back_leaves_the_one_before(chat: Chat) -> None:
    for words in ("I loved Heat", "I hated Heat", "undo that"):
        chat.say(words)
    notes = chat.page.get_by_role("region", name="Your verdict on Heat")
    expect(notes.get_by_text("Liked")).to_have_count(3)  # one for each message, of one mind


def test_reactions_stand_in_the_order_they_were_said_in(chat: Chat) -> None:
    chat.say("I loved Heat, Alien and Casino, hated Fargo, Titanic and Jaws")
    said = [f"Your verdict on {title}" for title in "Heat Alien Casino Fargo Titanic Jaws".split()]
    notes = chat.page.get_by_role("region", name="Your verdict on")
    for _ in range(2):
        expect(notes).to_have_count(len(said))
        assert [note.get_attribute("aria-label") for note in notes.all()] == said
        chat.ended()
        chat.page.reload()


def test_a_new_chat_remembers_the_swipes(chat: Chat, server: str) -> None:
    chat.start_survey()
    chat.press("ArrowRight", "ArrowRight", "ArrowLeft")
    chat.page.goto(server)
    expect(chat.page.get_by_text("I remember your 3 swipes")).to_be_visible()


@pytest.mark.parametrize(
    "words",
    ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "[x](javascript:alert(1))"],
)
def test_markup_in_a_message_is_inert(chat: Chat, words: str) -> None:
    chat.say(words)
    expect(chat.page.locator("[data-step-type=user_message]").last).to_have_text(words)
    expect(chat.page.locator("[data-step-type=assistant_message]")).to_have_count(2)
    assert chat.page.locator("[data-step-type] img[src=x]").count() == 0
    assert chat.page.locator("[href^='javascript:']").count() == 0


@pytest.mark.parametrize("words", ["🎬🍿", "أريد فيلما مضحكا", "?!", "a" * 10_000])
def test_odd_messages_get_an_answer(chat: Chat, words: str) -> None:
    chat.say(words)
    replies = chat.page.locator("[data-step-type=assistant_message]")
    expect(replies).to_have_count(2)
    expect(replies.last).not_to_contain_text("went wrong")
    assert not chat.overflows()


@pytest.mark.parametrize(
    ("name", "width", "height", "theme"),
    [
        ("desktop", 1280, 800, "dark"),
        ("desktop", 1280, 800, "light"),
        ("phone", 390, 844, "dark"),
        ("phone", 390, 844, "light"),
        ("small", 360, 740, "dark"),
    ],
)
def test_every_view_fits_the_screen(
    open_chat: OpenChat, artifacts: Path, name: str, width: int, height: int, theme: str
) -> None:
    chat = open_chat(width, height, theme)

    def look(view: str) -> None:
        chat.page.evaluate("document.fonts.ready")
        chat.page.screenshot(path=artifacts / f"{view}-{name}-{theme}.png")
        assert not chat.overflows(), view

    look("welcome")
    chat.start_survey()
    look("swipe")
    chat.press(*["ArrowRight"] * 4, "ArrowLeft", "ArrowLeft", "ArrowDown")
    look("swiped")
    chat.say("Something like Heat but funnier")
    chat.page.get_by_role("region", name="Recommendations").wait_for()
    look("picks")
    chat.page.get_by_role("button", name="Why this one?").nth(1).click()
    chat.page.get_by_role("region", name="What this rests on").wait_for()
    look("why")
    chat.say("What do you know about me?")
    taste = chat.page.get_by_role("region", name="Your taste")
    taste.locator("summary").first.click()
    taste.get_by_role("button", name="Take back").first.wait_for()
    look("profile")


def test_a_question_mark_shows_the_keys(chat: Chat) -> None:
    chat.page.get_by_role("button", name="Start swiping").focus()
    chat.page.keyboard.press("?")
    keys = chat.page.get_by_role("dialog", name="Keys")
    expect(keys.get_by_text("Haven't seen it")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    chat.page.locator("#chat-input").click()
    chat.page.keyboard.press("?")
    expect(keys).to_have_count(0)
