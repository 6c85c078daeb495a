"""Why nothing is happening, told from rows made up."""

from dataclasses import replace

import pytest

from cloudkon.ledger.fleet import WorkerState, WorkerStatus
from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.reports.diagnosis import DOUBT_S, Depths, Diagnosis, Holdup, Unfinished, diagnose
from cloudkon.reports.observed import ObservedLedger
from cloudkon.reports.stats import job_stats
from tests.support.data.recorded import EVENT_MS, Recorded, job, report, result, row

EMPTY = Depths(0, 0, 0, 0)
NOW = EVENT_MS + 1_000
LEASED = row([None, None], state=BundleState.LEASED)
LAPSED = replace(LEASED, lease_until_ms=NOW - 1)
RELEASED = row([None, result()], state=BundleState.RELEASED)
RETRYING = row([result(TaskState.RETRYING), result()], state=BundleState.RELEASED)
DONE = row([result(), result()])


def idle(state: WorkerState = WorkerState.IDLE, reason: str = "") -> WorkerStatus:
    return WorkerStatus("w1", state, 4, 0, 0, 0, EVENT_MS, NOW, reason)


def findings(
    rows: list[BundleRow],
    *workers: WorkerStatus,
    depths: Depths | None = EMPTY,
    the_job: Job | None = None,
    sent: int = 1,
    ranges: int = 1,
) -> list[Diagnosis]:
    the_job = the_job or job()
    unfinished = Unfinished(NOW)
    recorded = ObservedLedger(Recorded(the_job, rows, [report(2 * sent, bundles=sent)], []), unfinished.add)
    return diagnose(job_stats(recorded, the_job, NOW), unfinished, workers, depths, ranges=ranges)


def holdups(*arguments: object, **others: object) -> list[Holdup]:
    return [finding.holdup for finding in findings(*arguments, **others)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "depths", "told"),
    [
        ([DONE], EMPTY, [Holdup.COMPLETE]),
        ([LEASED], EMPTY, [Holdup.RUNNING]),
        ([LAPSED], EMPTY, [Holdup.ABANDONED]),
        ([RELEASED], EMPTY, [Holdup.RELEASED]),
        ([RETRYING], EMPTY, [Holdup.RETRYING]),
        ([], Depths(3, 0, 0, 0), [Holdup.WAITING]),
        ([], Depths(0, 3, 0, 0), [Holdup.OUT_OF_SIGHT]),
        ([], Depths(0, 0, 3, 0), [Holdup.OUT_OF_SIGHT]),
        ([], EMPTY, [Holdup.MISSING]),
        ([], None, [Holdup.WAITING]),
        ([DONE], Depths(0, 0, 0, 3), [Holdup.COMPLETE, Holdup.DEAD_LETTERS]),
    ],
)
def test_the_last_bundle_is_told_wherever_it_is(
    rows: list[BundleRow], depths: Depths | None, told: list[Holdup]
) -> None:
    """Wherever the last bundle is, it is told, and nothing else."""
    assert holdups(rows, idle(), depths=depths) == told


def test_without_a_worker_it_is_told_to_start_one() -> None:
    """Without a worker that could receive, it is told to start one; a lease that holds proves that there is one."""
    assert holdups([], depths=Depths(1, 0, 0, 0)) == [Holdup.NO_WORKERS, Holdup.WAITING]
    assert holdups([], idle(WorkerState.DRAINING), depths=Depths(1, 0, 0, 0))[0] is Holdup.NO_WORKERS
    assert holdups([LEASED]) == [Holdup.RUNNING]
    assert holdups([LAPSED]) == [Holdup.NO_WORKERS, Holdup.ABANDONED]
    assert "python -m ec2_worker" in findings([])[0].says
    assert "run LOCAL" in findings([], depths=None)[0].says


def test_a_worker_that_holds_bundles_and_is_silent_may_have_died() -> None:
    """Who holds bundles and has not reported in time is doubted, with the time at which others take over at last."""
    held = replace(LEASED, lease_until_ms=NOW + 50_000)
    (silent,) = findings([held], replace(idle(), seen_ms=NOW - DOUBT_S * 1000))
    assert silent.holdup is Holdup.SILENT
    assert silent.says == (
        "w1, which holds 1 bundle, was last heard of 20 s ago. If it has died, others take over once its leases have "
        "ended, in 50 s at the latest."
    )
    assert holdups([held], replace(idle(), seen_ms=NOW - DOUBT_S * 1000 + 1)) == [Holdup.RUNNING]


def test_a_stopped_run_is_told_the_command_that_goes_on() -> None:
    """Nobody holds the bundles of a LOCAL run whose process has ended, whatever their rows say."""
    rows = [LEASED, replace(RELEASED, key=replace(RELEASED.key, number=1))]
    recorded = Recorded(job(), rows, [report(4, bundles=2)], [])
    stats = job_stats(recorded, job(), NOW)
    (stopped,) = diagnose(stats, Unfinished(NOW), [], None, ranges=1, resume="cloudkon-cli run LOCAL t.txt --resume")
    assert stopped.holdup is Holdup.STOPPED
    assert stopped.says == (
        "Its process has ended, and 3 tasks are left. Go on with: cloudkon-cli run LOCAL t.txt --resume"
    )


def test_where_all_workers_are_sick_the_reason_is_told() -> None:
    """Where all workers are sick, it is told why."""
    first, *_ = findings([], idle(WorkerState.SICK, "the disk is full"))
    assert (first.holdup, "the disk is full" in first.says) == (Holdup.SICK_WORKERS, True)
    assert Holdup.SICK_WORKERS not in holdups([], idle(WorkerState.SICK), idle())


def test_throttled_requests_are_told_by_service_and_operation() -> None:
    """What AWS throttles of the workers' requests is told by service and operation; who has stopped asks no more."""
    throttled = replace(idle(), throttled={"sqs.ReceiveMessage": 6, "dynamodb.UpdateItem": 20})
    sick = replace(idle(WorkerState.SICK), throttled={"dynamodb.UpdateItem": 1_000})
    stopped = replace(throttled, state=WorkerState.STOPPED)
    first, second = findings([LEASED], throttled, sick, idle(), stopped)
    assert (first.holdup, second.holdup) == (Holdup.THROTTLED, Holdup.RUNNING)
    assert (
        "1,026 requests of 2 workers in the last minute: DynamoDB UpdateItem 1,020, SQS ReceiveMessage 6." in first.says
    )
    assert holdups([LEASED], stopped) == [Holdup.RUNNING]
    assert holdups([DONE], throttled) == [Holdup.COMPLETE]


def test_a_pause_comes_first_with_the_way_out() -> None:
    """A pause comes first, with the way out; a cancelled job waits for nothing."""
    paused = replace(job(), paused_ms=NOW, pause_reason="lunch")
    first, *others = findings([LEASED], the_job=paused)
    assert first.says == "It is paused: lunch. Let it go on: cloudkon-cli resume tasks-abc"
    assert [other.holdup for other in others] == [Holdup.RUNNING]
    (cancelled,) = findings([LEASED], the_job=replace(job(), cancelled_ms=NOW))
    assert cancelled.says == "It was cancelled: 2 tasks have no result, and will not run."


def test_ranges_that_are_not_dispatched_are_counted() -> None:
    """Ranges that are not dispatched are counted."""
    first, *_ = findings([DONE], idle(), the_job=job(ranges=3))
    assert first == Diagnosis(Holdup.DISPATCHING, "2 of its 3 ranges are not dispatched yet.")


def test_the_messages_of_a_paused_job_are_not_missed() -> None:
    """While a job is paused its bundles rest on the parked queue: that is told, and nobody is sent to look for them."""
    paused = replace(job(), paused_ms=NOW, pause_reason="lunch")
    first, second = findings([], idle(), the_job=paused, depths=Depths(0, 0, 0, 0, parked=7))
    assert (first.holdup, second.holdup) == (Holdup.PAUSED, Holdup.PARKED)
    assert second.says == (
        "About 7 messages of paused jobs rest on a queue of their own, and are no work for anybody; "
        "1 bundle waits there."
    )


def test_what_an_interrupted_resume_left_behind_is_told_with_the_way_back() -> None:
    """Bundles of an open job that are nowhere else may still be parked: resumed again, they come back."""
    (parked,) = findings([], idle(), depths=Depths(0, 0, 0, 0, parked=7))
    assert parked.holdup is Holdup.PARKED
    assert parked.says.endswith("may be among them: bring them back with cloudkon-cli resume tasks-abc")
    assert holdups([], idle(), depths=Depths(1, 0, 0, 0, parked=7)) == [Holdup.WAITING]


@pytest.mark.parametrize(("in_flight", "told"), [(95_999, False), (96_000, True), (120_000, True)])
def test_a_queue_near_its_limit_in_flight_is_told(in_flight: int, told: bool) -> None:  # noqa: FBT001 (a parameter)
    """SQS gives out nothing beyond 120,000 messages in flight, and no error says so to whoever waits."""
    found = findings([LEASED], idle(), depths=Depths(1, in_flight, 0, 0))
    assert (Holdup.CROWDED in [each.holdup for each in found]) == told
    assert ("SQS allows 120,000" in " ".join(each.says for each in found)) == told
