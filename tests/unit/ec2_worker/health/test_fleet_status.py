"""What a worker says of itself, and when."""

import pytest

from cloudkon.errors import DeniedError, UnavailableError
from cloudkon.ledger.fleet import Instance, WorkerState, WorkerStatus
from ec2_worker.health.fleet_status import FleetStatus
from tests.support.data.rows import NOW_MS, worker_status
from tests.support.manual_clock import ManualClock

IDLE, WORKING, SICK, STOPPED = WorkerState.IDLE, WorkerState.WORKING, WorkerState.SICK, WorkerState.STOPPED


class NotedFleet:
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
def fleet() -> NotedFleet:
    return NotedFleet()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


@pytest.fixture
def status(fleet: NotedFleet, clock: ManualClock) -> FleetStatus:
    where = Instance("i-1", "c7g.large", "eu-central-1a")
    return FleetStatus(fleet, clock, "me", 4, 15.0, busy=lambda: 3, counts=lambda: (7, 448), instance=lambda: where)


def test_the_row_says_everything(status: FleetStatus, fleet: NotedFleet, clock: ManualClock) -> None:
    """State, counts, times and place are those of the moment."""
    clock.advance(2.0)
    status.report(SICK, "x" * 999, {"job": 3})
    assert fleet.said == [
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


def test_who_has_stopped_runs_nothing(status: FleetStatus, fleet: NotedFleet) -> None:
    """Slots that ended do not count as busy."""
    status.report(STOPPED, "", {})
    assert fleet.said[0].busy == 0


def test_throttling_is_told_soon(fleet: NotedFleet, clock: ManualClock) -> None:
    """That requests are throttled is in the row within 5 s, and so is the end of it; more of it waits its turn."""
    throttled: dict[str, int] = {}
    status = FleetStatus(fleet, clock, "me", 4, 15.0, lambda: 0, lambda: (0, 0), lambda: None, lambda: throttled)
    assert told(status, fleet, IDLE)
    assert fleet.said[-1].throttled == {}
    clock.advance(5.0)
    assert not told(status, fleet, IDLE)
    throttled = {"sqs.ReceiveMessage": 1}
    assert told(status, fleet, IDLE)
    assert fleet.said[-1].throttled == throttled
    clock.advance(5.0)
    throttled = {"sqs.ReceiveMessage": 9}
    assert not told(status, fleet, IDLE)
    throttled = {}
    assert told(status, fleet, IDLE)


def told(status: FleetStatus, fleet: NotedFleet, state: WorkerState) -> bool:
    """Whether a word was said."""
    before = len(fleet.said)
    status.report(state, "", {})
    return len(fleet.said) > before


def test_what_stays_the_same_is_repeated_seldom(status: FleetStatus, fleet: NotedFleet, clock: ManualClock) -> None:
    """The first word comes at once, then every 15 s."""
    assert told(status, fleet, IDLE)
    clock.advance(14.9)
    assert not told(status, fleet, IDLE)
    clock.advance(0.1)
    assert told(status, fleet, IDLE)


def test_changes_between_idle_and_working_wait_a_little(
    status: FleetStatus, fleet: NotedFleet, clock: ManualClock
) -> None:
    """They may come many times a second, so 5 s pass between two words."""
    assert told(status, fleet, IDLE)
    clock.advance(4.9)
    assert not told(status, fleet, WORKING)
    clock.advance(0.1)
    assert told(status, fleet, WORKING)


@pytest.mark.parametrize("state", [SICK, WorkerState.DRAINING, STOPPED])
def test_grave_changes_are_told_at_once(status: FleetStatus, fleet: NotedFleet, state: WorkerState) -> None:
    """Sickness, a drain and an end are told in the moment, a recovery too, each once."""
    assert told(status, fleet, WORKING)
    assert told(status, fleet, state)
    assert not told(status, fleet, state)
    assert told(status, fleet, WORKING)


def test_silence_is_measured_from_the_first_question(
    status: FleetStatus, fleet: NotedFleet, clock: ManualClock
) -> None:
    """A ledger that does not answer is asked every 5 s, and its first answer ends the silence."""
    fleet.failure = UnavailableError("down")
    status.report(IDLE, "", {})
    clock.advance(4.0)
    fleet.failure = None
    assert not told(status, fleet, SICK), "not even a grave change asks more often"
    assert status.silent_s == 4.0
    clock.advance(1.0)
    assert told(status, fleet, SICK)
    assert status.silent_s == 0.0


def test_a_refusal_is_an_answer(
    status: FleetStatus, fleet: NotedFleet, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker without the permission to write its row works all the same, and says so once."""
    fleet.failure = DeniedError("Not allowed.")
    for _ in range(3):
        status.report(IDLE, "", {})
        clock.advance(15.0)
    assert status.silent_s == 0.0
    assert [record.message for record in caplog.records] == ["Not allowed. This worker won't be listed."]


def test_the_others_are_those_at_it(status: FleetStatus, fleet: NotedFleet) -> None:
    """Neither this worker nor those that stopped are among them, nor any not heard of for three words."""
    fleet.said = [worker_status("me"), worker_status("other"), worker_status("gone", state=STOPPED)]
    assert [other.worker for other in status.others()] == ["other"]
    assert fleet.asked_since_ms == [NOW_MS - 45_000]


def test_nobody_is_there_when_nobody_answers(status: FleetStatus, fleet: NotedFleet) -> None:
    """Without an answer there is nothing to compare with."""
    fleet.failure = UnavailableError("down")
    assert status.others() == []
