"""Calls a handler and brings its work to an end: what is async runs on a loop of its own, a forked child ends here."""

import concurrent.futures
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cloudkon.handlers.deadline import TimedOutError, remaining_s

_READY = frozenset({type(None), str, int, float, bool, dict, list})
_forks = [0]


def _note_fork() -> None:
    _forks[0] += 1


os.register_at_fork(after_in_child=_note_fork)


def refusal(function: Any) -> str | None:
    """Why a function can't be a handler, where that is seen before it is called."""
    while isinstance(function, partial):
        function = function.func
    called = vars(type(function)).get("__call__")  # of an object that can be called
    for body in (function, called):
        if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
            return "it yields, so that calling it would run nothing of it: let it return a list"
    return None


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The value that a handler returns; an awaitable, or a future of concurrent.futures, is waited for.

    Each task has an event loop of its own, so that what one leaves behind is cancelled with it; it knows the task's
    context, and is cancelled when the task's time is over. Raises whatever the handler raises.
    """
    forks = _forks[0]
    try:
        value = function(*args, **kwargs)
        if type(value) not in _READY:
            value = _awaited(value)
    except BaseException:
        if _forks[0] != forks:
            os._exit(1)  # as below
        raise
    if _forks[0] != forks:
        os._exit(0)  # a child that the handler forked has come here: it must not go on as a second worker
    return value


def _awaited(value: Any) -> Any:
    if isinstance(value, concurrent.futures.Future):
        timeout_s = remaining_s()
        if not concurrent.futures.wait([value], timeout_s).done:
            raise TimedOutError(timeout_s or 0.0)
        return value.result()
    if inspect.isawaitable(value):
        import asyncio  # noqa: PLC0415 (a tenth of a command's start, for handlers that are async)

        return asyncio.run(_within_time(value))
    return value


async def _within_time(work: Awaitable[Any]) -> Any:
    import asyncio  # noqa: PLC0415 (as above)

    timeout_s = remaining_s()
    try:
        async with asyncio.timeout(timeout_s) as limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise TimedOutError(timeout_s or 0.0) from None
        raise
