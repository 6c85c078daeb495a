import subprocess
import sys

import pytest
from click.testing import CliRunner

from cli.main import cloudkon_cli


@pytest.mark.parametrize("tasks", [0, 1, 9_999, 10_000, 20_001])
def test_generate_sleep_writes_a_line_a_task(tasks: int) -> None:
    """A workload of so many sleeps is written, a line each."""
    answer = CliRunner().invoke(cloudkon_cli, ["generate", "sleep", "--tasks", str(tasks), "--ms", "7"])
    assert answer.exit_code == 0
    assert answer.stdout == "sleep 7\n" * tasks


@pytest.mark.parametrize("options", [["--tasks", "-1"], ["--tasks", "1", "--ms", "-1"], ["--tasks", "x"], []])
def test_impossible_numbers_are_wrong_usage(options: list[str]) -> None:
    """What can't be a number of tasks or milliseconds is wrong usage."""
    answer = CliRunner().invoke(cloudkon_cli, ["generate", "sleep", *options])
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_nothing_is_said_when_the_reader_of_the_pipe_leaves() -> None:
    """When the reader has seen enough, the rest is not written, and nothing is said about it."""
    command = [sys.executable, "-m", "cli.main", "generate", "sleep", "--tasks", "10000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"sleep 0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
