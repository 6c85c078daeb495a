"""A worker's threads and their loops; an exception that ends one of them is kept for the worker to raise."""

import threading
from collections.abc import Callable
from typing import Protocol

from cloudkon.errors import CloudKonError


class Ticker(Protocol):
    """Something that is to be done by the clock."""

    @property
    def every_s(self) -> float:
        """The pause between two ticks [s]."""
        ...

    def tick(self) -> None: ...


class Loop:
    """Calls tick at once, and then again after each pause until it is stopped."""

    def __init__(self, ticker: Ticker, name: str, threads: "Threads") -> None:
        self._ticker = ticker
        self._stopping = threading.Event()
        self._thread = threads.start(name, self._run)

    def _run(self) -> None:
        self._ticker.tick()
        while not self._stopping.wait(self._ticker.every_s):
            self._ticker.tick()

    def tell_to_stop(self) -> None:
        """Let a tick that is under way be the last."""
        self._stopping.set()

    def stop(self, wait_s: float) -> bool:
        """Stop, and wait for so long for a tick that is under way; return whether it has ended."""
        self._stopping.set()
        self._thread.join(wait_s)
        return not self._thread.is_alive()


class Threads:
    """Daemon threads, so that a task that never ends can't keep a drained process alive."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []

    @property
    def failed_unexpectedly(self) -> bool:
        """Whether a thread ended by something else than an error of AWS: a bundle in flight may be what ended it."""
        return any(not isinstance(failure, CloudKonError) for failure in self.failures)

    def start(self, name: str, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, args=(run,), name=name, daemon=True)
        thread.start()
        return thread

    def start_loop(self, name: str, ticker: Ticker) -> Loop:
        return Loop(ticker, name, self)

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as failure:  # noqa: BLE001 (nothing may end a thread in silence)
            self.failures.append(failure)
