"""A trace as a picture: one row a span, indented below the one around it, over a common clock."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape

from opentelemetry.sdk.trace import ReadableSpan

WIDTH, NAMES, MARGIN = 1080, 330, 24
TOP, ROW, BAR = 102, 26, 14
INDENT = 15
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
MOST_TICKS = 8
PARTS = {
    "chat": "door",
    "model": "model",
    "tool": "tool",
    "encode": "encoder",
    "fuse": "encoder",
    "SELECT": "database",
    "INSERT": "database",
    "UPDATE": "database",
    "DELETE": "database",
    "DynamoDB": "database",
}
"""What a span is a part of, by the first word of its name; everything else is the service."""
LEGEND = ("door", "model", "tool", "service", "encoder", "database")
STYLE = """
svg { --ground: #f9f7f1; --ink: #1d1929; --quiet: #5f5b6c; --line: #e0d9cb;
  --door: #1d1929; --model: #8a3ffc; --tool: #b3471a; --service: #1f6f8b; --encoder: #2f7d4f;
  --database: #a87a00; }
@media (prefers-color-scheme: dark) { svg { --ground: #131118; --ink: #f2eee4; --quiet: #a9a6b4;
  --line: #2c2838; --door: #f2eee4; --model: #b48bff; --tool: #ff9a62; --service: #62c4e3;
  --encoder: #5ecb8f; --database: #f6b545; } }
text { font: 12.5px system-ui, sans-serif; fill: var(--ink); }
.head { font-size: 17px; font-weight: 650; }
.quiet { fill: var(--quiet); font-size: 11.5px; }
"""


def waterfall(spans: Sequence[ReadableSpan], title: str) -> str:
    """SVG of finished spans of one trace, the outermost among them."""
    rows = list(_in_order(spans))
    start = min(span.start_time or 0 for span in spans)
    total = max(_end(span) for span in spans) - start
    clock = _Clock(start, max(total, 1))
    height = TOP + ROW * len(rows) + MARGIN
    body = [
        f'<rect width="{WIDTH}" height="{height}" rx="10" fill="var(--ground)"/>',
        f'<text class="head" x="{MARGIN}" y="34">{escape(title)}</text>',
        *_legend(),
        *_axis(clock, height),
    ]
    for row, (depth, span) in enumerate(rows):
        body += _row(clock, TOP + ROW * row, depth, span)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>{STYLE}</style>{"".join(body)}</svg>\n'
    )


class _Clock:
    """From nanoseconds to places on the picture."""

    def __init__(self, start: int, total: int) -> None:
        self.start, self.total = start, total
        self._scale = (WIDTH - NAMES - 3 * MARGIN - 40) / total

    def x(self, moment: float) -> float:
        return NAMES + MARGIN + (moment - self.start) * self._scale


def _in_order(spans: Sequence[ReadableSpan]) -> Iterator[tuple[int, ReadableSpan]]:
    """Depth first, each span's own in the order in which they began."""
    known = {span.context.span_id for span in spans}
    below: dict[int | None, list[ReadableSpan]] = defaultdict(list)
    for span in sorted(spans, key=lambda each: each.start_time or 0):
        around = span.parent.span_id if span.parent else None
        below[around if around in known else None].append(span)

    def walk(around: int | None, depth: int) -> Iterator[tuple[int, ReadableSpan]]:
        for span in below[around]:
            yield depth, span
            yield from walk(span.context.span_id, depth + 1)

    return walk(None, 0)


def _row(clock: _Clock, y: int, depth: int, span: ReadableSpan) -> Iterator[str]:
    start, end = span.start_time or 0, _end(span)
    left, right = clock.x(start), clock.x(end)
    width = max(right - left, 2)
    yield f'<text x="{MARGIN + INDENT * depth}" y="{y + 17}">{escape(span.name)}</text>'
    yield (
        f'<rect x="{left:.1f}" y="{y + 6}" width="{width:.1f}" height="{BAR}" rx="3" '
        f'fill="var(--{_part(span.name)})"/>'
    )
    yield f'<text class="quiet" x="{left + width + 6:.1f}" y="{y + 17}">{_took(end - start)}</text>'


def _legend() -> Iterator[str]:
    x = MARGIN
    for part in LEGEND:
        yield f'<rect x="{x}" y="50" width="12" height="12" rx="3" fill="var(--{part})"/>'
        yield f'<text class="quiet" x="{x + 17}" y="60">{part}</text>'
        x += 34 + 7 * len(part)


def _axis(clock: _Clock, height: int) -> Iterator[str]:
    milliseconds = clock.total / 1e6
    step = next((each for each in STEPS if milliseconds / each <= MOST_TICKS), STEPS[-1])
    for tick in range(0, int(milliseconds) + 1, step):
        x = clock.x(clock.start + tick * 1e6)
        yield (
            f'<path d="M{x:.1f} {TOP - 4}V{height - MARGIN}" stroke="var(--line)" fill="none"/>'
            f'<text class="quiet" x="{x:.1f}" y="{TOP - 9}" text-anchor="middle">{tick} ms</text>'
        )


def _part(name: str) -> str:
    return PARTS.get(name.split()[0], "service")


def _took(nanoseconds: int) -> str:
    milliseconds = nanoseconds / 1e6
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def _end(span: ReadableSpan) -> int:
    return span.end_time or span.start_time or 0
