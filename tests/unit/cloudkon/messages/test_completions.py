"""Completion records: what is written from columns is what would be written task by task."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudkon.errors import UnavailableError
from cloudkon.handlers.recording import recorded
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ledger.results import Results, TaskResult
from cloudkon.local.queue import MemoryQueue
from cloudkon.messages.completions import QueuedCompletions
from cloudkon.messages.wire import decode_completion, encode_completion
from cloudkon.ports import MAX_MESSAGE_BYTES
from tests.support.data.recorded import row
from tests.support.data.rows import NOW_MS, failed, succeeded
from tests.support.manual_clock import ManualClock

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_SAYS = st.builds(
    replace,
    st.builds(
        succeeded,
        st.integers(NOW_MS, NOW_MS + 10**9),
        duration_us=st.integers(0, 10**12),
        attempt=st.integers(1, 2),
    ),
    value=_VALUES | st.builds(recorded, _VALUES),
    id=st.none() | st.text(min_size=1, max_size=3),
)


@given(st.lists(_SAYS, min_size=1, max_size=6))
def test_a_record_written_from_columns_is_the_record_written_task_by_task(results: Sequence[TaskResult]) -> None:
    """Byte for byte the same, whatever values and ids the tasks have, of this attempt or of an earlier one."""
    plain = row(results, owners=("w1", "w2"))
    columns = replace(plain, results=ResultColumns.of(results))
    assert encode_completion(columns) == encode_completion(plain)
    assert [task["task"] for task in decode_completion(encode_completion(columns)).tasks] == list(plain.lines)


class Refuses(MemoryQueue):
    """Takes no batch that begins with a given record, and the first of every other batch not."""

    def __init__(self, silent: str) -> None:
        super().__init__(ManualClock())
        self._silent = silent
        self.batches: list[int] = []

    def send(self, bodies: Sequence[str]) -> Sequence[int]:
        self.batches.append(len(bodies))
        if bodies[0] == self._silent:
            raise UnavailableError("SQS does not answer.")
        super().send(bodies[1:])
        return [0]


def test_what_a_queue_refuses_is_told_to_the_worker() -> None:
    """Of several batches one fails and of another one record is refused: everything else is taken."""
    results: Results = (succeeded(NOW_MS), failed())
    rows = [row(results, number=number) for number in range(23)]
    queue = Refuses(encode_completion(rows[10]))
    assert QueuedCompletions(queue).tell(rows) == {*range(1, 10), 21, 22}
    assert queue.batches == [10, 10, 3]


def test_records_that_are_too_long_together_travel_apart() -> None:
    """A batch holds no more bytes than a message may."""
    long = row([replace(failed(), error="x" * 1_000)] * 600)
    queue = Refuses("")
    QueuedCompletions(queue).tell([long] * 3)
    assert len(encode_completion(long)) * 2 > MAX_MESSAGE_BYTES
    assert queue.batches == [1, 1, 1]
