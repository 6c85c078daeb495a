"""An embedded cloud and workers of one command's own: they begin with it, and nothing of them outlives it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from cli.embedded.cloud import bring_up
from cli.embedded.emulator import EmbeddedCloud
from cli.system.environment import child_environment
from cli.system.processes import ProcessId, cli, end, ignoring_signals, is_alive, start_detached
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.stage.names import DEFAULT_STAGE

# The command ends its workers; this ends them when the command was killed.
_IDLE_S = 60


@contextmanager
def own_cloud(home: Path, clock: Clock) -> Iterator[dict[str, str]]:
    """Bring an embedded cloud up; yields the environment of whoever is to use it."""
    embedded = EmbeddedCloud(home, clock)
    try:
        started = bring_up(embedded, DEFAULT_STAGE)
        yield child_environment(started.port, started.stage, os.environ) | {"CLOUDKON_HOME": str(home)}
    finally:
        with ignoring_signals():
            embedded.stop()


@contextmanager
def own_workers(
    home: Path, environment: Mapping[str, str], clock: Clock, workers: int, threads: int
) -> Iterator[Sequence[ProcessId]]:
    """Start workers; what they say goes to worker-0.log and so on in the home folder."""
    command = [sys.executable, "-m", "ec2_worker", "--threads", str(threads), "--until-idle", str(_IDLE_S)]
    started: list[ProcessId] = []
    try:
        for number in range(workers):
            started.append(start_detached(command, environment, home / f"worker-{number}.log"))  # noqa: PERF401
        yield started
    finally:
        with ignoring_signals():
            for worker in started:
                end(worker, clock)


def submit(tasks: Path, environment: Mapping[str, str]) -> str:
    """Drop a workload into the bucket; return the job's id."""
    answer = subprocess.run(  # noqa: S603 (our own command)
        cli("submit", str(tasks)), env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if answer.returncode != 0:
        raise CloudKonError("The workload could not be submitted, see above.")
    return answer.stdout.split()[0]


def follow(job: str, workers: Sequence[ProcessId], environment: Mapping[str, str], home: Path) -> None:
    """Show the progress until the job is complete; raises CloudKonError when nobody works on it any more."""
    # In a session of its own: at Ctrl-C it would say that the job goes on.
    with subprocess.Popen(cli("watch", job), env=environment, start_new_session=True) as watch:  # noqa: S603 (our own)
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


def run_cli(environment: Mapping[str, str], *arguments: str) -> bool:
    """Let another command of ours say what it has to say; return whether it ended well."""
    return subprocess.run(cli(*arguments), env=environment, check=False).returncode == 0  # noqa: S603 (our own)


def say(text: str) -> None:
    click.echo(text, err=True)
