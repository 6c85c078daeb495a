"""A job's trace, from the deployed Lambda into a worker process, as the daemon of both is told; and its metrics."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.data.emf_reader import metrics_of
from tests.support.servers.daemons import XRayDaemon, xray_daemon
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import worker

FUNCTION = f"cloudkon-{STAGE}-ingest"


@pytest.fixture
def daemon(embedded_cloud: EmbeddedAws) -> Iterator[XRayDaemon]:
    """One that the Lambda is pointed at; AWS itself sets that variable."""
    functions = embedded_cloud.client("lambda")
    before = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    with xray_daemon() as made:
        variables = before | {"AWS_XRAY_DAEMON_ADDRESS": made.address}
        functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": variables})
        yield made
        functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": before})


def test_one_trace_from_the_lambda_into_the_task(
    embedded_cloud: EmbeddedAws, desk: JobDesk, daemon: XRayDaemon, tmp_path: Path
) -> None:
    """Lambda's own trace goes on in the worker that runs the job's bundles, and explain names it."""
    environment = {**embedded_cloud.environment, "CLOUDKON_TRACING": "xray", "AWS_XRAY_DAEMON_ADDRESS": daemon.address}
    job = desk.drop("traced.txt", b"sleep 0\n" * 3)

    def told() -> dict[str, list[dict[str, Any]]]:
        """The documents of a whole trace"""
        documents = [each for each in daemon.documents() if each["annotations"]["job"] == job]
        names = {each["name"] for each in documents}
        return {name: [each for each in documents if each["name"] == name] for name in names} if len(names) == 2 else {}

    with worker(environment, tmp_path, "--threads", "1"):
        desk.finish(job)
        documents = eventually(told)
        (dispatch,), workers = documents["dispatch"], documents[f"cloudkon-{STAGE}-worker"]
    assert dispatch["type"] == "subsegment"
    assert len(dispatch["parent_id"]) == 16
    assert {each["trace_id"] for each in workers} == {dispatch["trace_id"]}
    assert {each["parent_id"] for each in workers} == {dispatch["id"]}
    assert {below["name"] for each in workers for below in each["subsegments"]} >= {
        "claim",
        "run",
        "complete",
        "forward",
    }
    explained = json.loads(embedded_cloud.run("explain", job, "1", "--json").stdout)
    assert explained["trace"] == dispatch["trace_id"]
    assert "trace_at" not in explained  # AWS's page would not know it


def test_metrics_are_lines_of_the_logs(embedded_cloud: EmbeddedAws, desk: JobDesk, tmp_path: Path) -> None:
    """The Lambda's log group and a worker's output hold metrics as CloudWatch takes them, each on a line of its own."""
    job = desk.drop("measured.txt", b"sleep 0\n" * 5 + b'sleep "\n')
    environment = {**embedded_cloud.environment, "CLOUDKON_METRICS": "emf"}
    with worker(environment, tmp_path, "--threads", "1") as one:
        desk.finish(job)
        one.terminate()
        assert one.exit_code() == 0
    (last,) = [metrics_of(line) for line in one.said().splitlines() if line.startswith("{")]
    assert (last["Slots"], last["Stage"]) == (1, STAGE)
    assert last["TasksSucceeded"] >= 5  # what earlier tests left on the queue is its too

    def written() -> list[dict[str, Any]]:
        """The Lambda's metrics"""
        group = f"/aws/lambda/{FUNCTION}"
        events = embedded_cloud.client("logs").filter_log_events(logGroupName=group, filterPattern='"_aws"')["events"]
        return [metrics_of(line) for event in events for line in event["message"].splitlines() if "_aws" in line]

    found = eventually(written)
    assert any(each.get("JobsOpened") == 1 for each in found)
    assert any((each.get("TasksDispatched"), each.get("LinesRejected")) == (5, 1) for each in found)
