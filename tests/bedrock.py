"""What Bedrock's Converse and ConverseStream answer, as bytes on the wire."""

import json
import struct
from binascii import crc32
from collections.abc import Sequence

from tests.scripted_endpoint import Act, Handler, reply

EVENTS = "application/vnd.amazon.eventstream"
Event = tuple[str, dict[str, object]]


def frame(kind: str, payload: dict[str, object], message: str = "event") -> bytes:
    """One message of an event stream: prelude, its CRC, headers, payload, the CRC of all.

    The format: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
    """
    named = {
        ":message-type": message,
        f":{message}-type": kind,
        ":content-type": "application/json",
    }
    headers = b"".join(_header(name, value) for name, value in named.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    whole = prelude + struct.pack("!I", crc32(prelude)) + headers + body
    return whole + struct.pack("!I", crc32(whole))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", 7, len(text)) + text


def says(*words: str) -> list[Event]:
    """A message in words, one delta each."""
    deltas: list[Event] = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in words
    ]
    return [_START, *deltas, _stop(0), *_end("end_turn")]


def calls(name: str, args: dict[str, object], call_id: str = "tooluse_1") -> list[Event]:
    """A message that calls a tool, its arguments cut in two."""
    text = json.dumps(args)
    halves = (text[: len(text) // 2], text[len(text) // 2 :])
    start = {"toolUse": {"toolUseId": call_id, "name": name}}
    deltas: list[Event] = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": half}}})
        for half in halves
    ]
    begun: Event = ("contentBlockStart", {"contentBlockIndex": 0, "start": start})
    return [_START, begun, *deltas, _stop(0), *_end("tool_use")]


def whole(*content: dict[str, object], reason: str = "end_turn") -> Act:
    """An answer of Converse, which does not stream."""
    answer = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
    return reply(200, json.dumps(answer).encode())


def stream(events: Sequence[Event]) -> Act:
    """A whole answer."""
    return sending(b"".join(frame(*event) for event in events))


def broken_off(events: Sequence[Event]) -> Act:
    """An answer whose connection closes in the middle of the event that would end it."""
    ends = [kind for kind, _ in events].index("messageStop") + 1
    return sending(b"".join(frame(*event) for event in events[:ends])[:-20])


def garbled(events: Sequence[Event]) -> Act:
    """An answer with a flipped bit, which its checksum shows."""
    sent = bytearray(b"".join(frame(*event) for event in events))
    sent[len(sent) // 2] ^= 0x40
    return sending(bytes(sent))


def failing(events: Sequence[Event], kind: str) -> Act:
    """An answer that ends in an exception event."""
    sent = b"".join(frame(*event) for event in events)
    return sending(sent + frame(kind, {"message": "no more"}, "exception"))


def lying_about_its_length(events: Sequence[Event]) -> Act:
    """An answer whose first frame promises more than a frame may hold."""
    sent = bytearray(b"".join(frame(*event) for event in events))
    sent[:4] = struct.pack("!I", 2**31)
    sent[8:12] = struct.pack("!I", crc32(bytes(sent[:8])))
    return sending(bytes(sent))


def sending(body: bytes) -> Act:
    """These bytes as an event stream, until the connection closes."""

    def act(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", EVENTS)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    return act


_START: Event = ("messageStart", {"role": "assistant"})


def _stop(index: int) -> Event:
    return "contentBlockStop", {"contentBlockIndex": index}


def _end(reason: str) -> list[Event]:
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    return [
        ("messageStop", {"stopReason": reason}),
        ("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    ]
