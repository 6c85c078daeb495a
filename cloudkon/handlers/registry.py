"""Handlers: functions that are marked with @task, and looked up by a task's first word."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial, update_wrapper
from types import ModuleType
from typing import Any, TypeVar, overload

from cloudkon.errors import InputError, TaskFailedError, TaskRejectedError
from cloudkon.handlers.arguments.binding import Binder, binder
from cloudkon.handlers.calling import call, refusal
from cloudkon.handlers.loading import elsewhere, imported
from cloudkon.workload.task_line import Task

Handler = Callable[..., Any]
_HandlerT = TypeVar("_HandlerT", bound=Handler)
_MARK = "__cloudkon_tasks__"


@dataclass(frozen=True, slots=True)
class Handling:
    """How a handler wants its tasks to be treated; None leaves it to the settings."""

    name: str
    retries: int | None = None
    timeout_s: float | None = None
    cpu_bound: bool = False
    """Whether it computes in Python, so that it wants processes and not threads."""
    takes_line: bool = False
    """Several words reach it as one: what follows the name, as it stands in the line."""


class Permanent(TaskFailedError):  # noqa: N818 (it says what the failure is, where a handler raises it)
    """Raised by a handler whose task would fail however often it were tried: it is not tried again."""


class UnknownTaskError(TaskRejectedError):
    """No handler of this name was loaded."""


@overload
def task(name: _HandlerT, /) -> _HandlerT: ...
@overload
def task(
    name: str | None = None, *, retries: int | None = None, timeout_s: float | None = None, cpu_bound: bool = False
) -> Callable[[_HandlerT], _HandlerT]: ...


def task(
    name: str | Callable[..., Any] | None = None,
    *,
    retries: int | None = None,
    timeout_s: float | None = None,
    cpu_bound: bool = False,
) -> Any:
    """Mark a function as the handler of the tasks that begin with this word, or with the function's own name.

        @task
        def greet(name: str, times: int = 1) -> str: ...

        @task("fetch", retries=5, timeout_s=30)
        async def fetch_page(url: str) -> dict[str, int]: ...

    The function is called with the line's words, or with the JSON object's args and its other keys by name, each
    converted to what the parameter's annotation asks for; a task whose arguments do not fit is rejected. What it
    returns is recorded as JSON. What it raises is the task's error, and the task is tried again, so it may run more
    than once. It is found by `--tasks MODULE`. A workload's header overrides retries and timeout_s [s].
    cpu_bound says that the function computes in Python: `run LOCAL` then runs its tasks in one process a core, unless
    it is told how many.

    Raises InputError (of cloudkon.errors) for a name of several words, and for numbers that can't be.
    """
    if callable(name):
        return _marked(name, None)
    return lambda function: _marked(function, name, retries, timeout_s, cpu_bound=cpu_bound)


def takes_line(function: _HandlerT) -> _HandlerT:
    """Let a marked function get several words as one: what follows the task's name, as it stands in the line."""
    marks = tuple(replace(handling, takes_line=True) for handling in _handlings(function))
    setattr(function, _MARK, marks)
    return function


def _marked(
    function: Any,
    name: str | None,
    retries: int | None = None,
    timeout_s: float | None = None,
    *,
    cpu_bound: bool = False,
) -> Any:
    name = getattr(function, "__name__", "") if name is None else name
    if not name or not name.isprintable() or name == "<lambda>" or any(character.isspace() for character in name):
        raise InputError(f"{name!r} can't be a task's name: one word is needed, as in @task(\"greet\").")
    if (retries is not None and retries < 0) or (timeout_s is not None and not timeout_s > 0):
        raise InputError(f"@task({name!r}): retries is 0 or more, timeout_s more than 0.")
    if not callable(function):
        raise InputError(f"@task({name!r}): it marks a function, and this is a {type(function).__name__}.")
    if (reason := refusal(function)) is not None:
        raise InputError(f"@task({name!r}): {getattr(function, '__qualname__', name)} can't be a handler: {reason}.")
    marks = (*_handlings(function), Handling(name, retries, timeout_s, cpu_bound))
    try:
        setattr(function.__func__ if isinstance(function, staticmethod | classmethod) else function, _MARK, marks)
    except AttributeError:  # a bound method, or something written in C
        function = update_wrapper(partial(function), function)
        setattr(function, _MARK, marks)
    return function


@dataclass(slots=True)
class LoadedHandler:
    """A handler of a registry, with what its parameters take."""

    function: Handler
    handling: Handling
    binder: Binder

    def bind(self, task: Task) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """The arguments to run it with; raise ArgumentError if the task's do not fit."""
        if self.handling.takes_line and len(task.args) > 1 and (rest := task.rest) is not None:
            return self.binder.bind((rest,), task.kwargs)
        return self.binder.bind(task.args, task.kwargs)

    def run(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """What it returns, awaited; raise whatever it raises."""
        return call(self.function, args, kwargs)


class Registry:
    """The handlers that one worker knows."""

    def __init__(self, handlers: Iterable[Handler] = (), *, refused: Mapping[str, str] | None = None) -> None:
        self._handlers: dict[str, LoadedHandler] = {}
        self._refused = refused or {}
        for handler in handlers:
            self.add(handler)

    def add(self, handler: Handler) -> None:
        """Take in a function marked with @task; raise InputError if its name is taken by another."""
        for handling in _handlings(handler):
            known = self._handlers.get(handling.name)
            if known is None:
                self._handlers[handling.name] = LoadedHandler(handler, handling, binder(handler, handling.name))
            elif known.function is not handler:
                raise _two_of(handling.name, known.function, handler)

    def add_named(self, name: str, function: Handler) -> None:
        """Take in a function under one of its marks, or as module:function, in place of what it was before a reload.

        Raises InputError if the name is another function's, or the function can't be a handler.
        """
        if (reason := refusal(function)) is not None:
            raise InputError(f"{name} can't be run: {reason}.")
        known = self._handlers.get(name)
        if known is not None and known.function is not function and _place(known.function) != _place(function):
            raise _two_of(name, known.function, function)
        handling = next((mark for mark in _handlings(function) if mark.name == name), Handling(name))
        self._handlers[name] = LoadedHandler(function, handling, binder(function, name))

    def load(self, module: str) -> None:
        """Import a module and take in its handlers; raise InputError if it has none or can't be imported.

        Of module:function only that function is taken in, marked or not, under this name and those of its marks.
        """
        module, colon, function = module.partition(":")
        loaded = imported(module)
        if colon:
            self._load_function(loaded, function)
            return
        found = list(_handlers_of(loaded))
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

    def _load_function(self, module: ModuleType, name: str) -> None:
        function = getattr(module, name, None)
        if not callable(function) or isinstance(function, type):
            near = get_close_matches(name, [known for known, one in vars(module).items() if inspect.isfunction(one)], 1)
            hint = f" Did you mean {module.__name__}:{near[0]}?" if near else ""
            raise InputError(f"--tasks {module.__name__}:{name}: the module has no function {name!r}.{hint}")
        self.add(function)
        self.add_named(f"{module.__name__}:{name}", function)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._handlers))

    def is_cpu_bound(self, name: str) -> bool:
        """Whether the handler of this name, if there is one, computes in Python."""
        handler = self._handlers.get(name)
        return handler is not None and handler.handling.cpu_bound

    def find(self, task: Task) -> LoadedHandler:
        """The task's handler; raises UnknownTaskError if there is none."""
        handler = self._handlers.get(task.name)
        if handler is None and task.name in self._refused:
            raise UnknownTaskError(f"{task.name!r} is refused: {self._refused[task.name]}")
        if handler is None:
            raise UnknownTaskError(
                f"no handler is named {task.name!r}{self._near(task.name)} (this worker knows "
                f"{', '.join(self.names) or 'none'}); start the worker with --tasks "
                f"{task.name if ':' in task.name else 'MODULE'}"
            )
        return handler

    def run(self, task: Task) -> Any:
        """Call the task's handler; raise TaskRejectedError if it can't be, and whatever the handler raises."""
        handler = self.find(task)
        return handler.run(*handler.bind(task))

    def _near(self, name: str) -> str:
        """A question after the name that may have been meant, also if it is only written with other capitals."""
        folded = {known.casefold(): known for known in (*self._handlers, *self._refused)}
        near = get_close_matches(name.casefold(), folded, n=1)
        return f". Did you mean {folded[near[0]]!r}?" if near else ""


def _handlers_of(module: ModuleType) -> Iterator[Handler]:
    """What a module holds that is marked, static methods of its classes included."""
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from _methods_of(value)
        elif _handlings(value) and not isinstance(value, ModuleType):
            yield value


def _methods_of(kind: type) -> Iterator[Handler]:
    for name, value in list(vars(kind).items()):
        if not _handlings(value) and not _handlings(getattr(value, "__func__", None)):
            continue
        if not isinstance(value, staticmethod | classmethod) and inspect.isfunction(value):
            raise InputError(
                f"@task of {kind.__qualname__}.{name}: a method needs an object. Make it a @staticmethod, or mark the "
                f'method of an object: {name} = task("{name}")({kind.__name__}().{name})'
            )
        method = getattr(kind, name)
        yield method if _handlings(method) else value.__func__


def task_names(handler: object) -> tuple[str, ...]:
    """The names of the tasks that a function is marked to run; none for a function without @task."""
    return tuple(handling.name for handling in _handlings(handler))


def _handlings(handler: object) -> tuple[Handling, ...]:
    try:
        found = vars(handler).get(_MARK, ())
    except BaseException:  # noqa: BLE001 (any object of a person's module comes by here, and may do anything)
        return ()
    return found if isinstance(found, tuple) else ()


def _two_of(name: str, one: Handler, other: Handler) -> InputError:
    return InputError(f"Two handlers are named {name!r}: {_place(one)} and {_place(other)}. Rename one of them.")


def _place(handler: Handler) -> str:
    return f"{handler.__module__}.{getattr(handler, '__qualname__', type(handler).__qualname__)}"
