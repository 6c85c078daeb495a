"""What a person is told before a LOCAL run begins: which lines can't be run, and why."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile

import click

from cli.terminal.units import counted
from cloudkon.handlers.misfits import MisfitSearch
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.job import Job
from cloudkon.ledger.results import TaskState
from cloudkon.ports import ObjectStore
from cloudkon.printable import one_line
from cloudkon.reports.error_groups import ErrorGroup, group_errors
from cloudkon.workload.packing import Reject, pack_bundles
from cloudkon.workload.planning import MAX_BUNDLE_TASKS
from dispatcher.ranges import LineCount, Workload, range_blocks

_MOST_REASONS = 3
_MOST_CHARACTERS = 300


def say_misfits(job: Job, workloads: ObjectStore, registry: Registry, is_over: Callable[[], bool]) -> None:
    """Say on stderr which lines of the job's workload will be rejected; nothing runs, and little is in memory.

    Where nothing can be run the outcome comes at once, and says so. Ends early when is_over says so.
    """
    search = MisfitSearch(registry)
    errors = _rejects(job, workloads, search, is_over)
    groups = group_errors(
        {"task": reject.line, "state": TaskState.REJECTED.word, "error": reject.reason} for reject in errors
    )
    rejected = sum(group.count for group in groups)
    if not rejected or not search.fit or is_over():
        return
    click.echo(
        f"{rejected:,} of {counted(search.fit + rejected, 'task')} can't be run, and will be rejected:", err=True
    )
    for group in groups[:_MOST_REASONS]:
        click.echo(f"  {_lines(group)}: {one_line(group.text, _MOST_CHARACTERS)}", err=True)
    if len(groups) > _MOST_REASONS:
        click.echo(f"  and {counted(len(groups) - _MOST_REASONS, 'more reason')}", err=True)


def _rejects(job: Job, workloads: ObjectStore, search: MisfitSearch, is_over: Callable[[], bool]) -> Iterator[Reject]:
    """The rejects of all ranges, with the numbers of their lines in the workload."""
    before = 0
    for number in range(job.ranges):
        lines = LineCount()
        blocks = takewhile(lambda _: not is_over(), range_blocks(Workload(workloads, job.source), job, number))
        packed = pack_bundles(map(lines.seen, blocks), MAX_BUNDLE_TASKS, has_header=number == 0)
        for reject in search.rejects(packed):
            yield replace(reject, line=before + reject.line)
        before += lines.count


def _lines(group: ErrorGroup) -> str:
    more = ", ..." if group.count > len(group.lines) else ""
    return f"line{'s' if group.count > 1 else ''} {', '.join(map(str, group.lines))}{more}"
