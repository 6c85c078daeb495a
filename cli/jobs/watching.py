"""What `watch` and `submit --watch` have in common."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import partial

import click

from cli.jobs.following import await_job, follow, follow_all
from cli.jobs.ledgers import FoundJob, Records, unknown_job
from cli.jobs.local_runs import is_stopped, resume_command
from cli.terminal.output import Output
from cli.views.outcome import error_groups, say_outcome, went_well
from cli.views.progress import show_all, show_progress
from cloudkon.clock import Clock
from cloudkon.reports.stats import JobStats

WAIT_S = 30.0
"""How long a Lambda may take to open a job: a cold start, and a retry of the event."""


def watch_to_end(
    records: Records,
    job_id: str,
    clock: Clock,
    wait_s: float,
    options: str = "",
    *,
    output: Output,
    then: str | None = None,
) -> bool:
    """Show a job's progress, once it is opened, until it has ended; return whether every task succeeded.

    Then run the command, if there is one: its failure is no success either. A LOCAL job whose process has ended before
    it is followed no longer. Raises NotFoundError if the job is not opened within wait_s. At Ctrl-C the program ends,
    and says that the job does not.
    """
    updates = None
    try:
        updates = _updates(records, job_id, clock, wait_s if records.file is None else 0.0)
        last = show_progress(updates, clock) if output.is_text else _print_each(updates, output)
    except KeyboardInterrupt:
        state = "The job goes on." if updates is not None else "The job has not been opened yet."
        click.echo(f"{state} Watch it again: cloudkon-cli watch {job_id}{options}", err=True)
        raise SystemExit(130) from None
    if not last.ended:
        return _tell_stopped(FoundJob(last.job, records))
    say_outcome(output, last, error_groups(records.ledger, records.results, last), options, named=True)
    return all((run_then(then, last), went_well(last)))


def watch_all(
    found: Sequence[FoundJob], clock: Clock, options: str, *, output: Output, then: str | None = None
) -> bool:
    """Do as watch_to_end for several jobs; the command is run once for each, when all have ended."""
    try:
        jobs = [(each.records.ledger, each.job, partial(is_stopped, each)) for each in found]
        updates = follow_all(jobs, clock, _tell)
        if output.is_text:
            last = show_all(updates, clock)
        else:
            last = {stats.job.id: _print(stats, output) for stats in updates}
    except KeyboardInterrupt:
        click.echo(f"The jobs go on. Watch them again: cloudkon-cli watch{options}", err=True)
        raise SystemExit(130) from None
    for each in found:
        ended, records = last[each.job.id], each.records
        if not ended.ended:
            _tell_stopped(each)
            continue
        say_outcome(output, ended, error_groups(records.ledger, records.results, ended), options, named=True)
    are_over = [run_then(then, stats) for stats in last.values() if stats.ended]
    return all([*are_over, *map(went_well, last.values())])


def run_then(command: str | None, stats: JobStats) -> bool:
    """Run a person's command line with what became of the job in its environment; return whether it succeeded."""
    if command is None:
        return True
    tasks = stats.tasks
    told: dict[str, object] = {"": stats.job.id, "_STATE": stats.state, "_MAKESPAN_S": f"{stats.makespan_s:.3f}"}
    told |= {"_TOTAL": tasks.total, "_SUCCEEDED": tasks.succeeded, "_FAILED": tasks.failed, "_REJECTED": tasks.rejected}
    sys.stdout.flush()
    environment = {**os.environ, **{f"CLOUDKON_JOB{name}": str(value) for name, value in told.items()}}
    code = subprocess.run(command, shell=True, check=False, env=environment).returncode  # noqa: S602 (the person's own)
    if code:
        click.echo(f"The command of --then ended with {code}: {command}", err=True)
    return code == 0


def _print(stats: JobStats, output: Output) -> JobStats:
    output.value(stats.as_json())
    return stats


def _updates(records: Records, job_id: str, clock: Clock, wait_s: float) -> Iterable[JobStats]:
    ledger = records.ledger
    job = await_job(ledger, job_id, clock, wait_s, _tell)
    if job is None:
        raise unknown_job(ledger, job_id)
    return follow(ledger, job, clock, _tell, partial(is_stopped, FoundJob(job, records)))


def _tell_stopped(found: FoundJob) -> bool:
    """Say how a job goes on that nobody runs; it is no success."""
    _tell(f"{found.job.id} has stopped: its process has ended. Go on with: {resume_command(found)}")
    return False


def _tell(said: str) -> None:
    click.echo(said, err=True)


def _print_each(updates: Iterable[JobStats], output: Output) -> JobStats:
    for stats in updates:
        last = _print(stats, output)
    return last
