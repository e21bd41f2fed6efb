"""Everyone's swipes, to train a fusion on them."""

import hashlib
import secrets
from collections.abc import Iterator
from itertools import groupby

from fusion.training.swipe_log import LoggedSwipe
from recommender.preferences.fold import standing_swipes
from recommender.stores.ports import SwipeLog


def everyones_swipes(log: SwipeLog) -> Iterator[LoggedSwipe]:
    """Yield each user's standing swipes in the order they were made.

    Users have names that say nothing: hashes with a salt that is drawn for each export and kept
    nowhere, so that neither ids nor two exports can be joined.
    """
    salt = secrets.token_bytes(16)
    for user_id, events in groupby(log.all(), key=lambda event: event.user_id):
        person = hashlib.blake2b(user_id.encode(), key=salt, digest_size=12).hexdigest()
        for swipe in standing_swipes(events).values():
            yield LoggedSwipe(
                person=person,
                item_id=swipe.item_id,
                direction=swipe.direction.value,
                swiped_at=swipe.swiped_at,
            )
