"""Mounting Chainlit at ``/`` of the application that already holds the REST routes.

Chainlit reads its folder when it is first imported and writes beside its configuration
(translations, session files). So the face of the chat is copied into the data folder, and nothing
here imports Chainlit before that folder stands.
"""

import os
import re
import secrets
import shutil
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.api.limits import Quota, bounded
from assistant.chat.settings import ChatSettings
from recommender.service import Recommender

if TYPE_CHECKING:
    from assistant.chat.handlers import Agent

_FACE = Path(__file__).parent
_PAGES = frozenset(
    {
        "/auth/config",
        "/auth/header",
        "/favicon",
        "/feedback",
        "/login",
        "/logo",
        "/logout",
        "/project/action",
        "/project/settings",
        "/project/thread",
        "/project/threads",
        "/project/translations",
        "/set-session-cookie",
        "/user",
    }
)
_SCREENS = {
    "/": "chat",
    "/thread/{thread_id}": "conversation",
    "/login": "login",
    "/login/callback": "signed in",
}
# An avatar's name holds no slash: Chainlit would answer that with its own page.
_FILES = re.compile(
    r"/(assets|public|ws/socket\.io)/.*|/avatars/[^/]+"
    r"|/project/thread/[^/]+(/element/[^/]+)?|/auth/oauth/[^/]+(/callback)?",
    re.DOTALL,
)
_SESSION_SECONDS = 3600
"""How long Chainlit keeps a session that lost its connection, by its configuration."""
_TRIES = "10/minute"
_UPLOADS = "60/hour"
_THIRD_PARTY_LINK = re.compile(r'\s*<link[^>]*href="https?://[^>]*>')
_END_OF_HEAD = "</head>"
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def mount_chat(
    app: FastAPI, recommender: Recommender, agent: "Agent", settings: ChatSettings
) -> None:
    """Serve the chat at ``/`` of ``app``. Call it after every other route is registered.

    Raises InvalidRequest for a sign-in that is not set up.

    ``agent`` is the compiled graph of ``assistant.agent.build_agent``. Chainlit keeps its
    configuration in module state, so a process has one chat: mounting again replaces it.
    """
    os.environ["CHAINLIT_APP_ROOT"] = str(_lay_out_face(settings.home))
    os.environ["CHAINLIT_ROOT_PATH"] = "/"
    if settings.public_url:
        os.environ["CHAINLIT_URL"] = settings.public_url
    os.environ["CHAINLIT_AUTH_SECRET"] = auth_secret(settings.home)
    _leave_out_traceloop()
    from chainlit.server import app as chainlit_app
    from chainlit.server import get_html_template, sio

    from assistant.chat.handlers import ChatDoor
    from assistant.chat.sessions import mend_sessions
    from assistant.chat.sign_in import sign_in_at_the_door

    mend_sessions()
    # Chainlit switches the origin check of its socket off; None means "same origin only".
    sio.eio.cors_allowed_origins = None
    ChatDoor(recommender, agent, settings).register()
    page = _with_poster_hosts(
        _THIRD_PARTY_LINK.sub("", get_html_template("/")), settings.poster_hosts
    )
    headers = {"Content-Security-Policy": _content_policy(page, settings.poster_hosts)}

    async def chat_page(request: Request) -> HTMLResponse:
        response = HTMLResponse(page, headers=headers)
        await sign_in_at_the_door(request, response)
        return response

    # Chainlit looks up the address of "login" when a provider lets nobody in.
    for path, name in _SCREENS.items():
        app.add_api_route(
            path, chat_page, methods=["GET", "HEAD"], name=name, include_in_schema=False
        )
    app.mount("/", _OnlyWhatTheChatUses(chainlit_app, settings.max_upload_bytes))


def _leave_out_traceloop() -> None:
    """Chainlit imports the client of a service that this chat does not use, and that client a kit
    for tracing, of which half a second and 20 MB are saved by a module with the one name it takes.
    """
    kit = ModuleType("traceloop.sdk")
    vars(kit)["Traceloop"] = None
    sys.modules.setdefault("traceloop", ModuleType("traceloop"))
    sys.modules.setdefault("traceloop.sdk", kit)


def _lay_out_face(home: Path) -> Path:
    """Bring configuration, elements and styles in ``home/chat`` up to date; return that folder.

    Another server may be serving from it: files that are as they should be stay untouched.
    """
    root = home.absolute() / "chat"
    sources = [each for name in (".chainlit", "public") for each in (_FACE / name).rglob("*")]
    wanted = {root / each.relative_to(_FACE): each for each in sources if each.is_file()}
    # Chainlit asks for the text in the page's language first, and complains where there is none.
    wanted |= {root / name: _FACE / "chainlit.md" for name in ("chainlit.md", "chainlit_en-US.md")}
    for target, source in wanted.items():
        _bring_up_to_date(target, source.read_bytes())
    for stale in (each for each in (root / "public").rglob("*") if each.is_file()):
        if stale not in wanted:
            stale.unlink()
    _forget_files_left_behind(root / ".files")
    return root


def _bring_up_to_date(target: Path, content: bytes) -> None:
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{secrets.token_hex(4)}")
    fresh.write_bytes(content)
    fresh.replace(target)


def _forget_files_left_behind(sessions: Path) -> None:
    """Delete what people sent to a server that was killed; a session's end deletes it otherwise."""
    for folder in sessions.glob("*"):
        with suppress(FileNotFoundError):  # a session of another server may end just now
            if time.time() - folder.stat().st_mtime > _SESSION_SECONDS:
                shutil.rmtree(folder)


def auth_secret(home: Path) -> str:
    """What cookies are signed with: CHAINLIT_AUTH_SECRET, or one made for this data folder."""
    if given := os.environ.get("CHAINLIT_AUTH_SECRET"):
        return given
    file, fresh = home / "auth-secret", home / f"auth-secret.{secrets.token_hex(4)}"
    if not file.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # two servers may start at once on one folder
            os.link(fresh, file)
        fresh.unlink()
    return file.read_text()


def _with_poster_hosts(page: str, hosts: Sequence[str]) -> str:
    """Tell the page what it is allowed anyway, so that it asks for no poster in vain."""
    told = f'<meta name="poster-hosts" content="{" ".join(hosts)}">'
    return page.replace(_END_OF_HEAD, told + _END_OF_HEAD, 1)


def _content_policy(page: str, poster_hosts: Sequence[str]) -> str:
    """Allow what the page is made of, posters of these hosts, and nothing else from elsewhere.

    Chainlit compiles custom elements in the browser, hence ``unsafe-eval``; inline event handlers
    stay forbidden because inline scripts are allowed by their hash only.
    """
    digests = (sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page))
    posters = "".join(f" https://{host}" for host in poster_hosts)
    inline = " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'self'; script-src 'self' 'unsafe-eval' {inline}; "
        "style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
        f"img-src 'self' data: blob:{posters}; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'self'"
    )


class _OnlyWhatTheChatUses:
    """Chainlit's application without its catch-all page and the routes this chat has no use for.

    Anything else is a 404 of the parent application, so unknown REST paths stay errors. Passwords
    can be tried a few times a minute, and files sent that are not too large; other bodies are
    bounded as those of REST are.
    """

    def __init__(self, inner: ASGIApp, max_upload_bytes: int) -> None:
        self._inner = inner
        self._max_upload_bytes = max_upload_bytes
        self._tries = Quota("sign-in", _TRIES)
        self._uploads = Quota("upload", _UPLOADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        upload = path == "/project/file" and scope.get("method") == "POST"
        served = upload or path in _PAGES or _FILES.fullmatch(path)
        if scope["type"] == "http" and not served:
            raise HTTPException(status_code=404, detail=f"There is nothing at {path}.")
        caller = (scope.get("client") or ("unknown",))[0]
        if path == "/login" and scope["method"] == "POST":
            self._tries.charge(caller)
        if upload:
            self._uploads.charge(caller)
            self._check_length(Headers(scope=scope))
        elif scope["type"] == "http":
            receive = bounded(receive, HTTPConnection(scope).app.state.max_body_bytes)
        await self._inner(scope, receive, send)

    def _check_length(self, headers: Headers) -> None:
        """Chainlit reads a file as a whole: one that does not say how long it is stays outside."""
        if "content-length" not in headers:
            raise HTTPException(status_code=411)
        if int(headers["content-length"]) > self._max_upload_bytes:
            raise HTTPException(status_code=413)
