"""Who may see how the service is doing: the metrics and the dashboard."""

import base64
import binascii
import hmac
from contextlib import suppress
from ipaddress import ip_address

from starlette.requests import Request

from assistant.api import kinds
from assistant.api.problems import Refusal

USER = "operator"
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Reelwise operators", charset="UTF-8"'}


async def operators_only(request: Request) -> None:
    """Let in whoever knows ``METRICS_PASSWORD``; without one, everybody where that is harmless.

    Raises Refusal: 401.
    """
    password: str | None = request.app.state.metrics_password
    if password is None and request.app.state.private and _asked_from_here(request):
        return
    offered = _credentials(request.headers.get("authorization", ""))
    if password is None or not hmac.compare_digest(offered, f"{USER}:{password}".encode()):
        raise Refusal(kinds.OPERATORS_ONLY, headers=_CHALLENGE)


def _asked_from_here(request: Request) -> bool:
    """Whether this machine asks: not a proxy on it, for somebody whom X-Forwarded-For names."""
    with suppress(ValueError):
        return request.client is not None and ip_address(request.client.host).is_loopback
    return False


def _credentials(header: str) -> bytes:
    """What HTTP basic authentication carries (RFC 7617): user, colon, password."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return b""
