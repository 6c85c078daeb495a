from dataclasses import asdict
from typing import Any

import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.jobs.local_runs import is_stopped, resume_command, state_of
from cli.jobs.repeats import repeated_job, repeats
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.views.progress import counts
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.fleet import MEMORY_S, WorkerStatus
from cloudkon.ledger.job import LOCAL_BUCKET
from cloudkon.reports.diagnosis import SEEN_S, Depths, Unfinished, diagnose
from cloudkon.reports.observed import ObservedLedger
from cloudkon.reports.stats import job_stats


@click.command()
@optional_job
@json_option
@reads_ledgers
@uses_clock
def status(ledgers: Ledgers, job: str | None, *, clock: Clock, output: Output) -> None:
    """Show where JOB, by default the latest, stands and what it is waiting for.

    Tasks are counted in the ledger. The lengths of queues are SQS's estimates, and are of all jobs together.

    \b
    Examples:
      cloudkon-cli status
      cloudkon-cli status tasks-k3vq7xwz5a2m --json | jq -r '.findings[].holdup'
    """
    found = ledgers.find(job)
    ledger, now_ms = found.records.ledger, clock.now_ms()
    depths = _depths(found)
    dispatched = len(ledger.dispatched(found.job.id))
    unfinished = Unfinished(now_ms)
    stats = job_stats(ObservedLedger(ledger, unfinished.add), found.job, now_ms)
    workers = ledger.fleet(now_ms - MEMORY_S * 1000)
    stopped = is_stopped(found, stats)
    resume = resume_command(found) if stopped else None
    findings = diagnose(stats, unfinished, workers, depths, ranges=dispatched, resume=resume)
    again = [(each.job.id, job_stats(ledger, each.job, now_ms)) for each in repeats(found)]
    told = {
        "job": found.job.id,
        "state": stats.state.value,
        "stopped": stopped,
        "paused": stats.paused,
        "tasks": asdict(stats.tasks),
        "findings": [asdict(finding) for finding in findings],
        "workers": [_as_json(worker) for worker in workers if now_ms - worker.seen_ms < SEEN_S * 1000],
        "approximate_depths": None if depths is None else asdict(depths),
        "repeats": repeated_job(found.job),
        "repeated_by": [{"job": job, "tasks": asdict(each.tasks)} for job, each in again],
    }
    lines = [f"{found.job.id} {state_of(found, stats)}: {counts(stats, running=not stopped)}"]
    lines += [finding.says for finding in findings]
    lines += [f"Some of its tasks were run again as {job}: {counts(each)}" for job, each in again]
    output.value(told, lines)


def _as_json(worker: WorkerStatus) -> dict[str, Any]:
    return {"worker": worker.worker, "state": worker.state.value, "throttled": dict(worker.throttled)}


def _depths(found: FoundJob) -> Depths | None:
    cloud, bucket = found.records.cloud, found.job.source.bucket
    if cloud is None or bucket == LOCAL_BUCKET:
        return None
    try:
        tasks = (cloud.queue(bucket) if found.job.source.is_file else cloud.tasks).approximate_depth()
        dead = cloud.dead_letters.approximate_depth()
        parked = 0 if cloud.parked is None else cloud.parked.approximate_depth().visible
    except CloudKonError as error:
        click.echo(f"Warning: the queues can't be looked at: {error}", err=True)
        return None
    return Depths(tasks.visible, tasks.in_flight, tasks.delayed, dead.visible, parked)
