"""Handlers: plain functions, looked up by a task's first word."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from cloudkon.errors import InputError, TaskFailedError
from cloudkon.handlers.loading import elsewhere, imported
from cloudkon.workload.task_line import Task

Handler = Callable[..., Any]
_HandlerT = TypeVar("_HandlerT", bound=Handler)
_MARK = "__cloudkon_task__"


@dataclass(frozen=True, slots=True)
class Handling:
    """How a handler wants its tasks to be treated; None leaves it to the settings."""

    name: str
    retries: int | None = None
    timeout_s: float | None = None


class Permanent(TaskFailedError):  # noqa: N818 (it says what the failure is, where a handler raises it)
    """Raised by a handler whose task would fail however often it were tried: it is not tried again."""


class UnknownTaskError(Exception):
    """No handler of this name was loaded; the message is the reason that the task's author reads."""


def task(name: str, *, retries: int | None = None, timeout_s: float | None = None) -> Callable[[_HandlerT], _HandlerT]:
    """Mark a function as the handler of the tasks that begin with this word.

    The function is called with the line's words, or with the JSON object's args and its other keys by name; what it
    returns is recorded if it is JSON. It is found by `--tasks MODULE`. A workload's header overrides retries and
    timeout_s. Raises InputError for a name of several words, and for numbers that can't be.
    """
    if (retries is not None and retries < 0) or (timeout_s is not None and not timeout_s > 0):
        raise InputError(f"@task({name!r}): retries is 0 or more, timeout_s more than 0.")
    if not name or not name.isprintable() or any(character.isspace() for character in name):
        raise InputError(f"{name!r} can't be a task's name: one word is needed.")

    def mark(function: _HandlerT) -> _HandlerT:
        setattr(function, _MARK, Handling(name, retries, timeout_s))
        return function

    return mark


class Registry:
    """The handlers that one worker knows."""

    def __init__(self, handlers: Iterable[Handler] = (), *, refused: Mapping[str, str] | None = None) -> None:
        self._handlers: dict[str, Handler] = {}
        self._refused = refused or {}
        for handler in handlers:
            self.add(handler)

    def add(self, handler: Handler) -> None:
        """Take in a function marked with @task; raise InputError if its name is taken by another."""
        name = _handling(handler).name
        known = self._handlers.setdefault(name, handler)
        if known is not handler:
            raise InputError(
                f"Two handlers are named {name!r}: {_place(known)} and {_place(handler)}. Rename one of them."
            )

    def load(self, module: str) -> None:
        """Import a module and take in its handlers; raise InputError if it has none or can't be imported."""
        loaded = imported(module)
        found = [value for value in vars(loaded).values() if callable(value) and hasattr(value, _MARK)]
        if not found:
            meant = elsewhere(loaded)
            where = f"{loaded.__name__} is {getattr(loaded, '__file__', None) or 'built into Python'}"
            raise InputError(
                f'--tasks {module}: it has no handler; mark a function with @task("name").'
                if meant is None
                else f"--tasks {module}: {where}, not {meant}, which has to be renamed."
            )
        for handler in found:
            self.add(handler)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._handlers))

    def handling(self, task: Task) -> Handling:
        """How the task is to be treated; raises UnknownTaskError."""
        return _handling(self._handler(task))

    def run(self, task: Task) -> Any:
        """Call the task's handler; raise UnknownTaskError if there is none, and whatever the handler raises."""
        return self._handler(task)(*task.args, **task.kwargs)

    def _handler(self, task: Task) -> Handler:
        handler = self._handlers.get(task.name)
        if handler is None and task.name in self._refused:
            raise UnknownTaskError(f"{task.name!r} is refused: {self._refused[task.name]}")
        if handler is None:
            raise UnknownTaskError(
                f"no handler is named {task.name!r}{self._near(task.name)} (this worker knows "
                f"{', '.join(self.names) or 'none'}); start the worker with --tasks MODULE"
            )
        return handler

    def _near(self, name: str) -> str:
        """A question after the name that may have been meant, also if it is only written with other capitals."""
        folded = {known.casefold(): known for known in (*self._handlers, *self._refused)}
        near = get_close_matches(name.casefold(), folded, n=1)
        return f". Did you mean {folded[near[0]]!r}?" if near else ""


def _handling(handler: Handler) -> Handling:
    handling: Handling = getattr(handler, _MARK)
    return handling


def _place(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"
