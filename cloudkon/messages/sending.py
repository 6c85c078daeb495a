"""Sends many messages in full batches from a few threads; what is refused is sent again, with backoff and jitter."""

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from cloudkon.backoff import Backoff
from cloudkon.clock import Clock
from cloudkon.errors import UnavailableError
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, TaskQueue

_THREADS = 4
_BATCHES_IN_FLIGHT = 2 * _THREADS
_TRIES = 8


def send_batch(
    queue: TaskQueue, batch: Sequence[str], clock: Clock, backoff: Backoff | None = None, tries: int = _TRIES
) -> None:
    """Send one batch until every message is accepted; raise UnavailableError with how many are not after all tries.

    A batch whose answer was lost is sent again: a bundle that travels twice is run once.
    """
    backoff = backoff or Backoff()
    unsent = list(batch)
    for failures in range(1, tries + 1):
        try:
            unsent = [unsent[position] for position in queue.send(unsent)]
        except UnavailableError:
            if failures == tries:
                raise
        if not unsent:
            return
        if failures < tries:
            clock.sleep(backoff.delay_s(failures))
    raise UnavailableError(f"The queue refused {len(unsent)} of {len(batch)} messages {tries} times.")


class Sender:
    """Collects messages into batches and sends them; leaving its block waits for all of them.

    Leaving the block raises UnavailableError when a message could not be sent.
    """

    def __init__(self, queue: TaskQueue, clock: Clock, backoff: Backoff | None = None) -> None:
        self._queue = queue
        self._clock = clock
        self._backoff = backoff
        self._batch: list[str] = []
        self._batch_bytes = 0
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="send")
        self._in_flight: set[Future[None]] = set()

    def put(self, body: str) -> None:
        """Add a message (in ASCII); blocks while enough batches are being sent."""
        if len(self._batch) == MAX_BATCH_MESSAGES or self._batch_bytes + len(body) > MAX_MESSAGE_BYTES:
            self._flush()
        self._batch.append(body)
        self._batch_bytes += len(body)

    def _flush(self) -> None:
        if not self._batch:
            return
        if len(self._in_flight) >= _BATCHES_IN_FLIGHT:
            done, self._in_flight = wait(self._in_flight, return_when=FIRST_COMPLETED)
            _raise_failures(done)
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        self._in_flight.add(self._pool.submit(send_batch, self._queue, batch, self._clock, self._backoff))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._flush()
                _raise_failures(wait(self._in_flight).done)
        finally:
            self._pool.shutdown(cancel_futures=True)


def _raise_failures(done: Iterable[Future[None]]) -> None:
    for future in done:
        future.result()
