"""A job's statistics as tables for a person."""

from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING

from cli.system.paths import source_text
from cli.terminal.sparkline import sparkline
from cli.terminal.tables import Table
from cli.terminal.units import counted, duration, moment, rate
from cloudkon.ledger.results import OTHER_PHASES
from cloudkon.printable import one_line
from cloudkon.reports.phases import Percentiles
from cloudkon.reports.stats import JobStats

if TYPE_CHECKING:  # a run shows none of it
    from cloudkon.reports.activity.activity import Activity
    from cloudkon.reports.activity.stragglers import TaskPlace

_WORTH_A_WORD = 0.2
"""Of the tasks' time."""
_SPARKS = 48
_LEAST_MOMENTS = 8
_MOST_STRAGGLERS = 3
_TIMES_THE_MEDIAN, _SEEN_SHARE = 3.0, 0.01
_LEAST_TASK_S = 0.0002
"""Processes cost shorter tasks more than they bring."""
_LEAST_BUSY_S = 1.0
"""In less, what happens once at the start is most of what was measured, and nobody waited long."""


def stats_tables(stats: JobStats, activity: "Activity", line_of: "Callable[[TaskPlace], int | None]") -> list[Table]:
    """What the job came to, its phases, those of its handlers, its longest tasks, its workers, its calls."""
    phases = [_phases(stats), _handler_phases(stats), _stragglers(stats, activity, line_of)]
    return [_summary(stats, activity), *phases, _workers(stats), _calls(stats)]


def state_text(stats: JobStats) -> str:
    """The job's state, and why it rests if it does."""
    return stats.state.value if stats.paused is None else f"{stats.state.value}, paused: {one_line(stats.paused)}"


def interpreter_wait_text(stats: JobStats) -> str | None:
    """That the slots waited for the interpreter, if that is worth a word."""
    busy_s, tasks = sum(worker.busy_s for worker in stats.workers), sum(worker.tasks for worker in stats.workers)
    if stats.interpreter_wait < _WORTH_A_WORD or busy_s < max(_LEAST_BUSY_S, _LEAST_TASK_S * tasks):
        return None
    return f"its slots waited for Python's interpreter for {stats.interpreter_wait:.0%} of the tasks' time"


def _summary(stats: JobStats, activity: "Activity") -> Table:
    tasks, bundles = stats.tasks, stats.bundles
    efficiency = "unknown" if stats.efficiency is None else f"{stats.efficiency:.1%}"
    counts = f"{tasks.succeeded:,} succeeded, {tasks.failed:,} failed, {tasks.rejected:,} rejected"
    if not stats.ended:
        counts += f", {tasks.running:,} running, {tasks.pending:,} pending"
    rows = [
        ("job", stats.job.id),
        ("state", state_text(stats)),
        ("source", source_text(stats.job)),
        ("begun", moment(stats.job.source.event_ms)),
        ("tasks", f"{tasks.total:,}: {counts}"),
        ("bundles", f"{bundles.total:,}" if stats.ended else f"{bundles.total:,}: {bundles.done:,} done"),
        *_surprises(stats),
        ("makespan", duration(stats.makespan_s * 1000)),
        ("throughput", f"{rate(stats.throughput_tasks_s)}, efficiency {efficiency}"),
        *_over_time(activity),
    ]
    if waits := interpreter_wait_text(stats):
        rows.append(("interpreter", waits))
    return Table((), ("left", "left"), rows)


def _over_time(activity: "Activity") -> Iterator[tuple[str, str]]:
    """Results a second from the start to the last record, if there is more than a moment to show."""
    counts = activity.recorded.values()
    if len(counts) < _LEAST_MOMENTS:
        return
    together = -(-len(counts) // _SPARKS)
    parts = [counts[at : at + together] for at in range(0, len(counts), together)]
    most = max(sum(part) / len(part) for part in parts) * 1000 / activity.bins.width_ms
    yield "over time", f"{sparkline(counts, _SPARKS)}  at most {rate(most)}"


def _stragglers(stats: JobStats, activity: "Activity", line_of: "Callable[[TaskPlace], int | None]") -> Table:
    """The longest tasks, where one took several times as long as others and a part of the job that is seen."""
    median_ms = stats.phases["run"].p50_ms or 0.0
    spans = activity.stragglers.longest_first()[:_MOST_STRAGGLERS]
    rows = [
        (
            f"line {line_of(span.place) or '?'}",
            duration(span.duration_ms),
            f"{span.duration_ms / median_ms:,.1f}",
            span.worker,
        )
        for span in spans
        if median_ms and span.duration_ms > max(_TIMES_THE_MEDIAN * median_ms, _SEEN_SHARE * 1000 * stats.makespan_s)
    ]
    return Table(("longest tasks", "took", "times the median", "worker"), ("left", "right", "right", "left"), rows)


def _surprises(stats: JobStats) -> list[tuple[str, str]]:
    """What is worth telling only where it happened."""
    rows = []
    if stats.executions > stats.tasks.ended or stats.unrecorded_runs:
        unrecorded = f", {stats.unrecorded_runs:,} of them not recorded" if stats.unrecorded_runs else ""
        rows.append(("executions", f"{stats.executions:,}{unrecorded}"))
    if stats.taken_over:
        rows.append(("taken over", f"{counted(stats.taken_over, 'bundle')}, from workers that died or gave them back"))
    if stats.duplicates_dropped:
        rows.append(("duplicates", f"{stats.duplicates_dropped:,} dropped"))
    return rows


def _phases(stats: JobStats) -> Table:
    rows = [
        (name.replace("_", " "), *_durations(phase)) for name, phase in stats.phases.items() if phase.max_ms is not None
    ]
    return Table(("phase", "p50", "p90", "p99", "max"), ("left", "right", "right", "right", "right"), rows)


def _handler_phases(stats: JobStats) -> Table:
    run_ms = 1000 * sum(worker.busy_s for worker in stats.workers)
    rows = [
        (
            name,
            *_durations(phase.percentiles),
            duration(phase.total_ms),
            f"{min(1, phase.total_ms / run_ms):.1%}" if run_ms else "-",
        )
        for name, phase in stats.handler_phases.items()
    ]
    rest_ms = run_ms - sum(phase.total_ms for phase in stats.handler_phases.values())
    if rows and rest_ms > 0:
        rows.append((rest_name(stats.handler_phases), "-", "-", "-", "-", duration(rest_ms), f"{rest_ms / run_ms:.1%}"))
    header = ("phase of the run", "p50", "p90", "p99", "max", "total", "of all runs")
    return Table(header, ("left", "right", "right", "right", "right", "right", "right"), rows)


def rest_name(phases: Container[str]) -> str:
    """What the time in no phase is called, beside these phases."""
    return OTHER_PHASES if OTHER_PHASES not in phases else "in no phase"


def _durations(phase: Percentiles) -> tuple[str, str, str, str]:
    return duration(phase.p50_ms), duration(phase.p90_ms), duration(phase.p99_ms), duration(phase.max_ms)


def _workers(stats: JobStats) -> Table:
    rows = [
        (
            worker.id,
            "-" if worker.slots is None else str(worker.slots),
            f"{worker.tasks:,}",
            duration(worker.busy_s * 1000),
        )
        for worker in stats.workers
    ]
    return Table(("worker", "slots", "tasks", "busy"), ("left", "right", "right", "right"), rows)


def _calls(stats: JobStats) -> Table:
    rows = [(operation, f"{count:,}") for operation, count in stats.api_calls.items()]
    return Table(("API call", "count"), ("left", "right"), rows)
