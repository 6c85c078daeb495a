"""`run QUEUE`: the client puts the bundles onto a queue itself, without S3 and Lambda, and waits for the results."""

import os
import secrets
import sys
from contextlib import closing, nullcontext, redirect_stdout
from pathlib import Path

import click

from cli.jobs.following import follow, telling_done
from cli.jobs.ledger_options import stage_option_text
from cli.running.results_file import ResultsFile
from cli.terminal.output import Output
from cli.views.outcome import error_groups, outcome_line, say_what_next, went_well
from cli.views.progress import show_progress
from cloudkon.client.local.unchanged_file import UnchangedFile
from cloudkon.clock import Clock
from cloudkon.ledger.job import Job, Source
from cloudkon.ledger.lease import BundleRow
from cloudkon.messages.wire import numbered, recorded_json
from cloudkon.settings import Settings
from cloudkon.wiring import cloud, tracer
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.planning import DEFAULT_SLOTS
from cloudkon.workload.templates.form import Form
from dispatcher.dispatch import Dispatcher


def run_queue(
    queue: str,
    file: Path,
    stage: str,
    slots: int | None,
    results: ResultsFile | None,
    *,
    clock: Clock,
    output: Output,
    form: Form | None = None,
) -> bool:
    """Send a workload to a queue's workers and wait for its end; return whether every task succeeded."""
    settings = Settings.from_environ(os.environ)
    opened, traced = cloud(stage, settings), tracer(os.environ, stage, settings)
    dispatcher = Dispatcher(
        workloads=UnchangedFile(file.resolve()),
        results=opened.results,
        jobs=opened.ledger,
        queue=opened.queue(queue),
        clock=clock,
        meter=opened.meter,
        slots=slots or DEFAULT_SLOTS,
        tracer=traced,
    )
    # Each run is a job of its own, however often the file is run.
    source = Source(queue, str(file.resolve()), secrets.token_hex(8), clock.now_ms(), pinned=False)
    job = dispatcher.open(source, form=form)
    if results is not None:
        results.begin(sys.stdout)
    try:
        with closing(traced):
            dispatcher.dispatch(job)
    except KeyboardInterrupt:
        click.echo(f"Stopped while sending {job.id}: what was sent runs, the rest was not sent.", err=True)
        raise SystemExit(130) from None

    def tell(row: BundleRow) -> None:
        if results is not None:
            before = LineOffsets(opened.ledger.dispatched(job.id)).before(row.key.range) or 0
            results.write([recorded_json(line, result, row.owners) for line, result in numbered(row, before)])

    try:
        last = show_progress(follow(telling_done(opened.ledger, tell), job, clock, _say), clock)
    except KeyboardInterrupt:
        _say_it_goes_on(job)
        raise SystemExit(130) from None
    is_taken = results is not None and results.is_stdout
    with redirect_stdout(sys.stderr) if is_taken else nullcontext():
        output.value(last.as_json(), [outcome_line(last)])
    say_what_next(output, last, error_groups(opened.ledger, opened.results, last), stage_option_text(stage))
    return went_well(last)


def _say_it_goes_on(job: Job) -> None:
    _say(f"The job goes on. Watch it again: cloudkon-cli watch {job.id}")


def _say(said: str) -> None:
    click.echo(said, err=True)
