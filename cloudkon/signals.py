"""Listens for signals, except for those that whoever started this process wants ignored; forked children don't listen.

nohup, `trap '' INT`, and a shell that puts a script's command into the background all set a signal to be ignored. A
child that a task forks inherits our handlers: terminate() would call them, in place of ending the child.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handle = Callable[[int, FrameType | None], object]

_listened: set[int] = set()
_blocked = threading.local()


def listen(numbers: Iterable[int], handle: Handle) -> dict[int, Any]:
    """Let signals call handle, but for those that are ignored; return what they did before. Of the main thread."""
    before = {}
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handle)
            _listened.add(number)
    return before


@contextmanager
def listening(numbers: Iterable[int], handle: Handle) -> Iterator[None]:
    """Listen until the end of the block."""
    before = listen(numbers, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hold_back() -> None:
    """Before a fork: a signal that reached the child before its handlers are reset would be lost."""
    _blocked.before = signal.pthread_sigmask(signal.SIG_BLOCK, _listened)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _blocked.before)


def _stop_listening() -> None:
    """In a forked child, whose one thread is its main thread now: let signals do what they do by default."""
    for number in _listened:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    _let_through()


os.register_at_fork(before=_hold_back, after_in_parent=_let_through, after_in_child=_stop_listening)
