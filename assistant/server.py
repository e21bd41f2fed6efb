"""The server: REST and chat over one recommender, in one process."""

import logging

from fastapi import FastAPI

from assistant.agent import agent_with
from assistant.api.app import create_api
from assistant.api.settings import ApiSettings
from assistant.chat.mount import mount_chat
from assistant.chat.settings import ChatSettings
from assistant.models import hosted
from assistant.planner import SOURCES, offline_planner
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender

log = logging.getLogger(__name__)

# The interpreter runs one thread at a time, and each queues for it anew whenever it waited for
# something. Where dozens do, the one that answers sockets comes last: with 400 people on two busy
# cores a turn of the chat took six seconds, and a quarter of one with two threads.
THREADS = 2
THREADS_THAT_WAIT = 8
"""For a database or models on other machines."""


def create_app(recommender: Recommender, encoder: TextEncoder, settings: Settings) -> FastAPI:
    """REST routes and ``/docs``, with the chat at ``/`` behind them; ``state.planner`` may be
    prepared.

    Raises ChatModelUnavailable when ASSISTANT_MODEL names a model that cannot be had, and
    InvalidRequest when the settings do not say clearly who may ask.
    """
    api = ApiSettings(host=settings.host)
    if api.worker_threads is None:
        threads = THREADS if settings.all_at_hand else THREADS_THAT_WAIT
        api = api.model_copy(update={"worker_threads": threads})
    app = create_api(recommender, api, hosted_writer=settings.explanation_model is not None)
    if app.state.identity is None and not api.private:
        log.warning(
            "Whoever reaches %s can read and change everyone's swipes by REST. Set API_KEYS_FILE "
            "or JWT_JWKS_URL to ask who they are.",
            settings.host,
        )
    planner = offline_planner(
        encoder, recommender.films(), recommender.kept_by(*SOURCES), settings.encoder_timeout
    )
    app.state.planner = planner
    agent = agent_with(planner, settings.assistant_model, hosted(settings))
    chat = ChatSettings(
        home=settings.reelwise_home,
        user_id=settings.local_user_id,
        auth=settings.chat_auth,
        auth_header=settings.chat_auth_header,
        public_url=settings.public_url,
        markdown=settings.assistant_model is not None,
        poster_hosts=settings.poster_hosts,
        max_upload_bytes=api.max_upload_bytes,
    )
    mount_chat(app, recommender, agent, chat)
    app.openapi()  # made once, and for longer than the event loop may stand still
    return app
