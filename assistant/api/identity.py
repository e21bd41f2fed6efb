"""Who is asking: every route that serves one person goes through the steps here."""

import re
from contextlib import suppress
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from assistant.api import kinds
from assistant.api.keys import PREFIX, ApiKeys
from assistant.api.limits import LimitedRoute
from assistant.api.problems import Refusal
from assistant.api.settings import ApiSettings
from assistant.api.tokens import FETCH_AGAIN_SECONDS, KeysUnavailable, TokenRefused, Tokens, tokens

LONGEST_CREDENTIAL = 8192
REALM = 'Bearer realm="reelwise"'
# RFC 6750, section 2.1.
_BEARER = re.compile(r"bearer +(?P<credential>[A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class Identity:
    """Tells whom a credential acts for, by API keys, tokens or both."""

    def __init__(self, keys: ApiKeys | None, tokens: Tokens | None) -> None:
        self._keys = keys
        self._tokens = tokens

    @property
    def takes(self) -> str:
        """What it takes, in words."""
        taken = ("API key", self._keys), ("JWT", self._tokens)
        return " or ".join(name for name, check in taken if check)

    async def caller(self, request: Request) -> str:
        """Whom the request's credential acts for. Raises Refusal: 401, or 503 without keys."""
        credential = _credential(request)
        if self._tokens is None or (self._keys and credential.startswith(PREFIX)):
            return self._of_key(credential)
        return await self._of_token(self._tokens, credential)

    def _of_key(self, key: str) -> str:
        user_id = self._keys.user_of(key) if self._keys else None
        if user_id is None:
            raise _unidentified("The API key is not one of this server's, or was revoked.")
        return user_id

    async def _of_token(self, tokens: Tokens, token: str) -> str:
        try:
            return await tokens.user_of(token)
        except TokenRefused as error:
            raise _unidentified(str(error)) from error
        except KeysUnavailable as error:
            retry = {"Retry-After": str(FETCH_AGAIN_SECONDS)}
            raise Refusal(kinds.IDENTITY_UNAVAILABLE, headers=retry) from error


def identity(settings: ApiSettings) -> Identity | None:
    """How callers are told apart; None where REST is open. Raises InvalidRequest."""
    keys = ApiKeys(settings.api_keys_file) if settings.api_keys_file else None
    checked = tokens(settings)
    return Identity(keys, checked) if keys or checked else None


class UserRoute(LimitedRoute):
    """A route that serves one person: the credential's own user, whom every user id must name."""

    async def user(self, request: Request) -> str | None:
        """Whose request it is; where REST is open, whom it names. Raises Refusal."""
        identity: Identity | None = request.app.state.identity
        if identity is None:
            return next(iter(await _named(request)), None)
        request.state.caller = caller = await identity.caller(request)
        if any(user_id != caller for user_id in await _named(request)):
            raise Refusal(kinds.FORBIDDEN, f"This credential acts for {caller!r} and nobody else.")
        return caller


async def _caller(request: Request) -> str | None:
    return getattr(request.state, "caller", None)


Caller = Annotated[str | None, Depends(_caller)]


async def _named(request: Request) -> list[str]:
    """Every user id in path, body and query, in this order."""
    named = [
        request.path_params.get("user_id"),
        await _in_body(request),
        *request.query_params.getlist("user_id"),
    ]
    return [user_id for user_id in named if isinstance(user_id, str)]


async def _in_body(request: Request) -> object:
    if not await request.body():
        return None
    # What is wrong with it is said by the handler, which reads it again.
    with suppress(ValueError, RecursionError):
        body = await request.json()
        return body.get("user_id") if isinstance(body, dict) else None
    return None


def _credential(request: Request) -> str:
    headers = request.headers.getlist("authorization")
    if not headers:
        raise Refusal(kinds.UNAUTHENTICATED, headers={"WWW-Authenticate": REALM})
    match = _BEARER.fullmatch(headers[0])
    if len(headers) > 1 or not match or len(match["credential"]) > LONGEST_CREDENTIAL:
        raise _unidentified(kinds.UNAUTHENTICATED.mend)
    return match["credential"]


def _unidentified(reason: str) -> Refusal:
    challenge = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
    return Refusal(kinds.UNAUTHENTICATED, reason, headers=challenge)
