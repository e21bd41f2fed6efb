"""What Chainlit's sessions leave open: by which names they may go, and what is left of them."""

import re
from collections.abc import Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from chainlit import socket
from chainlit.chat_context import chat_contexts
from chainlit.server import app, sio
from chainlit.session import WebsocketSession
from chainlit.user_session import user_sessions
from starlette.requests import Request
from starlette.responses import JSONResponse

_SESSION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_THREAD = re.compile(r"[\w.~-]{0,100}")
_UNKNOWN = "Session not found"
"""As Chainlit has it."""
_delete = WebsocketSession.delete


def mend_sessions() -> None:
    """Have sessions go by names that are only names, leave nothing behind, and not sleep; and tell
    a page whose session is over what to do.
    """
    sio.on("connect", _connect)
    app.add_exception_handler(ValueError, _over)
    WebsocketSession.delete = _deleted  # type: ignore[method-assign]
    # Each message and step sleeps for a millisecond, the whole server with it, so that no two are
    # of one moment; which microseconds tell apart.
    for name in ("chainlit.message", "chainlit.step"):
        vars(import_module(name))["time"] = SimpleNamespace(sleep=lambda _seconds: None)


async def _connect(sid: str, environ: Mapping[str, Any], auth: object) -> bool:
    """Open a session. Raises ConnectionRefusedError for a name that is none: Chainlit makes a
    folder of it and deletes that at the end, wherever it leads.

    A conversation's may be any address that somebody typed, and there is none by such a name.
    """
    if not isinstance(auth, dict) or not _is(_SESSION, auth.get("sessionId")):
        raise ConnectionRefusedError("A session goes by a UUID. Load the page again.")
    thread_id = auth.get("threadId")
    known = thread_id if _is(_THREAD, thread_id) else ""
    return bool(await socket.connect(sid, environ, auth | {"threadId": known}))


async def _deleted(session: WebsocketSession) -> None:
    """Chainlit keeps the messages of sessions that are gone, each with all its cards."""
    await _delete(session)  # type: ignore[no-untyped-call]
    chat_contexts.pop(session.id, None)
    user_sessions.pop(session.id, None)


async def _over(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a button of a page that this server does not know, or no longer."""
    if str(error) != _UNKNOWN:
        raise error
    return JSONResponse({"detail": "This page is not connected. Load it again."}, 404)


def _is(pattern: re.Pattern[str], name: object) -> bool:
    return isinstance(name, str) and pattern.fullmatch(name) is not None
