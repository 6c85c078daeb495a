"""The command python -m ec2_worker as a process, against AWS as moto plays it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cloudkon.clock import SystemClock
from cloudkon.stage.names import Names
from tests.support.emulators.moto_aws import AwsLab

ROOT = Path(__file__).parents[2]
STAGE = "procs"


@pytest.fixture(scope="module")
def environment(aws: AwsLab) -> Mapping[str, str]:
    """A stage of its own, and the environment in which a worker finds it."""
    names = Names(STAGE, "123456789012", "eu-central-1")
    for queue in (names.task_queue, names.process_queue, names.dead_letter_queue):
        aws.queue(SystemClock(), queue)
    aws.ledger(SystemClock(), name=names.ledger_table)
    aws.store(SystemClock(), name=names.results_bucket)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_"))}
    return kept | aws.environment | {"CLOUDKON_STAGE": STAGE, "CLOUDKON_POLL_S": "1"}  # a drain waits for a receive


class Command:
    """A running command, and what it says."""

    def __init__(self, environment: Mapping[str, str], *arguments: str) -> None:
        command = [sys.executable, "-m", "ec2_worker", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)

    def hear(self, what: str) -> str:
        """Wait for a line that holds this; return the line."""
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if what in line:
                return line
        raise AssertionError(f"{what!r} was not said, but {said}")

    def rest(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()


@pytest.fixture
def commands() -> Iterator[list[Command]]:
    """Put what is started here: it is ended with the test."""
    started: list[Command] = []
    yield started
    for command in started:
        command.process.kill()
        command.process.wait()
        assert command.process.stderr is not None
        command.process.stderr.close()


def test_idle_processes_end_with_their_supervisor(environment: Mapping[str, str]) -> None:
    """With --until-idle every process ends with 0 when there is nothing to do, and the supervisor after them."""
    arguments = ["--threads", "2", "--processes", "2", "--until-idle", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "ec2_worker", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "supervising 2 processes of 2 slots" in done.stderr
    assert done.stderr.count("2 slots on queue cloudkon-procs-tasks") == 2
    assert done.stderr.count("ended with exit code 0") == 2


def test_a_refusal_is_passed_on(environment: Mapping[str, str]) -> None:
    """What the processes refuse, the supervisor passes on as wrong usage, without trying again."""
    arguments = ["--processes", "1", "--tasks", "no_such_module"]
    done = subprocess.run(
        [sys.executable, "-m", "ec2_worker", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "no_such_module" in done.stderr
    assert done.stderr.count("ended with exit code 2") == 1


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
def test_one_sigterm_drains(
    environment: Mapping[str, str], commands: list[Command], processes: tuple[str, ...]
) -> None:
    """SIGTERM lets the worker, or all of them, wind up and end with 0."""
    commands.append(Command(environment, "--threads", "1", "--drain-seconds", "0", *processes))
    for _ in range(len(processes) or 1):
        commands[0].hear("1 slots on queue")
    commands[0].process.send_signal(signal.SIGTERM)
    commands[0].hear(": stopped")
    commands[0].rest()
    assert commands[0].process.wait() == 0


def test_a_second_sigterm_ends_a_worker_at_once(environment: Mapping[str, str], commands: list[Command]) -> None:
    """The exit code tells that it did not wind up."""
    commands.append(Command(environment, "--threads", "1", "--drain-seconds", "300"))
    commands[0].hear("1 slots on queue")
    commands[0].process.send_signal(signal.SIGTERM)
    commands[0].hear("draining")
    commands[0].process.send_signal(signal.SIGTERM)
    assert commands[0].process.wait() == 128 + signal.SIGTERM
