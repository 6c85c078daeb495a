"""The figures of the page, as rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.report.axes import elapsed
from cli.report.facts import JobFacts
from cli.report.outputs import Video
from cli.report.time_charts import per_second
from cli.terminal.units import counted, dollars, duration, rate, size
from cloudkon.ledger.job import WorkerReport
from cloudkon.reports.activity.activity import Activity, Takeover
from cloudkon.reports.error_groups import ErrorGroup
from cloudkon.reports.stats import WorkerShare

_MOST_FAILURES = 25
_MOST_WORKERS = 100
_MOST_TAKEOVERS = 25
_MOST_TIMES = 128
_MOST_ERROR = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is looked at first."""

    name: str
    value: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker; shares are of its slots' time, in percent."""

    name: str
    where: str
    slots: str
    tasks: str
    busy: float | None
    waited: float
    idle: float
    trouble: str


@dataclass(frozen=True, slots=True)
class Failures:
    """The reasons that are shown, with the share of the most frequent one in percent; how many are not shown."""

    shown: Sequence[tuple[ErrorGroup, float]]
    more: int


@dataclass(frozen=True, slots=True)
class Straggler:
    number: str
    worker: str
    began: str
    took: str
    share: float
    state: str
    times: str
    """How many times the median it took."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the slots' time."""

    kind: str
    name: str
    percent: float
    took: str


def figures(facts: JobFacts) -> Iterator[Figure]:
    stats, tasks = facts.stats, facts.stats.tasks
    end = stats.phases["end_to_end"]
    trouble = [f"{count:,} {word}" for count, word in ((tasks.failed, "failed"), (tasks.rejected, "rejected")) if count]
    yield Figure("tasks", f"{tasks.total:,}", ", ".join([f"{tasks.succeeded:,} succeeded", *trouble]))
    yield Figure("makespan", duration(stats.makespan_s * 1000), "from the start to the last record")
    yield Figure("throughput", rate(stats.throughput_tasks_s), "results, on average")
    yield Figure("end to end", duration(end.p50_ms), f"median; p99 {duration(end.p99_ms)}")
    if stats.efficiency is not None:
        yield Figure("efficiency", f"{stats.efficiency:.1%}", "of the slots' time ran tasks")
    if not facts.cost.is_local:
        about = "not complete" if facts.cost.bill.unpriced else f"list prices, {facts.cost.prices.region}"
        yield Figure("cost", f"{_short_dollars(facts.cost.bill.total_usd)} USD", about)
    repeats = facts.cost.waste.repeats
    yield Figure("runs", f"{stats.executions:,}", f"{repeats:,} repeated" if repeats else "none repeated")


def _short_dollars(usd: float) -> str:
    """A sum that fits into its box; the page's third line has all digits of a small one."""
    return "<0.001" if 0 < usd < 0.001 else dollars(usd)


def workers(facts: JobFacts) -> Iterator[WorkerLine]:
    reports = {report.worker: report for report in facts.reading.workers}
    busiest = sorted(facts.stats.workers, key=lambda each: (-each.tasks, each.id))
    for share in busiest[:_MOST_WORKERS]:
        yield _worker(facts, share, reports.get(share.id))


def _worker(facts: JobFacts, share: WorkerShare, report: WorkerReport | None) -> WorkerLine:
    since, until = facts.reading.totals.active_ms.get(share.id, (0, 0))
    slots_s = (share.slots or 0) * (until - since) / 1000
    busy = min(1.0, (share.busy_s - share.waited_s) / slots_s) if slots_s else None
    waited = min(1.0 - (busy or 0.0), share.waited_s / slots_s) if slots_s else 0.0
    where = report.instance if report else None
    counts = ((report.leases_lost, "fenced off"), (report.unrecorded_runs, "runs not recorded")) if report else ()
    duplicates = [f"{report.duplicates_dropped:,} duplicates dropped"] if report and report.duplicates_dropped else []
    return WorkerLine(
        name=share.id,
        where=f"{where.type} {where.market}".strip() if where else "",
        slots="-" if share.slots is None else f"{share.slots:,}",
        tasks=f"{share.tasks:,}",
        busy=None if busy is None else round(100 * busy, 1),
        waited=round(100 * waited, 1),
        idle=round(100 * (1 - (busy or 0.0) - waited), 1),
        trouble=", ".join([*(f"{count:,} {word}" for count, word in counts if count), *duplicates]),
    )


def failures(facts: JobFacts) -> Failures:
    groups = facts.failures
    most = groups[0].count if groups else 1
    shown = [(group, round(100 * group.count / most, 1)) for group in groups[:_MOST_FAILURES]]
    return Failures(shown, len(groups) - len(shown))


def failures_json(facts: JobFacts) -> list[dict[str, Any]]:
    return [
        {
            "state": group.state,
            "reason": group.reason,
            "count": group.count,
            "lines": group.lines,
            "example": group.example[:_MOST_ERROR],
            "raised_at": group.raised_at,
        }
        for group in facts.failures[:_MOST_FAILURES]
    ]


def stragglers(facts: JobFacts) -> Iterator[Straggler]:
    spans = facts.activity.stragglers.longest_first()
    median_ms = facts.stats.phases["run"].p50_ms
    for span in spans:
        number = facts.line_of(span.place)
        began_s = max(0, span.start_ms - facts.activity.bins.origin_ms) / 1000
        yield Straggler(
            number="?" if number is None else f"{number:,}",
            worker=span.worker,
            began=duration(began_s * 1000),
            took=duration(span.duration_ms),
            share=round(100 * span.duration_ms / (spans[0].duration_ms or 1), 1),
            state=span.state.word,
            times=f"{span.duration_ms / median_ms:,.1f} times" if median_ms else "",
        )


def stragglers_json(facts: JobFacts) -> list[dict[str, Any]]:
    return [
        {
            "task": facts.line_of(span.place),
            "worker": span.worker,
            "start_ms": span.start_ms,
            "duration_ms": round(span.duration_ms, 3),
            "state": span.state.word,
            "runs": span.runs,
        }
        for span in facts.activity.stragglers.longest_first()
    ]


def takeovers(facts: JobFacts) -> Sequence[tuple[str, Takeover]]:
    """The first of them, with the time after the begin."""
    origin_ms = facts.activity.bins.origin_ms
    found = sorted(facts.activity.takeovers, key=lambda each: each.at_ms)[:_MOST_TAKEOVERS]
    return [(duration(max(0, each.at_ms - origin_ms)), each) for each in found]


def waste(facts: JobFacts) -> Iterator[Part]:
    told = facts.cost.waste
    if not told.slots_s:
        return
    parts = (
        ("succeeded", "tasks that succeeded", told.succeeded_s),
        ("failed", "tasks that failed", told.failed_s),
        ("retried", "runs repeated", told.repeated_s),
        ("idle", "idle", told.idle_s),
    )
    for kind, name, seconds in parts:
        if seconds > 0:
            yield Part(kind, name, round(100 * seconds / told.slots_s, 2), duration(seconds * 1000))


def charges(facts: JobFacts) -> Iterator[tuple[str, str, str]]:
    for charge in facts.cost.bill.charges:
        if charge.quantity:
            quantity = f"{charge.quantity:,.3g}" if charge.quantity < 1000 else f"{charge.quantity:,.0f}"
            usd = "not priced" if charge.usd is None else dollars(charge.usd)
            yield charge.service, f"{quantity} {charge.unit}", usd


def over_time(activity: Activity) -> Iterator[tuple[str, ...]]:
    """The figures of the charts over time; of many bins, sums over several."""
    width_s = activity.bins.width_ms / 1000
    columns = (
        activity.running.values(),
        activity.slots.values(),
        per_second(activity),
        activity.failed.values(),
        activity.retried.values(),
        activity.taken_over.values(),
    )
    together = max(1, -(-len(columns[0]) // _MOST_TIMES))
    for at in range(0, len(columns[0]), together):
        parts = [column[at : at + together] for column in columns]
        means = [f"{sum(part) / len(part):,.1f}" for part in parts[:3]]
        yield elapsed(round(at * width_s, 3)), *means, *(f"{sum(part):,.0f}" for part in parts[3:])


def video_text(video: Video) -> str:
    return f"{video.seconds:g} s, {counted(video.pictures, 'picture')}, {size(video.size_bytes)}"
