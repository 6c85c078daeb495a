"""The main job: a workload dropped into S3, the zip that chalice built, two worker processes, and the stats."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import WorkerProcess

KEY = "in/main job.txt"
INSTANT, SHORT, MALFORMED = 900, 100, 4
TASKS = INSTANT + SHORT
BUNDLE = 25
BODY = (
    f"#cloudkon: bundle={BUNDLE}\n".encode()
    + b"sleep 0\n" * INSTANT
    + b"# and longer ones\n\n"
    + b"sleep 10\n" * SHORT
    + b'sleep "0\n{"task": "sleep"\nsleep \x01\nsleep \xff\n'
)


@pytest.fixture(scope="module")
def finished(desk: JobDesk, two_workers: list[WorkerProcess]) -> dict[str, Any]:
    """The statistics of the dropped workload, once it is complete."""
    job = desk.drop(KEY, BODY)
    desk.finish(job)
    desk.await_empty(desk.aws.names.task_queue)
    return desk.stats(job)


def invoke_again(desk: JobDesk, stats: dict[str, Any]) -> None:
    """Give the deployed Lambda the event of a job once more."""
    source = stats["source"]
    time = datetime.fromtimestamp(source["event_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    found = {"key": source["key"].replace(" ", "+"), "versionId": source["version"]}
    record = {"eventTime": time.replace("+00:00", "Z"), "s3": {"bucket": {"name": source["bucket"]}, "object": found}}
    answer = desk.aws.client("lambda").invoke(
        FunctionName=f"cloudkon-{STAGE}-ingest", Payload=json.dumps({"Records": [record]})
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def what_must_not_change(stats: dict[str, Any]) -> dict[str, Any]:
    """All but what workers drop and ask and what that costs, and those among them that did nothing else."""
    kept = {name: value for name, value in stats.items() if name not in {"api_calls", "duplicates_dropped", "cost"}}
    workers = [worker for worker in stats["workers"] if worker["tasks"]]
    return kept | {"workers": workers, "waste": stats["cost"]["waste"]}


def test_the_counts_are_exact(finished: dict[str, Any]) -> None:
    """Every task is recorded once, every malformed line is counted, and nothing ran twice."""
    expected = {"succeeded": TASKS, "failed": 0, "rejected": MALFORMED, "running": 0, "pending": 0}
    assert finished["tasks"] == {"total": TASKS + MALFORMED, **expected}
    assert finished["executions"] == TASKS
    assert finished["bundles"] == {"total": TASKS / BUNDLE, "done": TASKS / BUNDLE, "leased": 0, "released": 0}
    assert sum(worker["tasks"] for worker in finished["workers"]) == TASKS


def test_every_bundle_is_on_the_process_queue(desk: JobDesk, finished: dict[str, Any]) -> None:
    """The completion records name every accepted line once, with its state."""
    records = desk.completions(finished["job"], TASKS // BUNDLE)
    tasks = [task for record in records for task in record["tasks"]]
    first_short = 1 + INSTANT + 2  # the header is a line, and so are the comment and the blank
    lines = [*range(2, INSTANT + 2), *range(first_short + 1, first_short + 1 + SHORT)]
    assert sorted(task["task"] for task in tasks) == lines
    assert {task["state"] for task in tasks} == {"succeeded"}


def test_rejects_have_their_line_and_reason(desk: JobDesk, finished: dict[str, Any]) -> None:
    """results lists a line a task in the order of the workload, the malformed ones with what is wrong with them."""
    outcomes = desk.results(finished["job"])
    assert [outcome["task"] for outcome in outcomes] == sorted(outcome["task"] for outcome in outcomes)
    rejected = [(outcome["task"], outcome["error"]) for outcome in outcomes if outcome["state"] == "rejected"]
    last = 1 + INSTANT + 2 + SHORT
    assert rejected == [
        (last + 1, "no closing quotation; a quote inside a word is written \\' or \\\""),
        (last + 2, "not valid JSON: expecting ',' delimiter at column 17"),
        (last + 3, "control character U+0001 at column 7"),
        (last + 4, "not UTF-8: byte 0xff at byte 7 of the line"),
    ]


def test_the_same_event_again_changes_nothing(desk: JobDesk, finished: dict[str, Any]) -> None:
    """The event of a job that was dispatched sends nothing: no message, no bundle, no run."""
    invoke_again(desk, finished)
    assert desk.depth(desk.aws.names.task_queue) == 0
    assert desk.stats(finished["job"]) == finished


def test_a_dispatch_that_died_is_repeated_and_runs_nothing_twice(desk: JobDesk, finished: dict[str, Any]) -> None:
    """A Lambda that died before its last write sends every bundle again, and all of them die at the claim."""
    row = {"pk": {"S": f"job#{finished['job']}"}, "sk": {"S": "range#00000"}}
    desk.aws.client("dynamodb").delete_item(TableName=desk.aws.names.ledger_table, Key=row)
    invoke_again(desk, finished)
    bundles = finished["bundles"]["total"]
    desk.await_empty(desk.aws.names.task_queue)

    def dropped() -> dict[str, Any]:
        """As many dropped duplicates as there are bundles"""
        stats = desk.stats(finished["job"])
        return stats if stats["duplicates_dropped"] == finished["duplicates_dropped"] + bundles else {}

    assert what_must_not_change(eventually(dropped)) == what_must_not_change(finished)
    # A first worker may have died before it forwarded them, so consumers see each of them once more.
    records = desk.completions(finished["job"], 2 * bundles)
    assert len({json.dumps(record) for record in records}) == bundles


def test_stats_have_their_keys(finished: dict[str, Any]) -> None:
    """stats --json has the agreed keys, with figures that fit the job."""
    assert finished.keys() >= {
        *("job", "state", "tasks", "executions", "duplicates_dropped", "makespan_s", "throughput_tasks_s"),
        *("efficiency", "stages", "workers", "api_calls"),
    }
    assert finished["stages"].keys() >= {"dispatch", "queue", "claim", "run", "record", "end_to_end"}
    for stage in finished["stages"].values():
        assert stage.keys() == {"p50_ms", "p90_ms", "p99_ms", "max_ms"}
        assert 0 <= stage["p50_ms"] <= stage["p90_ms"] <= stage["p99_ms"] <= stage["max_ms"]
    assert finished["stages"]["run"]["max_ms"] >= 10
    assert finished["stages"]["end_to_end"]["max_ms"] <= finished["makespan_s"] * 1000 + 1
    assert all(worker.keys() == {"id", "slots", "tasks", "busy_s", "waited_s"} for worker in finished["workers"])
    assert 0 < finished["efficiency"] <= 1
    assert finished["api_calls"]["sqs.SendMessageBatch"] >= TASKS / BUNDLE / 10
    assert all(isinstance(count, int) for count in finished["api_calls"].values())


def test_jobs_lists_it(desk: JobDesk, finished: dict[str, Any]) -> None:
    """jobs names the job and where its workload is."""
    answer = desk.aws.run("jobs")
    assert (answer.returncode, answer.stderr) == (0, "")
    (line,) = [line for line in answer.stdout.splitlines() if finished["job"] in line]
    assert line.endswith(f"s3://{desk.aws.names.workloads_bucket}/{KEY}")
