"""explain and status, over a ledger file."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.jobs.local_runs import RunOptions, remember
from cloudkon.clock import SystemClock
from cloudkon.ledger.packed_results import pack_results
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.run_lock import RunLock
from tests.support.command_line import run
from tests.support.data.rows import worker_status
from tests.support.worlds.local_jobs import EVENT_MS, write_job, write_rejects

pytestmark = pytest.mark.usefixtures("this_machine")


JOB = "local-sleeps-abc"


def told(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_a_task_that_failed(ledger: SqliteLedger) -> None:
    """Who held it, when, how often it ran and what it said are told."""
    write_job(ledger)
    answer = run("explain", JOB, 2)
    assert answer.exit_code == 0
    assert answer.stdout.splitlines()[:5] == [
        "task    2",
        "state   failed: its last run failed",
        "error   ValueError: boom \ufffd[31mred",
        "runs    3, the last took 12.3 ms",
        f"job     {JOB}",
    ]
    for line in (
        "bundle  00000.000000, done; task 2 of 3",
        "started    +400 ms",
        "completed  +900 ms",
        "      1  w1      recorded the result",
        "queue       10.0 ms",
        "run         12.3 ms",
        "end to end   900 ms",
    ):
        assert f"{line}\n" in answer.stdout
    assert "leased until" not in answer.stdout
    assert run("explain", 2).stdout == answer.stdout
    assert answer.stdout.count("\n\n") == 3


def test_explain_as_json_has_stamps_phases_attempts_and_output(ledger: SqliteLedger, ledger_file: Path) -> None:
    """As JSON a task has its stamps, its stages, its attempts and the place of its output."""
    large = TaskResult(
        TaskState.SUCCEEDED, EVENT_MS + 100, 50_000, 1, recorded_ms=EVENT_MS + 200, output="values/v.json"
    )
    write_job(ledger, results=[large])
    one = told("explain", JOB, "--task", 1)
    assert one["output_at"] == str(ledger_file.with_name("ledger.results") / "values" / "v.json")
    assert one["attempts"] == [{"attempt": 1, "worker": "w1", "last_ran": True}]
    assert one["stages_ms"] == {
        "dispatch": 50.0, "queue": 10.0, "claim": 10.0, "wait": 30.0, "run": 50.0, "record": 50.0, "end_to_end": 200.0
    }  # fmt: skip
    assert (one["start_ms"], one["completed_ms"], one["state"]) == (EVENT_MS + 100, EVENT_MS + 900, "succeeded")


def test_explain_names_the_trace_of_a_traced_job(ledger: SqliteLedger) -> None:
    """The trace of a job that is traced is told with its task."""
    write_job(ledger)
    assert "trace" not in told("explain", JOB, 1)
    with ledger._file.writing() as connection:
        connection.execute("UPDATE jobs SET trace = '1-684fe5c0-0123456789abcdef01234567'")
    assert told("explain", JOB, 1)["trace"] == "1-684fe5c0-0123456789abcdef01234567"
    assert "trace   1-684fe5c0-0123456789abcdef01234567\n" in run("explain", JOB, 1).stdout


def test_where_the_time_of_a_run_went(ledger: SqliteLedger) -> None:
    """The stages that a handler tells apart are shown with their part of the run, also before a failure."""
    staged = TaskResult(
        TaskState.FAILED, EVENT_MS + 100, 50_000, 1, error="no", phases_ms={"download": 40.0, "encode": 5.0}
    )
    write_job(ledger, results=[staged])
    assert told("explain", JOB, 1)["handler_stages_ms"] == {"download": 40.0, "encode": 5.0}
    said = run("explain", JOB, 1).stdout
    assert "phase of the run     took  of it\n" in said.replace("of it ", "of it")
    assert (
        "download          40.0 ms  80.0%\nencode            5.00 ms  10.0%\nother             5.00 ms  10.0%\n" in said
    )
    assert told("results", JOB)["handler_stages_ms"] == {"download": 40.0, "encode": 5.0}


def test_a_task_of_another_attempt(ledger: SqliteLedger) -> None:
    """A result of an earlier attempt is told as such, without the stages that only the last attempt's stamps tell."""
    first = TaskResult(TaskState.SUCCEEDED, EVENT_MS + 100, 5_000, 1, recorded_ms=EVENT_MS + 200)
    write_job(ledger, results=[first], done=False)
    with ledger._file.writing() as connection:
        connection.execute("""UPDATE bundles SET owners = '["w0", "w1"]'""")
    held = told("explain", JOB, 1)
    assert (held["state"], [one["last_ran"] for one in held["attempts"]]) == ("abandoned", [False, False])
    (row,) = ledger.bundles(ledger.recent(1)[0])
    with ledger._file.writing() as connection:
        connection.execute("UPDATE bundles SET state = 'done', results = ?", (pack_results([first], row.event_ms),))
    done = told("explain", JOB, 1)
    assert [one["last_ran"] for one in done["attempts"]] == [True, False]
    assert set(done["stages_ms"]) == {"dispatch", "run", "record", "end_to_end"}


def test_a_rejected_line(ledger: SqliteLedger, ledger_file: Path) -> None:
    """A line that the dispatcher rejected is told with the reason."""
    write_rejects(ledger_file, write_job(ledger, rejected=1), [4])
    answer = run("explain", JOB, 4)
    assert "state  rejected: it can't be run as it stands\nerror  no closing quotation\n" in answer.stdout


def test_a_task_that_waits(ledger: SqliteLedger) -> None:
    """A task whose bundle nobody claimed waits, unless its job was paused or cancelled."""
    write_job(ledger)
    with ledger._file.writing() as connection:
        connection.execute("DELETE FROM bundles")
    assert "waiting: no worker has claimed its bundle yet: its message waits" in run("explain", JOB, 1).stdout
    ledger.pause(JOB, "lunch", 1)
    assert "waits on the task queue; the job is paused: lunch\n" in run("explain", JOB, 1).stdout
    ledger.cancel(JOB, 1)
    assert "waiting: its job was cancelled, so it will not start\n" in run("explain", JOB, 1).stdout


def test_by_id_and_with_its_line(tmp_path: Path) -> None:
    """A task is found by its author's id too, and its line is shown; lines that are no tasks are told to be none."""
    file = tmp_path / "tasks.txt"
    file.write_text('# comment\n{"task": "sleep", "args": [0], "id": "fine"}\n\nsleep 0\n')
    run("run", "LOCAL", "-s", file)
    (job,) = [json.loads(line)["job"] for line in run("jobs", "--json").stdout.splitlines()]
    one = told("explain", job, "fine")
    assert (one["task"], one["id"], one["line"]) == (2, "fine", '{"task": "sleep", "args": [0], "id": "fine"}')
    assert "has the id 'other'. Name it by the number of its line" in run("explain", job, "other").stderr
    answers = [run("explain", job, number) for number in (1, 3, 5)]
    assert [answer.exit_code for answer in answers] == [1, 1, 1]
    assert "Line 1 is blank or a comment: '# comment'. It is no task." in answers[0].stderr
    assert "has 4 lines, and no line 5." in answers[2].stderr


def test_ids_that_look_like_line_numbers_and_equal_ids_are_told_apart(tmp_path: Path) -> None:
    """A number is a line's where there is such a line; every task can be reached, and what could be meant is said."""
    file = tmp_path / "tasks.txt"
    ids = ("3", "x", "1", "x", "2024")
    file.write_text("".join(f'{{"task": "sleep", "args": [{n}], "id": "{id_}"}}\n' for n, id_ in enumerate(ids)))
    run("run", "LOCAL", file)
    answers = {words: run("explain", *words) for words in (("3",), ("--id", "3"), ("--id", "x"), ("2024",), ("2",))}
    shown = {words: int(answer.stdout.splitlines()[0].split()[1]) for words, answer in answers.items()}
    assert shown == {("3",): 3, ("--id", "3"): 1, ("--id", "x"): 2, ("2024",): 5, ("2",): 2}
    assert answers["3",].stderr == "Line 3 is shown. The id 3 has line 1: explain --id 3\n"
    assert answers["--id", "x"].stderr == "Line 2 is shown. The same id has line 4: name it by its number.\n"
    assert {answers[words].stderr for words in (("--id", "3"), ("2024",), ("2",))} == {""}
    assert "has 5 lines, and no line 7." in run("explain", 7).stderr


@pytest.mark.parametrize(
    "arguments", [(JOB,), (JOB, "1", "--id", "a"), ("--task", "1", "--id", "a"), (JOB, "1", "--task", "1"), (JOB, "0")]
)
def test_exactly_one_task_is_explained(ledger: SqliteLedger, arguments: tuple[str, ...]) -> None:
    """Exactly one task is explained."""
    write_job(ledger)
    assert run("explain", *arguments).exit_code == 2


def test_status_of_a_killed_run_says_how_to_go_on(ledger: SqliteLedger, ledger_file: Path) -> None:
    """A LOCAL run whose process was killed is stopped, and its command goes on with what it was begun with."""
    write_job(ledger, done=False)
    remember(ledger_file, JOB, RunOptions(4, modules=["my_tasks"], allowed=["shell"]))
    answer = run("status")
    assert answer.exit_code == 0
    command = "cloudkon-cli run LOCAL /home/me/sleeps.txt -t 4 --tasks my_tasks --allow shell --resume"
    assert answer.stdout.splitlines() == [
        f"{JOB} stopped: 0/3 succeeded",
        f"Its process has ended, and 3 tasks are left. Go on with: {command}",
    ]
    one = told("status", JOB)
    assert [finding["holdup"] for finding in one["findings"]] == ["stopped"]
    assert (one["approximate_depths"], one["workers"], one["state"], one["stopped"]) == (None, [], "running", True)


@pytest.fixture
def running(ledger: SqliteLedger, ledger_file: Path) -> Iterator[None]:
    write_job(ledger, done=False)
    with RunLock(ledger_file, JOB):
        yield


def test_status_of_an_idle_job_says_what_to_do(running: None) -> None:
    """A job that nobody works on is told to be so, with what to do."""
    assert run("status").stdout.splitlines()[:2] == [
        f"{JOB} running: 0/3 succeeded, 3 running",
        "No worker was heard of in the last 60 s. Start one: cloudkon-cli run LOCAL -s FILE --resume",
    ]
    assert [finding["holdup"] for finding in told("status", JOB)["findings"]] == ["no-workers", "abandoned"]


def test_status_of_throttled_workers(ledger: SqliteLedger, running: None) -> None:
    """What workers say of throttling in the last minute is a finding, and their counts are kept apart."""
    now_ms, counts = SystemClock().now_ms(), {"dynamodb.UpdateItem": 25}
    ledger.announce(worker_status("host-1", seen_ms=now_ms, throttled=counts))
    ledger.announce(worker_status("host-2", seen_ms=now_ms))
    assert (
        "AWS has throttled 25 requests of 1 worker in the last minute: DynamoDB UpdateItem 25." in run("status").stdout
    )
    one = told("status", JOB)
    assert [finding["holdup"] for finding in one["findings"]] == ["throttled", "abandoned"]
    assert one["workers"] == [
        {"worker": "host-1", "state": "working", "throttled": counts},
        {"worker": "host-2", "state": "working", "throttled": {}},
    ]


def test_status_of_a_complete_job(ledger: SqliteLedger) -> None:
    """A job that is complete waits for nothing; where a task failed, the command that says why is named."""
    write_job(ledger)
    assert run("status").stdout.splitlines()[1:] == [
        f"Every task has its result. See why some failed: cloudkon-cli failed {JOB}"
    ]
    write_job(ledger, "local-well-abc", results=[TaskResult(TaskState.SUCCEEDED, EVENT_MS, 5, 1, recorded_ms=EVENT_MS)])
    assert run("status", "local-well-abc").stdout.splitlines()[1:] == ["Every task has succeeded."]


def test_status_shows_what_became_of_the_tasks_that_were_run_again(ledger: SqliteLedger) -> None:
    """The first job names the job that repeats its tasks, and how far that is; the second names the first."""
    write_job(ledger)
    first = ledger.recent(1)[0]
    source = replace(first.source, key=f"/home/me/ledger.results/retries/{JOB}/sleeps-1.txt")
    ledger.open(replace(first, id="local-again-abc", source=source))
    assert run("status", JOB).stdout.splitlines()[-1] == (
        "Some of its tasks were run again as local-again-abc: 0/3 succeeded"
    )
    assert [each["job"] for each in told("status", JOB)["repeated_by"]] == ["local-again-abc"]
    assert told("status", "local-again-abc")["repeats"] == JOB


@pytest.mark.parametrize("command", [("status",), ("explain", "1")])
def test_an_unknown_job_is_answered_with_near_names(ledger: SqliteLedger, command: tuple[str, ...]) -> None:
    """An unknown job is told with what may have been meant."""
    write_job(ledger)
    name, *others = command
    answer = run(name, "local-sleeps-abd", *others)
    assert (answer.exit_code, f"Did you mean {JOB}?" in answer.stderr) == (1, True)
