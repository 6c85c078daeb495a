"""cancel, pause and resume."""

from dataclasses import replace

import click

from cli.jobs.job_list import job_as_json
from cli.jobs.ledger_options import job_argument, reads_ledgers
from cli.jobs.ledgers import FoundJob, Ledgers
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.units import counted
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ledger.job import LOCAL_BUCKET, Job, JobState
from cloudkon.messages.parking import ParkedMessages
from cloudkon.reports.stats import job_stats


@click.command()
@job_argument
@json_option
@reads_ledgers
@uses_clock
def cancel(ledgers: Ledgers, job: str, *, clock: Clock, output: Output) -> None:
    """Cancel JOB for good: tasks that are running finish and are recorded, the others never start.

    \b
    Examples:
      cloudkon-cli cancel tasks-k3vq7xwz5a2m
      cloudkon-cli retry tasks-k3vq7xwz5a2m
    """
    found = _unfinished(ledgers, job, clock)
    answer = found.records.ledger.cancel(job, clock.now_ms())
    parked = _parked(found, clock)
    if parked is not None:
        parked.discard(job)
    _tell(answer or found.job, "is cancelled: nothing more of it is begun.", output=output)


@click.command()
@job_argument
@click.option(
    "--reason", default="by hand", show_default=True, metavar="TEXT", help="Why it is paused; status and watch show it."
)
@json_option
@reads_ledgers
@uses_clock
def pause(ledgers: Ledgers, job: str, reason: str, *, clock: Clock, output: Output) -> None:
    """Pause JOB until it is resumed: tasks that workers already hold are finished, no others start.

    \b
    Examples:
      cloudkon-cli pause tasks-k3vq7xwz5a2m --reason "the database is down"
      cloudkon-cli resume tasks-k3vq7xwz5a2m
    """
    found = _open(_unfinished(ledgers, job, clock))
    answer = found.records.ledger.pause(job, reason, clock.now_ms()) or found.job
    _tell(answer, f"is paused ({answer.pause_reason}). Let it go on: {_how_to_go_on(answer)}", output=output)


@click.command()
@job_argument
@json_option
@reads_ledgers
@uses_clock
def resume(ledgers: Ledgers, job: str, *, clock: Clock, output: Output) -> None:
    """Resume JOB after a pause.

    Its messages, which rested on a queue of their own, are put back onto the task queue. Resumed again, what an
    interrupted resume has left there follows.

    \b
    Example:
      cloudkon-cli resume tasks-k3vq7xwz5a2m
    """
    found = _open(ledgers.find(job))
    if found.job.paused_ms is None:
        _bring_back(found, clock, output=output)
        _tell(found.job, "is not paused.", output=output)
        return
    answer = found.records.ledger.resume(job, clock.now_ms()) or found.job
    if answer.source.bucket == LOCAL_BUCKET:
        _tell(answer, f"is not paused any more. Let it run: {_how_to_go_on(answer)}", output=output)
    else:
        _bring_back(found, clock, output=output)
        _tell(answer, "goes on.", output=output)


def _bring_back(found: FoundJob, clock: Clock, *, output: Output) -> None:
    def wait(held: int) -> None:
        some = counted(held, "message")
        output.say(
            f"Another command holds {some} of paused jobs, or did when it was ended. Waiting half a minute at most."
        )

    parked, cloud, source = _parked(found, clock), found.records.cloud, found.job.source
    if parked is not None and cloud is not None:
        parked = replace(parked, held=cloud.parked_in_flight, told=wait)
        count = parked.bring_back(found.job.id, cloud.queue(source.bucket) if source.is_file else cloud.tasks)
        if count:
            output.say(f"{count:,} of its messages are back on the task queue.")


def _parked(found: FoundJob, clock: Clock) -> ParkedMessages | None:
    """Where the messages of a paused job rest; None for a job of this machine."""
    queue = None if found.records.cloud is None else found.records.cloud.parked
    return None if queue is None else ParkedMessages(queue, clock)


def _unfinished(ledgers: Ledgers, job: str, clock: Clock) -> FoundJob:
    """The job; raise CloudKonError if there is nothing of it left to run."""
    found = ledgers.find(job)
    ledger = found.records.ledger
    if job_stats(ledger, found.job, clock.now_ms()).state is JobState.COMPLETE:
        raise CloudKonError(f"{job} is complete: nothing of it is left to run.")
    return found


def _open(found: FoundJob) -> FoundJob:
    if found.job.cancelled_ms is not None:
        raise CloudKonError(
            f"{found.job.id} was cancelled, for good. Run what is left of it as a job of its own: "
            f"cloudkon-cli retry {found.job.id}"
        )
    return found


def _how_to_go_on(job: Job) -> str:
    if job.source.bucket == LOCAL_BUCKET:
        return f"cloudkon-cli run LOCAL -s {job.source.key} --resume"
    return f"cloudkon-cli resume {job.id}"


def _tell(job: Job, what: str, *, output: Output) -> None:
    output.value(job_as_json(job))
    output.say(f"{job.id} {what}")
