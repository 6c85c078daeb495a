"""Handlers as a user writes them, for workers that are started with --tasks tests.support.data.user_tasks."""

import os
import threading
import time
from pathlib import Path
from typing import Any

from cloudkon import task
from cloudkon.handlers.context import context


@task("echo")
def echo(*words: Any, **named: Any) -> dict[str, Any]:
    return {"words": words, **named}


@task("fail")
def fail(why: str) -> None:
    raise ValueError(why)


@task("note")
def note(file: str, line: str, milliseconds: str = "0") -> None:
    """Leave a trace of this run in a file that all workers append to, then take some time."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)
    time.sleep(float(milliseconds) / 1000)


@task("hold")
def hold(begun: str, until: str) -> None:
    """Say that it has begun, and end when a file appears."""
    Path(begun).touch()
    while not Path(until).exists():
        time.sleep(0.01)


@task("sign")
def sign(file: str, line: str, milliseconds: str) -> int:
    """As note does, and tell which process it was."""
    note(file, line, milliseconds)
    return os.getpid()


@task("stick")
def stick() -> None:
    """Wait for nothing, where nobody can interrupt it."""
    threading.Event().wait()


@task("die")
def die(file: str, line: str) -> None:
    """Leave a trace of this run, and take the whole worker along."""
    note(file, line)
    os._exit(99)


@task("keep")
def keep(words: str) -> None:
    """Store the words."""
    context().store("words.txt", words.encode())
