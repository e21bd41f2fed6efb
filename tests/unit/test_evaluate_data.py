from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.data import DataUnusable, load, merge, read_films, split_users
from fusion.evaluate.protocol import Interactions, Rating, Swipe
from tests.unit.evaluate_world import N_FILMS, people, write_folder


@pytest.mark.parametrize(
    ("value", "liked"), [(5.0, True), (4.0, True), (2.5, False), (0.5, False), (3.0, None)]
)
def test_a_rating_reads_as_a_swipe(value: float, liked: bool | None) -> None:
    swipe = Swipe.of(Rating(3, value, 7))
    assert (swipe and swipe.liked) == liked


def test_load_joins_ratings_and_films_by_id(tmp_path: Path) -> None:
    everyone = people()
    dataset = load(*write_folder(tmp_path, everyone), min_ratings=1)
    read = {dataset.films[r.item].item_id: r.value for r in dataset.everyone.by_user[1]}
    assert read == {str(r.item): r.value for r in everyone.by_user[1]}


def test_films_come_in_no_telling_order(tmp_path: Path) -> None:
    dataset = load(*write_folder(tmp_path, people()), min_ratings=1)
    ids = [int(film.item_id) for film in dataset.films]
    assert sorted(ids) == list(range(N_FILMS))
    assert ids != sorted(ids)


def test_rarely_rated_films_are_left_out(tmp_path: Path) -> None:
    folder, catalogue = write_folder(tmp_path, people())
    with (folder / "ratings.csv").open("a", encoding="utf-8") as file:
        file.write("\n1,9999,5.0,3")
    assert len(load(folder, catalogue, min_ratings=1).films) == N_FILMS
    with pytest.raises(DataUnusable, match="1000 ratings"):
        load(folder, catalogue, min_ratings=1000)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    _, catalogue = write_folder(tmp_path, people())
    (tmp_path / "ratings.csv").unlink()
    with pytest.raises(DataUnusable, match=r"ratings\.csv cannot be read.*grouplens"):
        load(tmp_path, catalogue)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    _, catalogue = write_folder(tmp_path, people())
    (tmp_path / "ratings.csv").write_text("userId,movieId\n1,2\n", encoding="utf-8")
    with pytest.raises(DataUnusable, match="lacks the columns rating, timestamp"):
        load(tmp_path, catalogue)


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    folder, catalogue = write_folder(tmp_path, people())
    with (folder / "ratings.csv").open("a", encoding="utf-8") as file:
        file.write("\n1,2,many,3")
    with pytest.raises(DataUnusable, match=r"ratings\.csv, line 902.*many"):
        load(folder, catalogue)


@pytest.mark.parametrize("line", ["{", '{"item_id": "1"}', "[]"])
def test_a_line_that_is_no_film_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "films.jsonl"
    path.write_text(f'{{"item_id": "1", "title": "A"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(DataUnusable, match=r"films\.jsonl, line 2"):
        read_films(path)


def some_lazy(count: int) -> Interactions:
    """People of whom every third has but ten swipes."""
    everyone = people(count)
    return Interactions(
        N_FILMS,
        {user: ratings if user % 3 else ratings[:10] for user, ratings in everyone.by_user.items()},
    )


def test_test_people_are_the_first_of_a_permutation_of_all_ids() -> None:
    split = split_users(people(610), seed=7)
    drawn = np.random.default_rng(7).permutation(610) + 1
    assert split.test.by_user.keys() == set(drawn[:130].tolist())
    assert split.validation.by_user.keys() == set(drawn[130:190].tolist())
    assert split.train.by_user.keys() == set(drawn[190:].tolist())


def test_who_is_set_aside_and_too_lazy_is_used_for_nothing() -> None:
    drawn = (np.random.default_rng(7).permutation(610) + 1).tolist()
    active = [user for user in drawn if user % 3]
    split = split_users(some_lazy(610), seed=7)
    assert split.test.by_user.keys() == {user for user in drawn[:130] if user % 3}
    others = [user for user in active if user in drawn[130:]]
    assert split.validation.by_user.keys() == set(others[:60])
    assert split.train.by_user.keys() == set(drawn[130:]) - set(others[:60])


@given(seed=st.integers(0, 999), least=st.sampled_from([5, 20]))
def test_who_is_set_aside_does_not_hang_on_how_active_a_stranger_is(seed: int, least: int) -> None:
    split = split_users(some_lazy(30), seed, validation=5, test=8, min_swipes=least)
    groups = [split.train.by_user, split.validation.by_user, split.test.by_user]
    used = [user for group in groups for user in group]
    assert len(used) == len(set(used))
    aside = set((np.random.default_rng(seed).permutation(30)[:8] + 1).tolist())
    assert aside.isdisjoint(merge(split.train, split.validation).by_user)
    assert split.test.by_user.keys() <= aside


def test_the_seed_decides_who_is_a_stranger() -> None:
    first, same, other = (
        split_users(people(), seed, validation=5, test=8, min_swipes=20).test.by_user.keys()
        for seed in (1, 1, 2)
    )
    assert first == same != other


def test_too_few_strangers_are_refused() -> None:
    with pytest.raises(DataUnusable, match="30 people are there, 30 as active"):
        split_users(people(), seed=1, validation=20, test=20, min_swipes=20)


def test_somebody_must_be_left_to_train_on() -> None:
    with pytest.raises(DataUnusable, match="somebody to train on"):
        split_users(people(), seed=1, validation=20, test=10, min_swipes=20)


def test_data_are_told_apart(tmp_path: Path) -> None:
    folder, catalogue = write_folder(tmp_path, people())
    first, same = (load(folder, catalogue, min_ratings=1).digest for _ in range(2))
    with (folder / "ratings.csv").open("a", encoding="utf-8") as file:
        file.write("\n1,0,5.0,3")
    assert first == same != load(folder, catalogue, min_ratings=1).digest
