"""Links a worker's process to its supervisor: a socket pair, one end in each.

When the supervisor dies, however it dies, the operating system closes its end, and the worker drains. (Linux could
send a signal instead, PR_SET_PDEATHSIG; the pair works on every Unix, and carries a byte the other way: a worker that
exits in order says so, which tells its exit code from that of a task that calls os._exit.)
"""

import contextlib
import socket
import threading
from collections.abc import Callable

_CLEAN_EXIT = b"."


class ParentLink:
    """The worker's end."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)

    def watch(self, orphaned: Callable[[], None]) -> None:
        """Call back, from a thread, when the supervisor is gone."""
        threading.Thread(target=self._watch, args=(orphaned,), name="parent-link", daemon=True).start()

    def _watch(self, orphaned: Callable[[], None]) -> None:
        with contextlib.suppress(ConnectionError):  # it may die before it has read our byte
            while self._socket.recv(1):
                pass
        orphaned()

    def announce_clean_exit(self) -> None:
        """Tell the supervisor that this process exits in order, and that its exit code means something."""
        with contextlib.suppress(OSError):  # perhaps nobody is left to hear it
            self._socket.sendall(_CLEAN_EXIT)


def exited_cleanly(supervisors_end: socket.socket) -> bool:
    """Whether a process that has ended announced it."""
    supervisors_end.setblocking(False)  # a child of its own may hold the pair open
    try:
        return supervisors_end.recv(1) == _CLEAN_EXIT
    except OSError:
        return False
