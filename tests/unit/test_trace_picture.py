"""The picture of a trace: every span is a row, where and when it belongs."""

from xml.etree import ElementTree

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from assistant.trace_picture import INDENT, waterfall
from assistant.tracing import tracing
from recommender.telemetry import span

SVG = "{http://www.w3.org/2000/svg}"


def drawn(title: str = "a turn") -> ElementTree.Element:
    """The picture of a little trace."""
    exporter = InMemorySpanExporter()
    with tracing(SimpleSpanProcessor(exporter)), span("chat turn"):
        with span("tool search"), span("SELECT <items>"):
            pass
        with span("fuse"):
            pass
    return ElementTree.fromstring(waterfall(exporter.get_finished_spans(), title))  # noqa: S314


def test_rows_are_in_order_and_indented() -> None:
    names = {"chat turn", "tool search", "SELECT <items>", "fuse"}
    texts = [each for each in drawn().iter(f"{SVG}text") if each.text in names]
    assert [each.text for each in texts] == ["chat turn", "tool search", "SELECT <items>", "fuse"]
    lefts = [int(each.attrib["x"]) for each in texts]
    assert [(left - lefts[0]) / INDENT for left in lefts] == [0, 1, 2, 1]
    heights = [int(each.attrib["y"]) for each in texts]
    assert heights == sorted(heights)


def test_bars_lie_within_the_one_around_them_and_say_what_they_are() -> None:
    bars = [each.attrib for each in drawn().iter(f"{SVG}rect") if each.attrib["height"] == "14"]
    colours = [bar["fill"] for bar in bars]
    parts = ["door", "tool", "database", "encoder"]
    assert colours == [f"var(--{part})" for part in parts]
    left, width = (float(bars[0][name]) for name in ("x", "width"))
    for bar in bars:
        assert left <= float(bar["x"]) <= left + width


def test_what_was_said_is_text_and_no_markup() -> None:
    picture = drawn("<script>alert('x')</script> & \"more\"")
    assert picture.attrib["aria-label"] == "<script>alert('x')</script> & \"more\""
    assert not list(picture.iter(f"{SVG}script"))
