"""One task as tables for a person: what matters to its author first, the machine after."""

from typing import Any

from cli.terminal.output import json_line
from cli.terminal.tables import Table
from cli.terminal.units import counted, duration, moment
from cli.views.stats_view import rest_name
from cloudkon.printable import one_line

_MEANING = {
    "succeeded": "its result is recorded",
    "failed": "its last run failed",
    "rejected": "it can't be run as it stands",
    "waiting": "no worker has claimed its bundle yet: its message waits on the task queue",
    "undispatched": "its part of the workload has not been dispatched yet",
    "held": "a worker holds its bundle, and runs it or will",
    "abandoned": "its worker has not been heard of: whoever receives its message next takes it over",
    "retrying": "it failed, and is run again when its message comes back",
    "released": "its worker gave it back: whoever receives its message next runs it",
}
_STAMPS = (
    ("sent", "sent_ms"),
    ("received", "received_ms"),
    ("claimed", "claimed_ms"),
    ("started", "start_ms"),
    ("recorded", "recorded_ms"),
    ("completed", "completed_ms"),
)
_MOST = 1_000
"""Characters of a text."""


def task_tables(told: dict[str, Any]) -> list[Table | str]:
    """The task's own texts, where it ran, its times after the job's event, and how long each phase took."""
    rows = [*_texts(told), *_runs(told), *_places(told)]
    own = Table((), ("left", "left"), rows)
    return [own, *_log(told), _times(told), _attempts(told), _phases(told), _handler_phases(told)]


def _log(told: dict[str, Any]) -> list[str]:
    """What the task printed and logged, and its traceback, line by line."""
    return ["log:", *(f"  {line}" for line in told["log"].rstrip("\n").split("\n")), ""] if "log" in told else []


def _texts(told: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("task", f"{told['task']:,}"), ("state", f"{told['state']}: {_meaning(told)}")]
    names = {"line": "line", "id": "id", "error": "error", "raised at": "raised_at"}
    names |= {"value": "value", "output": "output_at"}
    for name, key in names.items():
        if key in told:
            said = told[key] if key != "value" else json_line(told[key])
            rows.append((name, one_line(str(said), _MOST)))
    if "first_line" in told:
        rows.append(("first run", f"line {told['first_line']:,} of {told['first_job']}"))
    return rows


def _meaning(told: dict[str, Any]) -> str:
    state = told["state"]
    if state in ("succeeded", "failed", "rejected"):
        return _MEANING[state]
    if told["cancelled"]:
        return "its job was cancelled, so it will not start"
    return _MEANING[state] + (f"; the job is paused: {one_line(told['paused'])}" if told["paused"] else "")


def _runs(told: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if "runs" in told:
        rows.append(("runs", f"{told['runs']}, the last took {duration(told.get('duration_ms'))}"))
    if told.get("strikes"):
        rows.append(("strikes", f"its worker died {counted(told['strikes'], 'time')} while it ran"))
    return rows


def _places(told: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("job", told["job"])]
    if "bundle" in told:
        place = f"task {told['place']} of {told['tasks_in_bundle']}"
        rows.append(("bundle", f"{told['bundle']}, {told['bundle_state']}; {place}"))
    rows += [(name, told[key]) for name, key in (("trace", "trace"), ("trace at", "trace_at")) if key in told]
    if told.get("bundle_state") == "leased":
        rows.append(("leased until", moment(told["lease_until_ms"])))
    return rows


def _times(told: dict[str, Any]) -> Table:
    """The first time as a date, the others as what has passed since."""
    event_ms = told.get("event_ms")
    if event_ms is None:
        return Table((), ("left", "left"), [])
    known = [(name, told[key]) for name, key in _STAMPS if told.get(key)]
    rows = [("submitted", moment(event_ms)), *((name, f"+{duration(max(0, ms - event_ms))}") for name, ms in known)]
    return Table((), ("left", "left"), rows)


def _attempts(told: dict[str, Any]) -> Table:
    rows = [
        (str(attempt["attempt"]), attempt["worker"], "recorded the result" if attempt["last_ran"] else "")
        for attempt in told.get("attempts", [])
    ]
    return Table(("attempt", "worker", ""), ("right", "left", "left"), rows)


def _phases(told: dict[str, Any]) -> Table:
    rows = [(name.replace("_", " "), duration(ms)) for name, ms in told.get("stages_ms", {}).items()]
    return Table(("phase", "took"), ("left", "right"), rows)


def _handler_phases(told: dict[str, Any]) -> Table:
    """Where the time of the last run went, also of one that failed; the parts add up to the run."""
    run_ms, phases = told.get("duration_ms", 0.0), told.get("handler_stages_ms", {})
    rows = [(name, duration(ms), f"{min(1, ms / run_ms):.1%}" if run_ms else "-") for name, ms in phases.items()]
    rest_ms = run_ms - sum(phases.values())
    if rows and rest_ms > 0:
        rows.append((rest_name(phases), duration(rest_ms), f"{rest_ms / run_ms:.1%}"))
    return Table(("phase of the run", "took", "of it"), ("left", "right", "right"), rows)
