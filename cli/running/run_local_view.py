"""`run LOCAL` as a person sees it: progress, Ctrl-C, the statistics in the end."""

import os
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from cli.jobs.progress import went_well
from cli.jobs.stats_view import stats_tables
from cli.running.chaos import Chaos
from cli.running.local_progress import LocalProgress
from cli.running.local_runner import LocalRun
from cli.running.results_file import ResultsFile
from cli.terminal.output import Output
from cloudkon import wiring
from cloudkon.clock import Clock
from cloudkon.handlers.program import end_programs
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.scratch import sweep
from cloudkon.reports.stats import JobStats, job_stats
from cloudkon.settings import Settings
from cloudkon.signals import listening
from ec2_worker.handlers import PICTURE_NETWORKS_VARIABLE, PictureSources, handlers

_DRAIN_S = 5.0
"""A person who pressed Ctrl-C waits no longer than this for tasks that were begun."""
_POLL_S = 0.1
"""How late the end of a run is noticed."""


def run_local(
    file: Path,
    ledger_file: Path,
    modules: Sequence[str],
    allowed: Sequence[str],
    slots: int,
    results: ResultsFile | None,
    *,
    clock: Clock,
    resume: bool,
    output: Output,
    chaos_seed: int | None = None,
) -> bool:
    """Run a workload on this machine; return whether every task succeeded."""
    chaos = None if chaos_seed is None else Chaos(chaos_seed, clock)
    # A person is looking on: a run whose first tasks all fail is theirs to stop.
    settings = Settings.from_environ(os.environ, drain_s=_DRAIN_S, poll_s=_POLL_S, breaker_tasks=0)
    with LocalProgress() as progress:

        def finished(tasks: Sequence[dict[str, Any]]) -> None:
            progress.finished(tasks)
            if results is not None:
                results.write(tasks)

        run = LocalRun(
            ledger_file,
            _registry(modules, allowed),
            slots=slots,
            clock=clock,
            settings=settings,
            finished=finished,
            chaos=chaos,
            tracer=wiring.tracer(os.environ, "local", settings),
        )
        try:
            job = run.open(file, resume=resume)
            progress.begin(job)
            with _stopping(run.stop) as signals:
                run.run(job)
            progress.end()
            stats = job_stats(run.ledger, run.ledger.job(job.id) or job, clock.now_ms())
        finally:
            end_programs()
            run.close()
    if chaos is not None:
        click.echo(chaos, err=True)
    if signals and not stats.ended:
        _say_how_to_go_on(stats, file, ledger_file, slots, modules, allowed)
        raise SystemExit(128 + signals[0])
    output.value(stats.as_json(), stats_tables(stats))
    if stats.paused:
        _say_how_to_go_on(stats, file, ledger_file, slots, modules, allowed)
    return went_well(stats)


def _registry(modules: Sequence[str], allowed: Sequence[str]) -> Registry:
    sweep()
    return handlers(modules, allowed, PictureSources(os.environ.get(PICTURE_NETWORKS_VARIABLE, "")))


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


def _say_how_to_go_on(
    stats: JobStats, file: Path, ledger_file: Path, slots: int, modules: Sequence[str], allowed: Sequence[str]
) -> None:
    words = [
        "cloudkon-cli",
        "run",
        "LOCAL",
        "-s",
        str(file),
        "-t",
        str(slots),
        "--ledger",
        str(ledger_file),
        "--resume",
    ]
    words += [word for module in modules for word in ("--tasks", module)]
    words += [word for name in allowed for word in ("--allow", name)]
    click.echo(f"Kept: the results of {stats.tasks.ended:,} tasks of {stats.job.id}. Go on with:", err=True)
    click.echo(f"  {shlex.join(words)}", err=True)
