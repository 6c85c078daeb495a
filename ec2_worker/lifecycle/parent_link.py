"""What ties a worker's process to its supervisor: a socket pair, an end in each.

When the supervisor dies, however it dies, the operating system closes its end, and the worker drains. (Linux could
send a signal instead, PR_SET_PDEATHSIG; the pair works on every Unix, and carries a word the other way: the farewell
of a worker that wound up, which tells its exit code from that of a task that calls os._exit.)
"""

import contextlib
import socket
import threading
from collections.abc import Callable

_FAREWELL = b"."


class Leash:
    """The worker's end."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)

    def watch(self, orphaned: Callable[[], None]) -> None:
        """Call back, from a thread, when the supervisor is gone."""
        threading.Thread(target=self._watch, args=(orphaned,), name="leash", daemon=True).start()

    def _watch(self, orphaned: Callable[[], None]) -> None:
        with contextlib.suppress(ConnectionError):  # it may die with a farewell of ours unread
            while self._socket.recv(1):
                pass
        orphaned()

    def farewell(self) -> None:
        """Say that this process has wound up, and that its exit code means something."""
        with contextlib.suppress(OSError):  # perhaps nobody is left to hear it
            self._socket.sendall(_FAREWELL)


def said_farewell(supervisors_end: socket.socket) -> bool:
    """Whether a process that has ended wound up first."""
    supervisors_end.setblocking(False)  # a child of its own may hold the pair open
    try:
        return supervisors_end.recv(1) == _FAREWELL
    except OSError:
        return False
