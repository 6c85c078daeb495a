"""`run LOCAL` as a person sees it: progress, Ctrl-C, the statistics in the end."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from types import FrameType
from typing import TYPE_CHECKING, TextIO

import click

from cli.input.task_modules import find_modules
from cli.jobs.ledger_options import ledger_option_text
from cli.jobs.ledgers import FoundJob, local_records
from cli.jobs.lines_of_results import with_lines
from cli.jobs.local_runs import remember
from cli.running.joblog import write_joblog
from cli.running.local_options import LocalOptions
from cli.running.local_progress import LocalProgress
from cli.running.local_runner import LocalRun
from cli.running.processes.wanted import Processes
from cli.system.paths import results_folder
from cli.system.streams import reserved_stdout
from cli.terminal.output import Output
from cli.terminal.units import counted
from cli.views.misfits import say_misfits
from cli.views.outcome import error_groups, outcome_line, say_what_next, went_well
from cli.views.stats_view import interpreter_wait_text
from cloudkon import wiring
from cloudkon.client.local.local_settings import local_settings
from cloudkon.clock import Clock
from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.program import end_programs
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.scratch import sweep
from cloudkon.handlers.task_log import capturing
from cloudkon.ledger.job import Job
from cloudkon.messages.finished import FinishedTasks
from cloudkon.reports.error_groups import ErrorGroup
from cloudkon.reports.stats import JobStats, job_stats
from cloudkon.reports.task_results import task_results
from cloudkon.signals import listening
from ec2_worker.handlers import PICTURE_NETWORKS_VARIABLE, PictureSources, handlers

if TYPE_CHECKING:
    from cli.running.chaos import Chaos

_MOST_LINES = 8
"""Of the tasks that were running when a run was killed."""


def run_local(options: LocalOptions, *, clock: Clock, output: Output) -> bool:
    """Run a workload on this machine; return whether every task succeeded."""
    with reserved_stdout() as out:
        modules = find_modules(options.modules, options.file, options.folders)
        registry = _registry(modules, options)
        options = options.sized_for(registry)
        stats, groups, signals = _ran(options, modules, registry, out, clock, output)
    if options.joblog is not None:
        found = FoundJob(stats.job, local_records(options.ledger_file))
        ended = task_results(found.records.ledger, found.records.results, found.job)
        write_joblog(options.joblog, with_lines(found, ended))
    if signals and not stats.ended:
        _say_how_to_go_on(stats, options)
        raise SystemExit(128 + signals[0])
    is_taken = options.results is not None and options.results.is_stdout
    with redirect_stdout(sys.stderr) if is_taken else nullcontext():
        output.value(stats.as_json(), [outcome_line(stats)])
    say_what_next(output, stats, groups, ledger_option_text(options.ledger_file))
    if stats.paused:
        _say_how_to_go_on(stats, options)
    if options.processes is None and (waits := interpreter_wait_text(stats)):
        output.say(f"Slow: {waits}. What computes in Python runs on all cores with --processes {os.cpu_count() or 1}.")
    return went_well(stats)


def _ran(
    options: LocalOptions, modules: Sequence[str], registry: Registry, out: TextIO, clock: Clock, output: Output
) -> tuple[JobStats, Sequence[ErrorGroup], list[int]]:
    """Run it; return what became of it, why tasks failed, and the signals that came."""
    chaos = None if options.chaos_seed is None else _chaos(options.chaos_seed, clock)
    options.limits.be_nice()
    settings = local_settings(os.environ, retries=options.retries, keep_logs=options.keep_logs)
    with LocalProgress() as progress:

        def finished(tasks: FinishedTasks) -> None:
            progress.finished(tasks.states)
            if options.results is not None:
                options.results.write(tasks)

        run = LocalRun(
            options.file,
            options.ledger_file,
            registry,
            slots=options.slots * (options.processes or 1),
            settings=settings,
            clock=clock,
            finished=finished,
            chaos=chaos,
            tracer=wiring.tracer(os.environ, "local", settings),
            processes=None if options.processes is None else _processes(modules, options),
            after_a_kill=_processes(modules, options),
            form=options.form,
            has_room=options.limits.has_room if options.limits.any_is_set else None,
        )
        try:
            job = run.open(resume=options.resume)
            progress.begin(job)
            with _stopping(run.stop) as signals, capturing(log_of_task):

                def begun() -> None:
                    _begin(options, run, job, out)
                    if output.is_text:  # a program reads of them in the results
                        say_misfits(job, run.workload, registry, lambda: bool(signals))

                run.run(job, begun)
            progress.end()
            stats = job_stats(run.ledger, run.ledger.job(job.id) or job, clock.now_ms())
            groups = error_groups(run.ledger, run.results, stats)
        finally:
            end_programs()
            run.close()
    if chaos is not None:
        click.echo(chaos, err=True)
    return stats, groups, signals


def _chaos(seed: int, clock: Clock) -> "Chaos":
    from cli.running.chaos import Chaos  # noqa: PLC0415 (most days are not that bad)

    return Chaos(seed, clock)


def _begin(options: LocalOptions, run: LocalRun, job: Job, out: TextIO) -> None:
    """The last that is done before tasks run, and what is done only if no other process runs the job."""
    remember(options.ledger_file, job.id, options.to_remember())
    if options.resume and (lines := run.running_when_killed(job)):
        _say_what_was_running(lines)
    if options.results is not None:
        options.results.begin(out, run.recorded(job) if options.resume else ())


def _registry(modules: Sequence[str], options: LocalOptions) -> Registry:
    """The handlers; with several processes, too, so that what is wrong with them is told here, and once."""
    sweep()
    return handlers(modules, options.allowed, PictureSources(_picture_networks(), files=True))


def _processes(modules: Sequence[str], options: LocalOptions) -> Processes:
    results = results_folder(options.ledger_file).absolute()
    return Processes(options.processes or 1, options.slots, modules, options.allowed, _picture_networks(), results)


def _picture_networks() -> str:
    return os.environ.get(PICTURE_NETWORKS_VARIABLE, "")


@contextmanager
def _stopping(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Let Ctrl-C and SIGTERM stop the run in order; yields the signals that came."""
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            click.echo("Stopping: what has begun is finished first. Ctrl-C again stops at once.", err=True)
        stop()

    with listening((signal.SIGINT, signal.SIGTERM), handle):
        yield came


def _say_what_was_running(lines: Sequence[int]) -> None:
    """A run may be killed as often as its owner likes; if it was a task, its owner has to find out."""
    word = "line" if len(lines) == 1 else "lines"
    named = ", ".join(f"{line:,}" for line in lines[:_MOST_LINES]) + (", ..." if len(lines) > _MOST_LINES else "")
    click.echo(
        f"The run before was killed while {counted(len(lines), 'task')} ran ({word} {named}). None is blamed.", err=True
    )


def _say_how_to_go_on(stats: JobStats, options: LocalOptions) -> None:
    if options.again:
        click.echo("It was stopped before it was done, and nothing is kept of it. Begin anew with:", err=True)
        click.echo(f"  {shlex.join(options.again)}", err=True)
        return
    click.echo(f"Kept: the results of {stats.tasks.ended:,} tasks of {stats.job.id}. Go on with:", err=True)
    click.echo(f"  {shlex.join(options.command())}", err=True)
