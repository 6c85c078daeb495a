"""Workers as processes on queues of their own: what signals, idleness and undecodable messages do to them."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import QUICK, WorkerProcess, worker

# Nothing here may come back because a lease has lapsed.
LONG_LEASE = {**QUICK, "CLOUDKON_LEASE_S": "120", "CLOUDKON_VISIBILITY_MARGIN_S": "30"}


@pytest.fixture
def queue(embedded_cloud: EmbeddedAws) -> Iterator[str]:
    """A task queue of the test's own."""
    sqs, name = embedded_cloud.client("sqs"), f"own-{uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name, Attributes={"MaximumMessageSize": "1048576"})["QueueUrl"]
    yield name
    sqs.delete_queue(QueueUrl=url)


@contextmanager
def own_worker(desk: JobDesk, queue: str, folder: Path, *arguments: str) -> Iterator[WorkerProcess]:
    more = ("-s", queue, "--threads", "1", "--tasks", "tests.support.data.user_tasks", *arguments)
    with worker(desk.aws.environment, folder, *more, settings=LONG_LEASE) as started:
        yield started


@contextmanager
def running_job(desk: JobDesk, queue: str, workload: Path) -> "Iterator[subprocess.Popen[str]]":
    """`run QUEUE` in the background."""
    command = [sys.executable, "-m", "cli.main", "run", queue, "-s", str(workload), "--json", "-t", "1"]
    with subprocess.Popen(
        command, env=dict(desk.aws.environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def test_run_puts_a_workload_onto_a_queue(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """run QUEUE sends the bundles, waits, reports, and writes a line a task; it exits with 1 if a task failed."""
    workload, results = tmp_path / "tasks.txt", tmp_path / "results.jsonl"
    workload.write_text('#cloudkon: bundle=3\nsleep 0\necho x\nsleep "0\nfail so\nsleep 0\n')
    with own_worker(desk, queue, tmp_path):
        answer = desk.aws.run("run", queue, "-s", str(workload), "--results", str(results), "--json")
    stats = json.loads(answer.stdout)
    assert answer.returncode == 1
    assert stats["tasks"] == {"total": 5, "succeeded": 3, "failed": 1, "rejected": 1, "running": 0, "pending": 0}
    assert stats["source"]["bucket"] == queue
    lines = {line["task"]: line["state"] for line in map(json.loads, results.read_text().splitlines())}
    assert lines == {2: "succeeded", 3: "succeeded", 5: "failed", 6: "succeeded"}
    desk.await_empty(queue)


def test_submit_watches_to_the_end(desk: JobDesk, tmp_path: Path) -> None:
    """submit --watch prints the id that the dispatcher derives, and exits with 0 when every task succeeded."""
    workload = tmp_path / "to watch.txt"
    workload.write_text("sleep 0\n" * 10)
    with own_worker(desk, desk.aws.names.task_queue, tmp_path):
        answer = desk.aws.run("submit", str(workload), "--prefix", "by/hand/", "--watch")
    assert answer.returncode == 0, answer.stderr
    (job,) = answer.stdout.split()
    assert desk.stats(job)["tasks"]["succeeded"] == 10
    assert desk.stats(job)["source"]["key"] == "by/hand/to watch.txt"


def test_sigterm_finishes_what_has_begun_and_releases_the_rest(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """A drained worker ends its task, gives the others back at once, and exits with 0; nothing runs twice."""
    begun, until, trace, workload = (tmp_path / name for name in ("begun", "until", "trace", "tasks.txt"))
    lines = [f"hold {begun} {until}"] + [f"note {trace} {number}" for number in range(20)]
    workload.write_text("#cloudkon: bundle=7\n" + "".join(f"{line}\n" for line in lines))
    with running_job(desk, queue, workload) as run:
        with own_worker(desk, queue, tmp_path) as first:
            eventually(begun.exists)
            first.terminate()
            first.await_said("draining")
            assert first.process.poll() is None
            until.touch()
            assert first.exit_code() == 0
        ran_by_first = trace.read_text().split() if trace.exists() else []
        with own_worker(desk, queue, tmp_path):
            stats = json.loads(run.communicate(timeout=120)[0])
    assert run.returncode == 0
    assert stats["executions"] == stats["tasks"]["succeeded"] == len(lines)
    assert sorted(map(int, trace.read_text().split())) == list(range(20))
    # The lease is two minutes: the second worker had them because they were released.
    assert stats["makespan_s"] < 100
    assert len(ran_by_first) < 20


def test_a_drain_that_takes_too_long_leaves_the_task_to_others(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """At the end of --drain-seconds the worker releases even what runs, and exits with 0; another runs it."""
    begun, until, workload = (tmp_path / name for name in ("begun", "until", "tasks.txt"))
    workload.write_text(f"sleep 0\nhold {begun} {until}\n")
    with running_job(desk, queue, workload) as run:
        with own_worker(desk, queue, tmp_path, "--drain-seconds", "0.5") as first:
            eventually(begun.exists)
            first.terminate()
            assert first.exit_code() == 0
        until.touch()
        with own_worker(desk, queue, tmp_path):
            stats = json.loads(run.communicate(timeout=120)[0])
    assert stats["tasks"]["succeeded"] == stats["executions"] == 2
    assert stats["makespan_s"] < 100


def test_a_second_sigterm_exits_at_once(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """Told twice, a worker does not wait for its task."""
    begun, workload = tmp_path / "begun", tmp_path / "tasks.txt"
    workload.write_text(f"hold {begun} {tmp_path / 'never'}\n")
    with running_job(desk, queue, workload), own_worker(desk, queue, tmp_path) as first:
        eventually(begun.exists)
        first.terminate()
        first.await_said("draining")
        first.terminate()
        assert first.exit_code() == 128 + signal.SIGTERM


def test_a_stuck_process_is_replaced(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """A task that never ends costs its process and nobody else: it has timed out, its neighbours are recorded once."""
    trace, workload = tmp_path / "trace", tmp_path / "tasks.txt"
    lines = ["stick", *(f"sign {trace} {number} 100" for number in range(2, 60))]
    workload.write_text("".join(f"{line}\n" for line in ["#cloudkon: bundle=6 retries=0 timeout=500ms", *lines]))
    own = own_worker(desk, queue, tmp_path, "--processes", "1", "--threads", "2")
    with own as supervisor, running_job(desk, queue, workload) as run:
        stats = json.loads(run.communicate(timeout=120)[0])
        supervisor.await_said("ended with exit code 75 (it asked to be replaced)")
        supervisor.terminate()
        assert supervisor.exit_code() == 0
    stuck, *others = desk.results(stats["job"])
    assert (stuck["state"], stuck["error"]) == ("failed", "timed out after 0.5 s, and did not stop")
    assert (len(others), {other["state"] for other in others}) == (len(lines) - 1, {"succeeded"})
    assert sorted(map(int, trace.read_text().split())) == list(range(2, 60))
    assert stats["executions"] == len(lines)
    # What the first process had begun it has finished; a second took over, and nobody waited for a lease.
    first, second = dict.fromkeys(other["value"] for other in others)
    assert f"(pid {first}) ended with exit code 75" in supervisor.said()
    assert f"(pid {second}) ended with exit code 0" in supervisor.said()
    assert stats["makespan_s"] < 100


def test_ctrl_c_on_a_run_says_how_to_go_on(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """Ctrl-C leaves the job on its queue, says so, and exits with 130."""
    workload = tmp_path / "tasks.txt"
    workload.write_text("sleep 0\n")
    with running_job(desk, queue, workload) as run:
        eventually(lambda: desk.depth(queue) > 0)
        [last] = desk.aws.run("jobs", "--limit", "1", "--json").stdout.splitlines()
        job = json.loads(last)["job"]
        eventually(lambda: desk.stats(job)["state"] == "running")  # it has sent all, and waits
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "Traceback" not in said
    assert said.splitlines()[-1] == f"The job goes on. Watch it again: cloudkon-cli watch {job}"


def test_an_idle_worker_exits(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """With --until-idle a worker ends by itself, with 0, once nothing has come for so long."""
    with own_worker(desk, queue, tmp_path, "--until-idle", "0.5") as idle:
        assert idle.exit_code() == 0


def test_undecodable_messages_are_set_aside(desk: JobDesk, queue: str, tmp_path: Path) -> None:
    """They end on the dead-letter queue, whole and with their reasons, and the worker goes on."""
    good = {"v": 1, "job": "j", "range": 0, "bundle": 0, "shards": 1, "lines": "1+1", "event_ms": 1, "sent_ms": 1}
    reasons = {
        "sleep 0": "The message is not JSON: Expecting value: line 1 column 1 (char 0).",
        '{"v": 2}': "The message is no bundle of version 1.",
        json.dumps(good): "The message is no bundle: 'tasks'.",
        json.dumps(good | {"tasks": "a\nb"}): "The message names 1 lines but holds 2 tasks.",
        json.dumps(good | {"tasks": "a", "job": ""}): "The message is no bundle: '' is no job's id.",
        json.dumps(good | {"tasks": "a", "event_ms": 10**40}): (
            f"The message is no bundle: {10**40} is not a whole number from 0 to {10**14}."
        ),
    }
    sqs = desk.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    for body in reasons:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    workload = tmp_path / "tasks.txt"
    workload.write_text("sleep 0\n")
    desk.take(desk.aws.names.dead_letter_queue)
    with own_worker(desk, queue, tmp_path) as alive:
        desk.await_empty(queue)
        assert desk.aws.run("run", queue, "-s", str(workload)).returncode == 0
        assert alive.process.poll() is None
    letters = map(json.loads, desk.take(desk.aws.names.dead_letter_queue))
    assert {letter["body"]: letter["reason"] for letter in letters} == reasons
