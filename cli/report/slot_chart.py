"""What each worker did when: every task in its lane while there are few, and how busy it was where there are many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.report.axes import Tick, time_ticks
from cli.report.facts import JobFacts
from cli.terminal.units import counted
from cloudkon.ledger.results import TaskState
from cloudkon.reports.activity.activity import OTHER_WORKERS
from cloudkon.reports.activity.slot_lanes import Lanes, slot_lanes
from cloudkon.reports.activity.stragglers import TaskSpan

LEVELS = 6
_LANE_PX, _TASK_PX = 14, 11
_LEAST_WIDTH = 0.12
"""Of the chart, in percent: what is narrower could not be seen."""
_MOST_LANES = 128


@dataclass(frozen=True, slots=True)
class TaskBox:
    """A task in a lane; x and width in percent, y in pixels."""

    x: float
    width: float
    y: int
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker: its tasks in lanes, or a shape for each level of load in a box of a bin by 1."""

    name: str
    about: str
    height: int
    boxes: Sequence[TaskBox] = ()
    shades: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SlotChart:
    rows: Sequence[WorkerRow]
    each_task: bool
    bins: int
    task_px: int
    x_ticks: Sequence[Tick]
    data: dict[str, Any]


def slot_chart(facts: JobFacts) -> SlotChart | None:
    """None while no task has run."""
    spans = facts.activity.spans
    if not facts.activity.by_worker:
        return None
    if spans is None:
        return _density(facts)
    lanes = slot_lanes(spans)
    if sum(map(len, lanes.values())) > _MOST_LANES:
        return _density(facts)
    return _timeline(facts, lanes)


def _timeline(facts: JobFacts, lanes: dict[str, Lanes] | Any) -> SlotChart:
    origin_ms = facts.activity.bins.origin_ms
    length_ms = facts.activity.bins.used * facts.activity.bins.width_ms
    told: list[list[Any]] = []
    rows = []
    for worker, of_worker in lanes.items():
        boxes = list(_boxes(facts, of_worker, told, origin_ms, length_ms))
        about = f"{counted(len(boxes), 'task')}, up to {counted(len(of_worker), 'at a time', 'at a time')}"
        rows.append(WorkerRow(worker, about, _LANE_PX * len(of_worker), boxes))
    return SlotChart(rows, True, 0, _TASK_PX, time_ticks(length_ms / 1000), {"tasks": told})


def _boxes(facts: JobFacts, lanes: Lanes, told: list[list[Any]], origin_ms: int, length_ms: float) -> Iterator[TaskBox]:
    for lane, spans in enumerate(lanes):
        for span in spans:
            start_ms = max(0, span.start_ms - origin_ms)
            width = max(_LEAST_WIDTH, 100 * span.duration_ms / length_ms)
            yield TaskBox(
                round(100 * start_ms / length_ms, 3), round(width, 3), lane * _LANE_PX, _kind(span), len(told)
            )
            told.append(
                [
                    facts.line_of(span.place),
                    start_ms,
                    round(span.duration_ms, 3),
                    span.state.word,
                    span.runs,
                    span.worker,
                ]
            )


def _kind(span: TaskSpan) -> str:
    if span.state is TaskState.FAILED:
        return "failed"
    return "retried" if span.runs > 1 or span.state is TaskState.RETRYING else "succeeded"


def _density(facts: JobFacts) -> SlotChart:
    activity = facts.activity
    slots = {worker.id: worker.slots or 0 for worker in facts.stats.workers}
    own = set(activity.by_worker) - {OTHER_WORKERS}
    slots[OTHER_WORKERS] = sum(count for worker, count in slots.items() if worker not in own)
    names = [*sorted(own), *([OTHER_WORKERS] if OTHER_WORKERS in activity.by_worker else [])]
    rows, busy = [], []
    for name in names:
        values = activity.by_worker[name].values()
        of = slots.get(name) or max([*values, 1.0])
        shares = [min(1.0, value / of) for value in values]
        about = f"{counted(slots[name], 'slot')}, " if slots.get(name) else ""
        mean = sum(shares) / len(shares) if shares else 0.0
        rows.append(WorkerRow(name or "all other workers", f"{about}{mean:.0%} busy", 18, shades=[*_shades(shares)]))
        busy.append([round(100 * share) for share in shares])
    bins = activity.worker_bins
    length_s = bins.used * bins.width_ms / 1000
    data = {"width_ms": bins.width_ms, "workers": [row.name for row in rows], "busy_percent": busy}
    return SlotChart(rows, False, bins.used, 0, time_ticks(length_s), data)


def _shades(shares: Sequence[float]) -> Iterator[str]:
    """One shape a level: runs of bins as boxes, the darkest last."""
    levels = [min(LEVELS, int(share * LEVELS + 0.999)) for share in shares]
    for level in range(1, LEVELS + 1):
        shape, at = [], 0
        while at < len(levels):
            end = at + 1
            while end < len(levels) and levels[end] == levels[at]:
                end += 1
            if levels[at] == level:
                shape.append(f"M{at} 0H{end}V1H{at}Z")
            at = end
        yield "".join(shape)
