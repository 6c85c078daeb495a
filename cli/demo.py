import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cli.cloud import bring_up
from cli.embedded import EmbeddedCloud
from cli.environment import child_environment
from cli.process import ProcessId, end, is_alive, start_detached, undisturbed
from cloudkon.clock import Clock, SystemClock
from cloudkon.errors import CloudKonError
from cloudkon.names import DEFAULT_STAGE

_INSTANT_TASKS, _SHORT_TASKS = 5_000, 1_000
_MALFORMED = ('sleep "1', '{"task": "sleep", "args": [1}', '{"args": [1]}', "sleep \x07")
_WORKERS, _THREADS = 2, 4
# The demo ends its workers; this ends them when the demo was killed.
_IDLE_S = 60


@click.command()
def demo() -> None:
    """See it all work: the embedded cloud, a deploy, a workload of 6,000 tasks, two workers, the stats.

    Nothing is left behind, Ctrl-C included; an embedded cloud that is up is not touched.

    \b
    Example:
      cloudkon-cli demo
    """
    clock = SystemClock()
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-demo-")))
        environment = cleanup.enter_context(_cloud(home, clock))
        tasks = home / "demo.txt"
        tasks.write_text("".join(f"{line}\n" for line in workload()), encoding="utf-8")
        workers = cleanup.enter_context(_workers(home, environment, clock))
        _say(f"dropping {_INSTANT_TASKS + _SHORT_TASKS:,} tasks and {len(_MALFORMED)} malformed lines into the bucket")
        job = _submit(tasks, environment)
        _watch(job, workers, environment, home)
        subprocess.run(_cli("stats", job), env=environment, check=False)  # noqa: S603 (our own command)
        _say("cleaning up")


def workload() -> Iterator[str]:
    """The demo's lines: one short task after every five instant ones, and a few that are no tasks at all."""
    instant = _INSTANT_TASKS // _SHORT_TASKS
    for _ in range(_SHORT_TASKS):
        yield from ["sleep 0"] * instant
        yield "sleep 10"
    yield from _MALFORMED


@contextmanager
def _cloud(home: Path, clock: Clock) -> Iterator[dict[str, str]]:
    """An embedded cloud of the demo's own; yields the environment of whoever is to use it."""
    embedded = EmbeddedCloud(home, clock)
    try:
        started = bring_up(embedded, DEFAULT_STAGE)
        yield child_environment(started.port, started.stage, os.environ) | {"CLOUDKON_HOME": str(home)}
    finally:
        with undisturbed():
            embedded.stop()


@contextmanager
def _workers(home: Path, environment: Mapping[str, str], clock: Clock) -> Iterator[Sequence[ProcessId]]:
    _say(f"starting {_WORKERS} workers of {_THREADS} threads each")
    command = [sys.executable, "-m", "ec2_worker", "--threads", str(_THREADS), "--until-idle", str(_IDLE_S)]
    started: list[ProcessId] = []
    try:
        for number in range(_WORKERS):
            started.append(start_detached(command, environment, home / f"worker-{number}.log"))  # noqa: PERF401
        yield started
    finally:
        with undisturbed():
            for worker in started:
                end(worker, clock)


def _submit(tasks: Path, environment: Mapping[str, str]) -> str:
    answer = subprocess.run(  # noqa: S603 (our own command)
        _cli("submit", str(tasks)), env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if answer.returncode != 0:
        raise CloudKonError("The demo's workload could not be submitted, see above.")
    return answer.stdout.split()[0]


def _watch(job: str, workers: Sequence[ProcessId], environment: Mapping[str, str], home: Path) -> None:
    """Show the progress until the job is complete, or until nobody works on it."""
    with subprocess.Popen(_cli("watch", job), env=environment) as watch:  # noqa: S603 (our own command)
        try:
            while watch.poll() is None:
                if not any(is_alive(worker) for worker in workers):
                    said = (home / "worker-0.log").read_text(encoding="utf-8", errors="replace")
                    raise CloudKonError(f"All workers have ended. The first one said: {said[-2_000:] or 'nothing'}")
                try:
                    watch.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            watch.terminate()


def _cli(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def _say(text: str) -> None:
    click.echo(text, err=True)
