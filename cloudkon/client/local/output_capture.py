"""Keeps what tasks print for their logs, while any client of this process runs some."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.task_log import capturing

_lock = threading.Lock()
_users = 0
_stack = ExitStack()


@contextmanager
def keeping_logs() -> Iterator[None]:
    """Let what tasks print and log go into their logs as well, until the last of those who asked for it has ended."""
    global _users  # noqa: PLW0603 (stdout belongs to the whole process)
    with _lock:
        if not _users:
            _stack.enter_context(capturing(log_of_task, keeps_stdout=True))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _stack.close()
