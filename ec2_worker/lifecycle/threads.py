"""A worker's threads: what ends one of them unexpectedly is kept for the worker to raise."""

import threading
from collections.abc import Callable


class Crew:
    """Daemon threads, so that a task that never ends can't keep a drained process alive."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []

    def start(self, name: str, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._guarded, args=(run,), name=name, daemon=True)
        thread.start()
        return thread

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as failure:  # noqa: BLE001 (nothing may end a thread in silence)
            self.failures.append(failure)
