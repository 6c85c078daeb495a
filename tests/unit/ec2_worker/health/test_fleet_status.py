"""What a worker says of itself, and when."""

import pytest

from cloudkon.errors import DeniedError, UnavailableError
from cloudkon.ledger.fleet import Instance, WorkerState, WorkerStatus
from ec2_worker.health.fleet_status import Herald
from tests.support.data.rows import NOW_MS, worker_status
from tests.support.manual_clock import ManualClock

IDLE, WORKING, SICK, STOPPED = WorkerState.IDLE, WorkerState.WORKING, WorkerState.SICK, WorkerState.STOPPED


class Board:
    """A Fleet that keeps every word, and may be told to fail."""

    def __init__(self) -> None:
        self.said: list[WorkerStatus] = []
        self.asked_since_ms: list[int] = []
        self.failure: Exception | None = None

    def announce(self, status: WorkerStatus) -> None:
        if self.failure is not None:
            raise self.failure
        self.said.append(status)

    def fleet(self, since_ms: int) -> list[WorkerStatus]:
        self.asked_since_ms.append(since_ms)
        if self.failure is not None:
            raise self.failure
        return self.said


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def herald(board: Board, clock: ManualClock) -> Herald:
    where = Instance("i-1", "c7g.large", "eu-central-1a")
    return Herald(board, clock, "me", 4, 15.0, busy=lambda: 3, counts=lambda: (7, 448), instance=lambda: where)


def test_the_row_says_everything(herald: Herald, board: Board, clock: ManualClock) -> None:
    """State, counts, times and place are those of the moment."""
    clock.advance(2.0)
    herald.tell(SICK, "x" * 999, {"job": 3})
    assert board.said == [
        WorkerStatus(
            worker="me",
            state=SICK,
            slots=4,
            busy=3,
            bundles=7,
            tasks=448,
            started_ms=NOW_MS,
            seen_ms=NOW_MS + 2_000,
            reason="x" * 300,
            instance=Instance("i-1", "c7g.large", "eu-central-1a"),
            failing={"job": 3},
        )
    ]


def test_who_has_stopped_runs_nothing(herald: Herald, board: Board) -> None:
    """Slots that ended do not count as busy."""
    herald.tell(STOPPED, "", {})
    assert board.said[0].busy == 0


def test_throttling_is_told_soon(board: Board, clock: ManualClock) -> None:
    """That requests are throttled is in the row within 5 s, and so is the end of it; more of it waits its turn."""
    throttled: dict[str, int] = {}
    herald = Herald(board, clock, "me", 4, 15.0, lambda: 0, lambda: (0, 0), lambda: None, lambda: throttled)
    assert told(herald, board, IDLE)
    assert board.said[-1].throttled == {}
    clock.advance(5.0)
    assert not told(herald, board, IDLE)
    throttled = {"sqs.ReceiveMessage": 1}
    assert told(herald, board, IDLE)
    assert board.said[-1].throttled == throttled
    clock.advance(5.0)
    throttled = {"sqs.ReceiveMessage": 9}
    assert not told(herald, board, IDLE)
    throttled = {}
    assert told(herald, board, IDLE)


def told(herald: Herald, board: Board, state: WorkerState) -> bool:
    """Whether a word was said."""
    before = len(board.said)
    herald.tell(state, "", {})
    return len(board.said) > before


def test_what_stays_the_same_is_repeated_seldom(herald: Herald, board: Board, clock: ManualClock) -> None:
    """The first word comes at once, then every 15 s."""
    assert told(herald, board, IDLE)
    clock.advance(14.9)
    assert not told(herald, board, IDLE)
    clock.advance(0.1)
    assert told(herald, board, IDLE)


def test_changes_between_idle_and_working_wait_a_little(herald: Herald, board: Board, clock: ManualClock) -> None:
    """They may come many times a second, so 5 s pass between two words."""
    assert told(herald, board, IDLE)
    clock.advance(4.9)
    assert not told(herald, board, WORKING)
    clock.advance(0.1)
    assert told(herald, board, WORKING)


@pytest.mark.parametrize("state", [SICK, WorkerState.DRAINING, STOPPED])
def test_grave_changes_are_told_at_once(herald: Herald, board: Board, state: WorkerState) -> None:
    """Sickness, a drain and an end are told in the moment, a recovery too, each once."""
    assert told(herald, board, WORKING)
    assert told(herald, board, state)
    assert not told(herald, board, state)
    assert told(herald, board, WORKING)


def test_silence_is_measured_from_the_first_question(herald: Herald, board: Board, clock: ManualClock) -> None:
    """A ledger that does not answer is asked every 5 s, and its first answer ends the silence."""
    board.failure = UnavailableError("down")
    herald.tell(IDLE, "", {})
    clock.advance(4.0)
    board.failure = None
    assert not told(herald, board, SICK), "not even a grave change asks more often"
    assert herald.silent_s == 4.0
    clock.advance(1.0)
    assert told(herald, board, SICK)
    assert herald.silent_s == 0.0


def test_a_refusal_is_an_answer(
    herald: Herald, board: Board, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker without the permission to write its row works all the same, and says so once."""
    board.failure = DeniedError("Not allowed.")
    for _ in range(3):
        herald.tell(IDLE, "", {})
        clock.advance(15.0)
    assert herald.silent_s == 0.0
    assert [record.message for record in caplog.records] == ["Not allowed. This worker won't be listed."]


def test_the_others_are_those_at_it(herald: Herald, board: Board) -> None:
    """Neither this worker nor those that stopped are among them, nor any not heard of for three words."""
    board.said = [worker_status("me"), worker_status("other"), worker_status("gone", state=STOPPED)]
    assert [other.worker for other in herald.others()] == ["other"]
    assert board.asked_since_ms == [NOW_MS - 45_000]


def test_nobody_is_there_when_nobody_answers(herald: Herald, board: Board) -> None:
    """Without an answer there is nothing to compare with."""
    board.failure = UnavailableError("down")
    assert herald.others() == []
