"""Tasks that are commands. Whoever may write a workload may then run anything: workers refuse them unless told."""

from collections.abc import Sequence
from typing import Any

from cloudkon.errors import TaskFailedError
from cloudkon.handlers.program import run_program
from cloudkon.handlers.registry import takes_line, task
from cloudkon.ledger.results import MAX_ERROR_CHARACTERS


class CommandFailedError(TaskFailedError):
    """The command exited non-zero."""


@takes_line
@task("shell")
def shell(*words: Any) -> str | None:
    """Run what follows in the line as a line of the shell; its output is the task's value.

    In a line of JSON, one word is a line of the shell, and several are a program and its arguments. Raises
    CommandFailedError with the exit code and the last of what it said.
    """
    return _run(["/bin/sh", "-c", words[0]] if len(words) == 1 else [str(word) for word in words])


@task("exec")
def exec_(*words: Any) -> str | None:
    """Run a program with its arguments, without a shell; its output is the task's value."""
    return _run([str(word) for word in words])


def _run(command: Sequence[str]) -> str | None:
    if not command:
        raise ValueError("a command is needed")
    ended = run_program(command)
    if ended.exit_code != 0:
        how = _how(ended.exit_code)
        said = (ended.stderr.strip() or ended.stdout.strip())[-(MAX_ERROR_CHARACTERS - len(how) - 2) :]
        raise CommandFailedError(f"{how}: {said}".rstrip(": "))
    return ended.stdout.strip() or None


def _how(exit_code: int) -> str:
    return f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
