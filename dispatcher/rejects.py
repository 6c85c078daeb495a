"""Keeps the lines that are no tasks, with their line numbers and reasons, beside the job's results."""

import json

from cloudkon.packing import Reject
from cloudkon.ports import ObjectStore

REJECTS_A_PART = 5_000


def rejects_key(job: str, range_number: int, part: int) -> str:
    return f"rejects/{job}/{range_number:05d}-{part:05d}.jsonl"


class Rejects:
    """Writes the rejects of one range in parts, so that a file of nothing but rejects takes no memory.

    A second dispatch of the same range writes the same parts again.
    """

    def __init__(self, store: ObjectStore, job: str, range_number: int) -> None:
        self.count = 0
        self._store = store
        self._job = job
        self._range_number = range_number
        self._lines: list[str] = []
        self._parts = 0

    def add(self, reject: Reject) -> None:
        self.count += 1
        self._lines.append(json.dumps({"line": reject.line, "reason": reject.reason, "text": reject.text}))
        if len(self._lines) == REJECTS_A_PART:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        if not self._lines:
            return
        key = rejects_key(self._job, self._range_number, self._parts)
        self._store.write(key, ("\n".join(self._lines) + "\n").encode())
        self._parts += 1
        self._lines = []
