"""What a run that is resumed sends: only bundles that are not done. Those that are would come back as duplicates."""

from collections.abc import Sequence

from cloudkon.messages.wire import decode_bundle
from cloudkon.ports import Delivery, TaskQueue


class UnfinishedQueue:
    """A queue that takes every bundle, and passes on those whose ids are not in done."""

    def __init__(self, queue: TaskQueue) -> None:
        self._queue = queue
        self.done: frozenset[str] = frozenset()

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        if not self.done:
            return self._queue.send(bodies)
        wanted = [at for at, body in enumerate(bodies) if decode_bundle(body).key.id not in self.done]
        refused = self._queue.send([bodies[at] for at in wanted]) if wanted else []
        return [wanted[at] for at in refused]

    def send_later(self, bodies: Sequence[str], delay_s: float) -> Sequence[int]:
        return self._queue.send_later(bodies, delay_s)

    def receive(self, count: int, wait_s: float, visibility_s: float) -> Sequence[Delivery]:
        return self._queue.receive(count, wait_s, visibility_s)

    def delete(self, receipts: Sequence[str]) -> Sequence[int]:
        return self._queue.delete(receipts)

    def hide(self, receipts: Sequence[str], seconds: float) -> Sequence[int]:
        return self._queue.hide(receipts, seconds)
