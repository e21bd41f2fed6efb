"""Who is talking: the owner of the laptop, or whoever signed in. Chainlit keeps it in a cookie."""

import asyncio

import chainlit as cl
from chainlit.auth import (
    clear_auth_cookie,
    cookie,
    create_jwt,
    get_token_from_cookies,
    set_auth_cookie,
)
from chainlit.auth.jwt import decode_jwt
from chainlit.config import config
from chainlit.oauth_providers import get_configured_oauth_providers
from jwt import InvalidTokenError
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from assistant.chat.passwords import Passwords
from assistant.chat.settings import ChatSettings, passwords_file
from recommender.errors import InvalidRequest
from recommender.models import UserIdentifier

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(UserIdentifier)


def register_sign_in(settings: ChatSettings) -> None:
    """Let people in as ``settings.auth`` says.

    Raises InvalidRequest for passwords or a provider that are not set up.
    """
    cookie._cookie_secure = (settings.public_url or "").startswith("https:")
    code = config.code
    code.header_auth_callback = code.password_auth_callback = code.oauth_callback = None
    match settings.auth:
        case "none":
            _register_owner(settings.user_id)
        case "header":
            _register_header(settings.auth_header)
        case "password":
            _register_passwords(Passwords(passwords_file(settings.home)))
        case "oauth":
            _register_provider()


def signed_in() -> str:
    """The id of whoever the conversation that is being served is with."""
    user: cl.User = cl.user_session.get("user")
    return user.identifier


async def sign_in_at_the_door(request: Request, response: Response) -> None:
    """Give whoever need not be asked their cookie with the page, and nobody another's."""
    if let_in := config.code.header_auth_callback:
        user = await let_in(request.headers)
        if user is None:
            clear_auth_cookie(request, response)
        elif _name_in_cookie(request) != user.identifier:
            set_auth_cookie(request, response, create_jwt(user))


def _name_in_cookie(request: Request) -> str | None:
    try:
        return decode_jwt(get_token_from_cookies(request.cookies) or "").identifier
    except (InvalidTokenError, TypeError):
        return None


def _register_owner(user_id: str) -> None:
    async def owner(_headers: Headers) -> cl.User:
        return cl.User(identifier=user_id)

    cl.header_auth_callback(owner)


def _register_header(name: str) -> None:
    """Believe a header that the proxy in front sets, and takes out of what clients send."""

    async def named(headers: Headers) -> cl.User | None:
        return _user(headers.get(name, ""))

    cl.header_auth_callback(named)


def _register_passwords(passwords: Passwords) -> None:
    async def known(name: str, password: str) -> cl.User | None:
        right = await asyncio.to_thread(passwords.verify, name, password)
        return _user(name) if right else None

    cl.password_auth_callback(known)


def _register_provider() -> None:
    """Believe the one provider that Chainlit's OAUTH_… variables set up.

    With two, one could give the name that somebody has at the other.
    """
    if len(get_configured_oauth_providers()) != 1:
        raise InvalidRequest(
            "CHAT_AUTH=oauth needs one provider's variables, such as OAUTH_GITHUB_CLIENT_ID and "
            "OAUTH_GITHUB_CLIENT_SECRET: see Chainlit's documentation of OAuth."
        )

    async def known(
        _provider: str, _token: str, _raw: dict[str, str], user: cl.User, _id: str | None = None
    ) -> cl.User | None:
        return _user(user.identifier)

    cl.oauth_callback(known)


def _user(name: str | None) -> cl.User | None:
    """None for a name that no user can have."""
    try:
        return cl.User(identifier=_IDENTIFIER.validate_python(name))
    except ValidationError:
        return None
