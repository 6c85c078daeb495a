"""Which tasks ran beside each other: each worker's tasks, put into as few lanes as its slots could have been.

No row says on which slot a task ran. A task takes the first lane that is free when it starts.
"""

from collections.abc import Iterable, Mapping, Sequence

from cloudkon.reports.activity.stragglers import TaskSpan

_CLOCK_MS = 2.0
"""Starts are kept in whole milliseconds: a task may seem to start before the one before it has ended."""

Lanes = Sequence[Sequence[TaskSpan]]


def slot_lanes(spans: Iterable[TaskSpan]) -> Mapping[str, Lanes]:
    """The lanes of each worker, by the workers' names; within a lane the tasks are in order and do not overlap."""
    lanes: dict[str, list[list[TaskSpan]]] = {}
    ends: dict[str, list[float]] = {}
    for span in sorted(spans, key=lambda each: (each.start_ms, each.place)):
        of_worker, busy_until = lanes.setdefault(span.worker, []), ends.setdefault(span.worker, [])
        free = (at for at, until in enumerate(busy_until) if until <= span.start_ms + _CLOCK_MS)
        lane = next(free, len(of_worker))
        if lane == len(of_worker):
            of_worker.append([])
            busy_until.append(0.0)
        of_worker[lane].append(span)
        busy_until[lane] = span.start_ms + span.duration_ms
    return dict(sorted(lanes.items()))
