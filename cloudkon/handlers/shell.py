"""Tasks that are commands. Whoever may write a workload may then run anything: workers refuse them unless told."""

from cloudkon.errors import TaskFailedError
from cloudkon.handlers.program import run_program
from cloudkon.handlers.registry import task


class CommandFailedError(TaskFailedError):
    """The command exited non-zero."""


@task("shell")
def shell(*words: str) -> str | None:
    """Run one word as a line of the shell, several as a program and its arguments; its output is the task's value.

    Raises CommandFailedError with the exit code and the last line of what it said.
    """
    command = ["/bin/sh", "-c", words[0]] if len(words) == 1 else [str(word) for word in words]
    if not command:
        raise ValueError("shell takes a command")
    ended = run_program(command)
    if ended.exit_code != 0:
        raise CommandFailedError(f"{_how(ended.exit_code)}: {_last_line(ended.stderr or ended.stdout)}".rstrip(": "))
    return ended.stdout.strip() or None


def _how(exit_code: int) -> str:
    return f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
