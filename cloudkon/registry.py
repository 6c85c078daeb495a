"""Handlers: plain functions, looked up by a task's first word."""

import importlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from cloudkon.errors import InputError
from cloudkon.task import Task

Handler = Callable[..., Any]
_HandlerT = TypeVar("_HandlerT", bound=Handler)
_MARK = "__cloudkon_task__"


class UnknownTaskError(Exception):
    """No handler of this name was loaded; the message is the reason that the task's author reads."""


def task(name: str) -> Callable[[_HandlerT], _HandlerT]:
    """Mark a function as the handler of the tasks that begin with this word.

    The function is called with the line's words, or with the JSON object's args and its other keys by name; what it
    returns is recorded if it is JSON. It is found by `--tasks MODULE`.
    """
    if not name or not name.isprintable() or any(character.isspace() for character in name):
        raise InputError(f"{name!r} can't be a task's name: one word is needed.")

    def mark(function: _HandlerT) -> _HandlerT:
        setattr(function, _MARK, name)
        return function

    return mark


class Registry:
    """The handlers that one worker knows."""

    def __init__(self, handlers: Iterable[Handler] = ()) -> None:
        self._handlers: dict[str, Handler] = {}
        for handler in handlers:
            self.add(handler)

    def add(self, handler: Handler) -> None:
        """Take in a function marked with @task; raise InputError if its name is taken by another."""
        name = getattr(handler, _MARK)
        known = self._handlers.setdefault(name, handler)
        if known is not handler:
            raise InputError(
                f"Two handlers are named {name!r}: {_place(known)} and {_place(handler)}. Rename one of them."
            )

    def load(self, module: str) -> None:
        """Import a module and take in its handlers; raise InputError if it has none or can't be imported."""
        try:
            loaded = importlib.import_module(module)
        except ImportError as error:
            raise InputError(
                f"--tasks {module}: {error}. Is it the module's dotted name, and is its folder on PYTHONPATH?"
            ) from error
        except Exception as error:
            raise InputError(f"--tasks {module}: importing it raised {type(error).__name__}: {error}") from error
        found = [value for value in vars(loaded).values() if callable(value) and hasattr(value, _MARK)]
        if not found:
            raise InputError(f'--tasks {module}: it has no handler; mark a function with @task("name").')
        for handler in found:
            self.add(handler)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._handlers))

    def run(self, task: Task) -> Any:
        """Call the task's handler; raise UnknownTaskError if there is none, and whatever the handler raises."""
        handler = self._handlers.get(task.name)
        if handler is None:
            raise UnknownTaskError(
                f"no handler is named {task.name!r} (this worker knows {', '.join(self.names) or 'none'}); "
                "start the worker with --tasks MODULE"
            )
        return handler(*task.args, **task.kwargs)


def _place(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"
