"""Where workers tell of the bundles that they have completed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from cloudkon.backoff import attempt
from cloudkon.ledger.lease import BundleRow
from cloudkon.messages.wire import encode_completion
from cloudkon.ports import MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES, TaskQueue


class Completions(Protocol):
    """Takes the rows of completed bundles; each comes at least once."""

    def tell(self, rows: Sequence[BundleRow]) -> set[int]:
        """Take rows; return the positions of those that were taken. The others are to be told again."""
        ...


@dataclass(frozen=True, slots=True)
class QueuedCompletions:
    """A completion record for each bundle, in batches on a queue: the process queue."""

    queue: TaskQueue

    def tell(self, rows: Sequence[BundleRow]) -> set[int]:
        taken: set[int] = set()
        for batch in _batches(rows):
            attempt(partial(self._send, batch, taken))
        return taken

    def _send(self, batch: Sequence[tuple[int, str]], taken: set[int]) -> None:
        refused = set(self.queue.send([body for _, body in batch]))
        taken.update(at for place, (at, _) in enumerate(batch) if place not in refused)


def _batches(rows: Sequence[BundleRow]) -> Iterator[list[tuple[int, str]]]:
    """The positions and records of the rows, cut into batches that one send takes."""
    batch: list[tuple[int, str]] = []
    size_bytes = 0
    for at, row in enumerate(rows):
        body = encode_completion(row)
        if batch and (len(batch) == MAX_BATCH_MESSAGES or size_bytes + len(body) > MAX_MESSAGE_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append((at, body))
        size_bytes += len(body)
    if batch:
        yield batch
