"""A job's statistics as tables for a person."""

from collections.abc import Container

from cli.system.paths import source_text
from cli.terminal.tables import Table
from cli.terminal.units import counted, duration, moment, rate
from cloudkon.ledger.results import OTHER_PHASES
from cloudkon.printable import one_line
from cloudkon.reports.phases import Percentiles
from cloudkon.reports.stats import JobStats

_WORTH_A_WORD = 0.2
"""Of the tasks' time."""
_LEAST_TASK_S = 0.0002
"""Processes cost shorter tasks more than they bring."""


def stats_tables(stats: JobStats) -> list[Table]:
    """What the job came to, its phases, those of its handlers, its workers, its calls."""
    return [_summary(stats), _phases(stats), _handler_phases(stats), _workers(stats), _calls(stats)]


def state_text(stats: JobStats) -> str:
    """The job's state, and why it rests if it does."""
    return stats.state.value if stats.paused is None else f"{stats.state.value}, paused: {one_line(stats.paused)}"


def interpreter_wait_text(stats: JobStats) -> str | None:
    """That the slots waited for the interpreter, if that is worth a word."""
    busy_s, tasks = sum(worker.busy_s for worker in stats.workers), sum(worker.tasks for worker in stats.workers)
    if stats.interpreter_wait < _WORTH_A_WORD or busy_s < _LEAST_TASK_S * tasks:
        return None
    return f"its slots waited for Python's interpreter for {stats.interpreter_wait:.0%} of the tasks' time"


def _summary(stats: JobStats) -> Table:
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
    ]
    if waits := interpreter_wait_text(stats):
        rows.append(("interpreter", waits))
    return Table((), ("left", "left"), rows)


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
