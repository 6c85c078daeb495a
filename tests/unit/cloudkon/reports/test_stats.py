"""The statistics of a job, from rows made up."""

from dataclasses import replace
from typing import Any

import pytest

from cloudkon.ledger.job import Job
from cloudkon.ledger.lease import BundleState
from cloudkon.ledger.results import TaskState
from cloudkon.reports.stats import JobStats, job_stats
from tests.support.data.recorded import EVENT_MS, Recorded, job, report, result, row, worker


def stats_of(recorded: Recorded, the_job: Job | None = None, now: int = 10_000) -> JobStats:
    return job_stats(recorded, the_job or job(), EVENT_MS + now)


def finished() -> Recorded:
    rows = [
        row([result(ms=100), result(TaskState.FAILED, ms=50, runs=3, error="no")]),
        row([result(TaskState.REJECTED, ms=0), result(ms=850, recorded=2_000)], number=1, owners=("w2",)),
    ]
    reports = [report(4, bundles=2, rejected=1)]
    return Recorded(job(), rows, reports, [worker(duplicates_dropped=2, unrecorded_runs=5), worker("w2", slots=1)])


def test_a_complete_job_has_exact_counts() -> None:
    """A job whose tasks all have results is complete, and every count is exact."""
    stats = stats_of(finished()).as_json()
    assert stats["state"] == "complete"
    assert stats["tasks"] == {"total": 5, "succeeded": 2, "failed": 1, "rejected": 2, "running": 0, "pending": 0}
    assert stats["executions"] == 1 + 3 + 1 + 1 + 5
    assert stats["duplicates_dropped"] == 2
    assert stats["makespan_s"] == 2.0
    assert stats["throughput_tasks_s"] == 2.0
    assert stats["efficiency"] == 1.0 / (5 * 2.0)
    assert stats["workers"] == [
        {"id": "w1", "slots": 4, "tasks": 2, "busy_s": 0.15, "waited_s": 0.0},
        {"id": "w2", "slots": 1, "tasks": 2, "busy_s": 0.85, "waited_s": 0.0},
    ]
    assert stats["api_calls"] == {"dynamodb.UpdateItem": 4, "sqs.ReceiveMessage": 2, "sqs.SendMessageBatch": 2}


def test_the_json_has_these_keys_whatever_happened() -> None:
    """The JSON has these keys, whatever happened; others build on them."""
    stages = dict.fromkeys(("dispatch", "queue", "claim", "wait", "run", "record", "end_to_end"))
    for recorded in (Recorded(job()), finished()):
        stats = stats_of(recorded).as_json()
        assert list(stats) == [
            "job",
            "state",
            "paused",
            "source",
            "tasks",
            "bundles",
            "executions",
            "unrecorded_runs",
            "duplicates_dropped",
            "makespan_s",
            "throughput_tasks_s",
            "efficiency",
            "stages",
            "handler_stages",
            "workers",
            "api_calls",
            "bundles_taken_over",
        ]
        assert stats["stages"].keys() == stages.keys()
        assert all(list(stage) == ["p50_ms", "p90_ms", "p99_ms", "max_ms"] for stage in stats["stages"].values())


def test_statistics_of_a_complete_job_never_change() -> None:
    """Once a job is complete, its statistics are the same at any later time."""
    assert stats_of(finished(), now=10_000) == stats_of(finished(), now=10_000_000)


def test_each_phase_is_the_time_between_two_stamps() -> None:
    """Each stage is the time between its two stamps."""
    recorded = Recorded(job(), [row([result(start=400, ms=100, recorded=600)])], [report(1)], [worker()])
    longest = {name: stage["max_ms"] for name, stage in stats_of(recorded).as_json()["stages"].items()}
    assert longest == {
        "dispatch": 100.0,
        "queue": 100.0,
        "claim": 100.0,
        "wait": 100.0,
        "run": 100.0,
        "record": 100.0,
        "end_to_end": 600.0,
    }


def test_stages_of_handlers() -> None:
    """What handlers tell of their runs is summed up by name, the costliest first, failed tasks included."""
    told = [{"decode": 10.0, "fetch": 40.0}, {"fetch": 80.0}, None]
    ran = [replace(result(), phases_ms=phases_ms) for phases_ms in told]
    ran[1] = replace(ran[1], state=TaskState.FAILED, error="no")
    found = stats_of(Recorded(job(), [row(ran)], [report(3)], [worker()])).as_json()["handler_stages"]
    assert list(found) == ["fetch", "decode"]
    assert found["decode"] == {
        "p50_ms": 10.0, "p90_ms": 10.0, "p99_ms": 10.0, "max_ms": 10.0, "total_ms": 10.0, "tasks": 1
    }  # fmt: skip
    assert (found["fetch"]["max_ms"], found["fetch"]["total_ms"], found["fetch"]["tasks"]) == (80.0, 120.0, 2)


def test_stages_of_earlier_attempts() -> None:
    """What an earlier attempt ran has no queue, claim and wait of its own: the row's stamps are the last attempt's."""
    results = [result(attempt=1), result(attempt=2, start=5_400, recorded=5_600)]
    taken_over = row(results, owners=("w1", "w2"), stamps=(100, 5_200, 5_350))
    stats = stats_of(Recorded(job(), [taken_over], [report(2)], [])).as_json()
    assert stats["stages"]["queue"]["p50_ms"] == pytest.approx(5_100, rel=0.005)
    assert stats["stages"]["claim"]["p50_ms"] == pytest.approx(150, rel=0.005)
    assert stats["stages"]["wait"] == dict.fromkeys(("p50_ms", "p90_ms", "p99_ms", "max_ms"), 50.0)
    assert stats["stages"]["end_to_end"]["p50_ms"] == pytest.approx(600, rel=0.005)
    assert [(share["id"], share["tasks"]) for share in stats["workers"]] == [("w1", 1), ("w2", 1)]


def test_clocks_that_differ_make_no_negative_phase() -> None:
    """Clocks that differ make no negative stage."""
    skewed = row([result(start=-400, recorded=-600)], stamps=(-50, -100, -200))
    stats = stats_of(Recorded(job(), [skewed], [report(1)], [worker()])).as_json()
    assert all(stage["p50_ms"] >= 0 and stage["max_ms"] >= 0 for stage in stats["stages"].values())
    assert stats["makespan_s"] == 0.0
    assert stats["throughput_tasks_s"] == 0.0


def test_rejected_tasks_have_no_stages() -> None:
    """A task that no handler was found for did not run, and makes no stage look short."""
    rows = [row([result(TaskState.REJECTED, ms=0), result(ms=100)])]
    stats = stats_of(Recorded(job(), rows, [report(2)], [])).as_json()
    assert stats["stages"]["run"]["p50_ms"] == 100.0


def test_a_job_of_no_tasks_is_complete() -> None:
    """A job of no tasks is complete, and took as long as its dispatch."""
    stats = stats_of(Recorded(job(), [], [report(0, bundles=0)], [])).as_json()
    assert stats["state"] == "complete"
    assert stats["tasks"]["total"] == 0
    assert stats["makespan_s"] == 0.15
    assert stats["stages"]["run"] == {"p50_ms": None, "p90_ms": None, "p99_ms": None, "max_ms": None}


def test_tasks_of_a_held_bundle_are_running_others_pending() -> None:
    """Tasks without a result are running while a worker holds their bundle, and pending else."""
    rows = [
        row([result(), None, None], state=BundleState.LEASED),
        row([result(), None], state=BundleState.RELEASED, number=1),
    ]
    stats = stats_of(Recorded(job(), rows, [report(10, bundles=4)], [])).as_json()
    assert stats["state"] == "running"
    assert stats["tasks"] == {"total": 10, "succeeded": 2, "failed": 0, "rejected": 0, "running": 2, "pending": 6}
    assert stats["bundles"] == {"total": 4, "done": 0, "leased": 1, "released": 1}
    assert stats["makespan_s"] == 10.0


def test_checkpointed_is_not_complete() -> None:
    """While a bundle is not done another worker may still claim it, so that its job is not complete."""
    rows = [row([result()], state=BundleState.LEASED)]
    assert stats_of(Recorded(job(), rows, [report(1)], [])).state == "running"


def test_while_ranges_are_missing_the_total_is_estimated() -> None:
    """While ranges are missing the total is estimated, and never less than what is known."""
    rows = [row([result()] * 3), row([None] * 50, state=BundleState.LEASED, range_=1)]
    recorded = Recorded(job(), rows, [report(3, rejected=2)], [])
    estimated = stats_of(recorded, job(ranges=2, estimate=100)).as_json()
    assert estimated["state"] == "dispatching"
    assert estimated["tasks"] == {
        "total": 100,
        "succeeded": 3,
        "failed": 0,
        "rejected": 2,
        "running": 50,
        "pending": 45,
    }
    known = stats_of(recorded, job(ranges=2, estimate=10)).as_json()
    assert known["tasks"]["total"] == 55


def test_a_cancelled_job_ends_with_its_last_result() -> None:
    """A cancelled job has ended when it was cancelled, or with the last result after that."""
    recorded = Recorded(job(), [row([result(recorded=600), None])], [report(2)], [])
    stats = stats_of(recorded, job(cancelled_ms=EVENT_MS + 500))
    assert (stats.state, stats.makespan_s, stats.ended) == ("cancelled", 0.6, True)
    assert stats_of(recorded, job(cancelled_ms=EVENT_MS + 900)).makespan_s == 0.9


def test_waiting_for_the_interpreter_is_no_work() -> None:
    """What the slots waited for it is taken off their time."""
    rows = [row([result(ms=900), result(ms=900, recorded=1_000)])]
    stats = stats_of(Recorded(job(), rows, [report(2)], [replace(worker(slots=2), waited_ms=900)]))
    assert (stats.efficiency, stats.interpreter_wait) == (0.9 / (2 * 1.0), 0.5)


@pytest.mark.parametrize("reports", [[], [worker("somebody else")]])
def test_the_efficiency_is_unknown_while_slots_are(reports: list[Any]) -> None:
    """The efficiency is unknown while a worker that ran tasks has not reported its slots."""
    stats = stats_of(Recorded(job(), [row([result()])], [report(1)], reports)).as_json()
    assert stats["efficiency"] is None
    assert {"id": "w1", "slots": None, "tasks": 1, "busy_s": 0.1, "waited_s": 0.0} in stats["workers"]


def test_a_paused_job_says_why_nothing_begins() -> None:
    """A paused job is still running, and says why nothing of it is begun."""
    stats = stats_of(Recorded(job(), [], [report(2)]), replace(job(), paused_ms=EVENT_MS + 9, pause_reason="lunch"))
    assert (stats.as_json()["state"], stats.as_json()["paused"]) == ("running", "lunch")
    assert stats_of(Recorded(job(), [], [report(2)])).as_json()["paused"] is None
    assert (
        stats_of(finished(), replace(job(), paused_ms=EVENT_MS + 9, pause_reason="lunch")).as_json()["paused"] is None
    )


def test_a_bundle_that_the_workload_does_not_have_counts_nowhere() -> None:
    """A row beyond those that the range's report knows changes no count, no duration and no list of results."""
    reports = [report(4, bundles=2, rejected=1)]
    rows = finished().rows
    forged = [row([result(ms=9_999)] * 3, number=2), row([result(ms=9_999)], range_=7)]
    recorded = Recorded(job(), [*rows, *forged], reports, [worker(), worker("w2", slots=1)])
    honest = Recorded(job(), rows, reports, [worker(), worker("w2", slots=1)])
    assert stats_of(recorded) == stats_of(honest)


def resumed() -> Recorded:
    """Worker w1 ran from 300 to 600 ms and was killed; w2 went on at 60 s, with half of a bundle and a whole one."""
    rows = [
        row([result(ms=150)]),
        row(
            [result(ms=150), result(ms=200, start=60_000, recorded=60_300, attempt=2)],
            number=1,
            owners=("w1", "w2"),
            stamps=(59_900, 59_950, 60_000),
        ),
        row([result(ms=100, start=60_300, recorded=60_500)], number=2, owners=("w2",), stamps=(60_000, 60_100, 60_250)),
    ]
    return Recorded(job(), rows, [report(4, bundles=3)], [worker(slots=1), worker("w2", slots=1)])


def test_the_makespan_of_a_resumed_run_leaves_the_pause_out() -> None:
    """A LOCAL job that was stopped and went on a minute later took as long as it ran; the cloud's clock goes on."""
    local = replace(job(), source=replace(job().source, bucket="LOCAL", pinned=False))
    stats = stats_of(resumed(), local, now=90_000)
    assert stats.makespan_s == pytest.approx(0.6 + 0.5)
    assert stats.efficiency == pytest.approx(0.6 / (0.2 + 0.5))
    assert stats_of(resumed(), now=90_000).makespan_s == pytest.approx(60.5)


def test_bundles_that_another_worker_went_on_with_are_counted() -> None:
    """A bundle whose worker died or gave it back is told; one that changed hands for the sake of a retry is not."""
    assert stats_of(resumed()).taken_over == 1
    retried = row([result(runs=2, attempt=2)], owners=("w1", "w2"))
    assert stats_of(Recorded(job(), [retried], [report(1)], [])).taken_over == 0
