"""Puts the page together: one file, with everything in it and nothing to fetch."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from cli.report import sentences, tables
from cli.report.facts import JobFacts
from cli.report.latency_charts import latency
from cli.report.outputs import ShownVideo, shown_videos
from cli.report.slot_chart import slot_chart
from cli.report.time_charts import hover_data, marks, time_charts
from cloudkon.ports import ObjectStore
from cloudkon.printable import one_line, printable

MOST_BYTES = 2_000_000
_MOST_TEXT = 2_000
_NEVER_IN_A_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the data that it holds."""

    html: str
    data: dict[str, Any]


def page(facts: JobFacts, store: ObjectStore) -> Page:
    """Make the page; contact sheets take what room is left of MOST_BYTES."""
    latencies, slots = latency(facts.reading), slot_chart(facts)
    data = {
        "stats": facts.stats.as_json() | {"cost": facts.cost.as_json()},
        "made_ms": facts.now_ms,
        "over_time": hover_data(facts.activity),
        "slots": slots.data if slots else {},
        "latency": latencies.data if latencies else {},
        "failures": tables.failures_json(facts),
        "stragglers": tables.stragglers_json(facts),
    }
    view = {
        "facts": facts,
        "stats": facts.stats,
        "moment": sentences.moment_utc,
        "summary": sentences.summary(facts),
        "notes": list(sentences.notes(facts)),
        "figures": list(tables.figures(facts)),
        "time_charts": time_charts(facts.activity),
        "marks": marks(facts.activity),
        "slots": slots,
        "latency": latencies,
        "workers": list(tables.workers(facts)),
        "failures": tables.failures(facts),
        "stragglers": list(tables.stragglers(facts)),
        "takeovers": tables.takeovers(facts),
        "waste": list(tables.waste(facts)),
        "charges": list(tables.charges(facts)),
        "numbers": list(tables.over_time(facts.activity)),
        "data": Markup(_script_json(data)),  # noqa: S704 (escaped for a script by _script_json)
        "videos": (),
    }
    html = _render(view)
    wanted = facts.outputs.first_videos()
    if not wanted:
        return Page(html, data)
    room_bytes = MOST_BYTES - len(html.encode()) - 20_000
    return Page(_render(view | {"videos": _videos(facts, list(shown_videos(wanted, store, room_bytes)))}), data)


def _videos(facts: JobFacts, shown: Sequence[ShownVideo]) -> Iterator[tuple[str, str, ShownVideo]]:
    for each in shown:
        number = facts.line_of(each.video.place)
        yield "?" if number is None else f"{number:,}", tables.video_text(each.video), each


def _render(view: dict[str, Any]) -> str:
    return f"{_template().render(view)}\n"


@cache
def _template() -> Template:
    """Everything that is put into the page is escaped, unless the template says that it is ours."""
    folder = files("cli.report") / "page"
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["line"] = lambda text: one_line(str(text), 300)
    environment.filters["block"] = _block
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment.globals |= {"style": Markup(style), "script": Markup(script)}  # noqa: S704 (our own files)
    return environment.from_string((folder / "report.html.jinja").read_text(encoding="utf-8"))


def _block(text: str) -> str:
    """A text of several lines, without anything that could do more than be read, and cut where it is endless."""
    cut = f"{text[:_MOST_TEXT]}\n..." if len(text) > _MOST_TEXT else text
    return "\n".join(printable(line.replace("\t", "    ")) for line in cut.splitlines())


def _script_json(data: Any) -> str:
    """JSON that no text in it can end: neither the script nor a line of it."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=True).translate(_NEVER_IN_A_SCRIPT)
