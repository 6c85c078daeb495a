"""Whether a task is run again, by what ended its run: a failure, the death of its worker, or an interruption.

    the handler raised            failed; run again with backoff until its tries are used up
    its worker died while it ran  a strike; with enough of them the task is what kills its workers
    drain, spot interruption      free
    the store did not answer      free; run again with backoff

This module decides and does no I/O; slots, settler and result writer act on it.
"""

from dataclasses import dataclass, replace

from cloudkon.backoff import Backoff
from cloudkon.handlers.registry import Handling
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.lease import Lease, Mark
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import Results, TaskResult, TaskState
from cloudkon.settings import Settings


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a task may be tried, and how long one try may take."""

    tries: int
    timeout_s: float | None


def budget_of(bundle: Bundle, handling: Handling, settings: Settings) -> Budget:
    """The workload's header has the last word, then the handler, then the settings."""
    retries = next(n for n in (bundle.retries, handling.retries, settings.retries) if n is not None)
    timeout_s = bundle.timeout_s if bundle.timeout_s is not None else handling.timeout_s
    return Budget(1 + retries, timeout_s)


def with_retry(result: TaskResult, before: TaskResult | None, tries: float) -> TaskResult:
    """Add the run to those before; a failure that has tries left is marked to be tried again."""
    if before is None and result.state is not TaskState.FAILED:
        return result
    runs = result.runs + (before.runs if before is not None else 0)
    retries = result.state is TaskState.FAILED and runs < tries
    return replace(result, runs=runs, state=TaskState.RETRYING if retries else result.state)


def wait_before_retry_s(results: Results, backoff: Backoff) -> float | None:
    """How long a bundle stays hidden before its failed tasks are run again; None if it has none."""
    said = [result for _, result in results.others()] if isinstance(results, ResultColumns) else results
    runs = [result.runs for result in said if result is not None and not result.is_final]
    return backoff.delay_s(max(runs)) if runs else None


def is_careful(lease: Lease) -> bool:
    """Whether the claim before this one ended in a crash: then a mark is set before each task."""
    return lease.fruitless > 1


def next_mark(mark: Mark | None, index: int) -> Mark:
    """The mark of a task that is about to run; strikes are forgotten when the mark moves on."""
    if mark is None or mark.index != index:
        return Mark(index, 1)
    return replace(mark, times=mark.times + 1)


def unmarked(mark: Mark | None) -> Mark | None:
    """The mark that a release leaves: an interruption is no strike."""
    return replace(mark, times=mark.times - 1) if mark is not None and mark.times > 1 else None


def strikes(mark: Mark | None, index: int) -> int:
    """How often a worker died while this task ran."""
    return mark.times - mark.spared if mark is not None and mark.index == index else 0
