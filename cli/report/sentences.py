"""What the job was, in three lines that a manager reads; and what a reader has to know beside the figures."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cli.report.facts import JobFacts
from cli.system.paths import source_text
from cli.terminal.units import counted, dollars, duration
from cli.views.stats_view import interpreter_wait_text
from cloudkon.ledger.job import JobState
from cloudkon.printable import one_line
from cloudkon.reports.error_groups import without_middle

_MOST_REASON = 140


def moment_utc(ms: float) -> str:
    """A moment that reads the same wherever the page is opened."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%-d %B %Y, %H:%M:%S} UTC"


def summary(facts: JobFacts) -> list[str]:
    """What ran, how it ended, what it cost."""
    return [_what(facts), _outcome(facts), _cost(facts)]


def notes(facts: JobFacts) -> Iterator[str]:
    """What is unusual, and changes how the figures are to be read."""
    stats = facts.stats
    if facts.stopped:
        yield "This run has stopped before its end: what follows is what was recorded until then."
    elif stats.state is JobState.CANCELLED:
        yield "The job was cancelled: tasks that had not started by then never ran."
    elif not stats.ended:
        yield f"The job has not ended: this is how it stood on {moment_utc(facts.now_ms)}."
    if stats.paused is not None:
        yield f"The job is paused: {one_line(stats.paused)}."
    if stats.state is JobState.DISPATCHING:
        yield "Its tasks are still being dispatched: their number is an estimate, and so are lines."
    if facts.forgotten_bundles:
        yield (
            f"The ledger has forgotten {counted(facts.forgotten_bundles, 'bundle')} of {stats.bundles.total:,}: "
            "it keeps rows for a limited time. What follows is of the rest."
        )
    if not stats.tasks.total:
        yield "The workload has no tasks, so there is nothing to draw."
    if waits := interpreter_wait_text(stats):
        yield f"{waits[0].upper()}{waits[1:]}. More processes would use more cores."


def _what(facts: JobFacts) -> str:
    stats, job = facts.stats, facts.stats.job
    workers = sum(1 for worker in stats.workers if worker.tasks)
    slots = round(max(facts.activity.slots.values(), default=0))
    on = f" on {counted(workers, 'worker')} with up to {counted(slots, 'slot')} at a time" if workers else ""
    took = f"{'took' if stats.ended else 'has taken so far'} {duration(stats.makespan_s * 1000)}"
    source = one_line(source_text(job), 120)
    begun = moment_utc(job.source.event_ms)
    return f"{counted(stats.tasks.total, 'task')} of {source}{on}. It began on {begun} and {took}."


def _outcome(facts: JobFacts) -> str:
    tasks = facts.stats.tasks
    if not tasks.total:
        return "No task ran."
    if tasks.succeeded == tasks.total:
        return "Every task succeeded." if tasks.total > 1 else "The task succeeded."
    parts = [f"{tasks.succeeded:,} succeeded ({_percent(tasks.succeeded, tasks.total)})"]
    others = (
        (tasks.failed, "failed"),
        (tasks.rejected, "were rejected"),
        (tasks.running + tasks.pending, "have no result"),
    )
    parts += [f"{count:,} {word}" for count, word in others if count]
    reason = (
        f" Most often: {without_middle(one_line(facts.failures[0].text, None), _MOST_REASON)}" if facts.failures else ""
    )
    return f"{', '.join(parts)}.{reason}"


def _cost(facts: JobFacts) -> str:
    cost, waste = facts.cost, facts.cost.waste
    if cost.is_local:
        told = "Nothing was billed: it ran on a machine of its owner."
    else:
        unpriced = sorted({charge.service for charge in cost.bill.unpriced})
        without = f", without {' and '.join(unpriced)}, whose price is not known" if unpriced else ""
        mostly = f", most of it {cost.bill.dominant}" if cost.bill.dominant else ""
        told = f"It cost {dollars(cost.bill.total_usd)} USD at list prices{mostly}{without}."
    if waste.share is None:
        return told
    parts = {"idle": waste.idle_s, "tasks that failed": waste.failed_s, "runs repeated": waste.repeated_s}
    most = max(parts, key=lambda name: parts[name])
    share = f"{waste.share:.0%}" if waste.share >= 0.01 else "Less than 1%"
    return f"{told} {share} of the slots' time brought no result: mostly {most}."


def _percent(part: int, whole: int) -> str:
    """Never 100% of what is not all, and never 0% of what is something."""
    share = 100 * part / whole
    return f"{min(max(share, 0.1), 99.9):.1f}%" if 0 < part < whole else f"{share:.0f}%"
