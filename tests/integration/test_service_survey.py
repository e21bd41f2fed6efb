"""The survey that learns, through the real service."""

from assistant.composition import Fusions
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.models import Direction, SurveyMovie
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores

LIKE, DISLIKE, SKIP = Direction.LIKE, Direction.DISLIKE, Direction.SKIP


def shown(
    recommender: Recommender, user_id: str, session_id: str, answers: list[Direction]
) -> list[SurveyMovie]:
    """Answer card after card as asked; the cards, as far as there were any."""
    cards = []
    for answer in answers:
        movie = recommender.next_card(user_id, session_id).movie
        if movie is None:
            break
        cards.append(movie)
        recommender.record_swipe(user_id, movie.item_id, answer, session_id=session_id)
    return cards


def test_what_was_answered_shapes_what_is_shown(recommender: Recommender, user_id: str) -> None:
    decks = []
    for number, answers in enumerate(([LIKE] * 7, [SKIP] * 7)):
        user = f"{user_id}-{number}"
        session = recommender.start_survey(user, 20, seed=1)
        decks.append(shown(recommender, user, session.session_id, answers))
    liked, skipped = ([card.item_id for card in deck] for deck in decks)
    assert liked[0] == skipped[0]
    assert liked != skipped


def test_no_film_is_shown_twice_nor_one_swiped_elsewhere(
    recommender: Recommender, user_id: str
) -> None:
    session = recommender.start_survey(user_id, 12, seed=1)
    elsewhere = session.movies[1].item_id
    first = shown(recommender, user_id, session.session_id, [LIKE])
    recommender.record_swipe(user_id, elsewhere, LIKE)
    rest = shown(recommender, user_id, session.session_id, [DISLIKE, SKIP, LIKE] * 8)
    ids = [card.item_id for card in first + rest]
    assert len(ids) == len(set(ids)) <= 11  # the film swiped elsewhere was one of the cards
    assert elsewhere not in ids
    step = recommender.next_card(user_id, session.session_id)
    assert step.completed
    assert step.movie is None


def test_an_undone_answer_is_asked_again(recommender: Recommender, user_id: str) -> None:
    session = recommender.start_survey(user_id, 10, seed=1)
    cards = shown(recommender, user_id, session.session_id, [LIKE, SKIP, DISLIKE])
    recommender.undo_swipe(user_id)
    step = recommender.next_card(user_id, session.session_id)
    assert (step.position, step.movie) == (2, cards[-1])


def test_it_ends_early_only_when_it_has_settled(recommender: Recommender, user_id: str) -> None:
    session = recommender.start_survey(user_id, 200, seed=1)
    shown(recommender, user_id, session.session_id, [LIKE] * 200)
    step = recommender.next_card(user_id, session.session_id)
    assert step.completed
    assert step.settled == (step.position < 200)


def test_more_cards_than_films_are_well_known(recommender: Recommender, user_id: str) -> None:
    films = len(recommender.films())
    session = recommender.start_survey(user_id, films, seed=1)
    assert len({movie.item_id for movie in session.movies}) == films


def test_a_set_of_cards_is_asked_about_before_other_films(
    stores: Stores, encoder: TextEncoder, fusions: Fusions, user_id: str
) -> None:
    """Well known ones and unknown ones, in the order of what they teach, whatever is answered."""
    known = Recommender(stores, encoder, RecommenderSettings()).films()
    cards = [film.item_id for film in (*known[100:106], *known[900:904])]
    recommender = Recommender(
        stores,
        encoder,
        RecommenderSettings(),
        fusions=fusions.encoders,
        survey_cards=[*cards, "a film that is gone"],
    )
    session = recommender.start_survey(user_id, 14, seed=1)
    ids = [movie.item_id for movie in session.movies]
    assert sorted(ids[:10]) == sorted(cards)
    assert len(set(ids)) == 14
    asked = shown(recommender, user_id, session.session_id, [LIKE, SKIP] * 5)
    assert {card.item_id for card in asked} == set(cards)
