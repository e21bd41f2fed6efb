"""Traces by OpenTelemetry (extra `[otel]`): a request or chat turn, down to each SQL statement.

A trace holds names, times, and SQL without its parameters: nobody's words, and no exception's.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, format_trace_id
from sqlalchemy import Engine, ExceptionContext, event

from assistant.context import TRACE
from recommender.telemetry import trace_with

_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)")


def exported() -> SpanProcessor:
    """Sends spans by OTLP over HTTP; the standard OTEL_EXPORTER_OTLP_… variables say whereto."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())


@contextmanager
def tracing(processor: SpanProcessor) -> Iterator[None]:
    """Hand every span of this process that ends within to ``processor``."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "reelwise")
    provider = TracerProvider(resource=Resource.create(), shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("reelwise")
    statements = _Statements(tracer)
    trace_with(lambda name, caller: _span(tracer, name, caller))
    statements.listen(event.listen)
    try:
        yield
    finally:
        statements.listen(event.remove)
        trace_with(None)
        provider.shutdown()


@contextmanager
def _span(tracer: Tracer, name: str, caller: Mapping[str, str] | None) -> Iterator[Span]:
    context = None if caller is None else propagate.extract(caller)
    kind = SpanKind.INTERNAL if caller is None else SpanKind.SERVER
    opened = tracer.start_as_current_span(
        name, context, kind, record_exception=False, set_status_on_exception=False
    )
    with opened as span:
        token = TRACE.set(format_trace_id(span.get_span_context().trace_id))
        try:
            yield span
        except Exception as error:
            span.set_status(_failed(error))
            raise
        finally:
            TRACE.reset(token)


class _Statements:
    """Spans of SQL statements, of every engine of the process."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def listen(self, change: Any) -> None:  # noqa: ANN401 - listen or remove, which have no types
        """Begin or cease to hear of statements."""
        change(Engine, "before_cursor_execute", self._begin)
        change(Engine, "after_cursor_execute", self._end)
        change(Engine, "handle_error", self._fail)

    def _begin(
        self, _connection: object, _cursor: object, statement: str, _values: object,
        context: Any, _many: bool,  # noqa: ANN401
    ) -> None:  # fmt: skip
        attributes = {"db.system.name": "postgresql", "db.query.text": statement}
        context.span = self._tracer.start_span(
            _name(statement), kind=SpanKind.CLIENT, attributes=attributes
        )

    def _end(
        self, _connection: object, _cursor: object, _statement: str, _values: object,
        context: Any, _many: bool,  # noqa: ANN401
    ) -> None:  # fmt: skip
        context.span.end()

    def _fail(self, error: ExceptionContext) -> None:
        span: Span | None = getattr(error.execution_context, "span", None)
        if span is not None:
            span.set_status(_failed(error.original_exception))
            span.end()


def _name(statement: str) -> str:
    """``SELECT swipes``, or the verb alone."""
    verb = statement.split(maxsplit=1)[0].upper()
    table = _TABLE.search(statement)
    return f"{verb} {table[1]}" if table else verb


def _failed(error: BaseException) -> Status:
    return Status(StatusCode.ERROR, type(error).__name__)
