"""The commands that read jobs, over a ledger file."""

from dataclasses import replace
from pathlib import Path

import pytest

from cli.system.paths import source_text
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.local.ledger import SqliteLedger
from tests.support.command_line import lines, run
from tests.support.data.recorded import job
from tests.support.worlds.local_jobs import EVENT_MS, mixed_results, write_job, write_rejects

pytestmark = pytest.mark.usefixtures("this_machine")


def test_stats_in_a_pipe_are_aligned_text(ledger: SqliteLedger) -> None:
    """Stats of the latest job are shown as aligned text in a pipe."""
    write_job(ledger)
    answer = run("stats")
    assert answer.exit_code == 0
    assert "job         local-sleeps-abc\nstate       complete\n" in answer.stdout
    assert "tasks       3: 2 succeeded, 1 failed, 0 rejected\n" in answer.stdout
    assert "run         12.3 ms  12.3 ms  12.3 ms  12.3 ms\n" in answer.stdout
    assert "\x1b" not in answer.stdout
    assert not answer.stderr


def test_stats_show_the_rate_over_time_and_the_longest_tasks(ledger: SqliteLedger) -> None:
    """A line of bars shows results a second; a task that took many times the median is named by its line."""
    quick = TaskResult(TaskState.SUCCEEDED, EVENT_MS + 400, 10_000, 1, recorded_ms=EVENT_MS + 500)
    slow = replace(quick, duration_us=4_000_000, recorded_ms=EVENT_MS + 4_600)
    write_job(ledger, results=[quick, quick, slow, quick])
    said = run("stats").stdout
    [bars] = [line for line in said.splitlines() if line.startswith("over time")]
    assert bars.count("█") == 1
    assert bars.rstrip().split("at most")[0].rstrip().endswith("▃")
    assert "line 3         4.00 s             400.0  w1\n" in said
    assert "longest tasks" not in run("stats", write_job(ledger, "local-even", opened=9).id).stdout


def test_stats_of_handlers(ledger: SqliteLedger) -> None:
    """Where the runs' time went is a table of its own, if the handlers tell."""
    write_job(ledger)
    assert "phase of the run" not in run("stats").stdout
    told = [replace(one, phases_ms={"encode": 2.4, "fetch": 6.0}) for one in mixed_results() if one]
    write_job(ledger, "local-told", results=told, opened=9)
    said = run("stats").stdout
    assert "phase of the run      p50      p90      p99      max    total  of all runs\n" in said
    assert "fetch             6.00 ms  6.00 ms  6.00 ms  6.00 ms  18.0 ms        48.8%\n" in said
    assert "other                   -        -        -        -  11.7 ms        31.7%\n" in said
    assert lines(run("stats", "--json"))[0]["handler_stages"]["encode"]["total_ms"] == 7.2


def test_stats_as_json_have_every_key(ledger: SqliteLedger) -> None:
    """Stats as JSON have every key that others build on."""
    write_job(ledger)
    (stats,) = lines(run("stats", "local-sleeps-abc", "--json"))
    assert stats["job"] == "local-sleeps-abc"
    assert stats["tasks"] == {"total": 3, "succeeded": 2, "failed": 1, "rejected": 0, "running": 0, "pending": 0}
    assert stats["workers"] == [{"id": "w1", "slots": 4, "tasks": 3, "busy_s": 0.037, "waited_s": 0.0}]
    assert stats["api_calls"] == {"sqs.ReceiveMessage": 3}
    assert (stats["executions"], stats["makespan_s"]) == (5, 0.9)


def test_without_a_name_the_newest_job_is_meant(ledger: SqliteLedger) -> None:
    """Without a name the newest job is meant, by when it was opened."""
    write_job(ledger, "local-new", opened=9)
    write_job(ledger, "local-old", opened=8)
    assert lines(run("stats", "--json"))[0]["job"] == "local-new"
    assert [job["job"] for job in lines(run("jobs", "--json"))] == ["local-new", "local-old"]
    assert [job["job"] for job in lines(run("jobs", "--json", "--limit", "1"))] == ["local-new"]


def test_a_named_ledger_is_the_only_one_that_is_read(ledger: SqliteLedger, tmp_path: Path) -> None:
    """A ledger that is named is the only one that is read, and holds jobs of any name."""
    other = SqliteLedger(tmp_path / "other.sqlite3", guard_ms=2_000)
    write_job(other, "sleeps-from-elsewhere")
    other.close()
    write_job(ledger, "local-here", opened=99)
    assert lines(run("stats", "--ledger", str(tmp_path / "other.sqlite3"), "--json"))[0]["job"] == (
        "sleeps-from-elsewhere"
    )
    named = run("stats", "sleeps-from-elsewhere", "--ledger", str(tmp_path / "other.sqlite3"))
    assert named.exit_code == 0


@pytest.mark.parametrize("command", ["stats", "results", "watch"])
def test_an_unknown_job_is_one_line_with_near_names(ledger: SqliteLedger, command: str) -> None:
    """An unknown job is told in one line, with what may have been meant, and exits with 1."""
    write_job(ledger)
    answer = run(command, "local-sleeps-abd")
    assert answer.exit_code == 1
    assert answer.stderr == (
        "Error: There is no job 'local-sleeps-abd'. Did you mean local-sleeps-abc? "
        "See the jobs there are: cloudkon-cli jobs\n"
    )


@pytest.mark.parametrize("command", ["stats", "results", "watch"])
def test_before_the_first_job_one_line_says_how_to_begin(command: str) -> None:
    """Before the first job there is one line that says how to begin, and no ledger is made by looking for it."""
    answer = run(command)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: There is no job yet. Run a workload here: cloudkon-cli run LOCAL -s FILE.")
    assert answer.stderr.count("\n") == 1
    assert not (Path.home() / "data").exists()


def test_no_jobs_listed() -> None:
    """A list of no jobs is no failure."""
    answer = run("jobs")
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert "There is no job yet" in answer.stderr


def test_a_named_ledger_that_is_missing_is_wrong_usage(tmp_path: Path) -> None:
    """A ledger that is named and is not there is wrong usage."""
    answer = run("stats", "--ledger", str(tmp_path / "none.sqlite3"))
    assert answer.exit_code == 2
    assert "none.sqlite3' does not exist" in answer.stderr


def test_ledger_or_stage(ledger: SqliteLedger, ledger_file: Path) -> None:
    """A file and a stage are not read together."""
    write_job(ledger)
    answer = run("stats", "--ledger", str(ledger_file), "--stage", "dev")
    assert answer.exit_code == 2
    assert "give one of them" in answer.stderr


def test_results_are_a_line_a_task_in_order(ledger: SqliteLedger, ledger_file: Path) -> None:
    """Results are a line a task in the order of the workload; what tasks said does nothing to the terminal."""
    write_rejects(ledger_file, write_job(ledger, rejected=1), [4])
    answer = run("results")
    assert answer.exit_code == 0
    assert answer.stdout.splitlines() == [
        '        1  succeeded      12.3 ms  {"n": 1}',
        "        2  failed         12.3 ms  ValueError: boom \ufffd[31mred",
        "        3  succeeded      12.3 ms",
        "        4  rejected             -  no closing quotation: sleep 'line 4",
    ]


def test_results_as_json_are_objects_of_one_shape(ledger: SqliteLedger, ledger_file: Path) -> None:
    """Results as JSON are an object a line, of one shape."""
    write_rejects(ledger_file, write_job(ledger, rejected=1), [4])
    ran = {"start_ms": EVENT_MS + 400, "attempt": 1, "worker": "w1"}
    assert lines(run("results", "local-sleeps-abc", "--json")) == [
        {"task": 1, "state": "succeeded", "duration_ms": 12.3, "runs": 1, "value": {"n": 1}, **ran},
        {"task": 2, "state": "failed", "duration_ms": 12.3, "runs": 3, "error": "ValueError: boom\n\x1b[31mred", **ran},
        {"task": 3, "state": "succeeded", "duration_ms": 12.3, "runs": 1, **ran},
        {
            "task": 4,
            "state": "rejected",
            "duration_ms": 0.0,
            "runs": 0,
            "error": "no closing quotation",
            "text": "sleep 'line 4",
        },
    ]


@pytest.mark.parametrize(("state", "numbers"), [("succeeded", [1, 3]), ("failed", [2]), ("rejected", [4])])
def test_results_of_a_state(ledger: SqliteLedger, ledger_file: Path, state: str, numbers: list[int]) -> None:
    """Only the tasks that ended in a state can be asked for."""
    write_rejects(ledger_file, write_job(ledger, rejected=1), [4])
    assert [one["task"] for one in lines(run("results", "--state", state, "--json"))] == numbers


def test_watch_of_a_failed_job_exits_with_1_and_says_where_to_look(ledger: SqliteLedger) -> None:
    """Watching ends with the job; it exits with 1 if a task failed, and says where to look."""
    write_job(ledger)
    answer = run("watch")
    assert answer.exit_code == 1
    assert not answer.stdout
    assert answer.stderr.splitlines() == [
        "✓ local-sleeps-abc: 2 of 3 tasks in 900 ms: 2 succeeded, 1 failed",
        "  tasks  state   reason                     lines",
        "      1  failed  ValueError: boom \ufffd[31mred  2",
        "Look at one: cloudkon-cli explain local-sleeps-abc 2",
        "Run them again: cloudkon-cli retry local-sleeps-abc",
    ]


def test_watch_of_a_job_that_succeeded_exits_with_0(ledger: SqliteLedger) -> None:
    """It exits with 0 if every task succeeded."""
    write_job(ledger, results=[TaskResult(TaskState.SUCCEEDED, EVENT_MS, 5, 1, recorded_ms=EVENT_MS + 9)])
    answer = run("watch", "local-sleeps-abc")
    assert answer.exit_code == 0
    assert answer.stderr.splitlines() == [
        "✓ local-sleeps-abc: 1 task in 9.00 ms",
        "See the results: cloudkon-cli results local-sleeps-abc",
    ]


def test_watch_of_a_job_without_tasks_exits_with_0(ledger: SqliteLedger) -> None:
    """A job of no tasks has ended well."""
    write_job(ledger, results=[])
    answer = run("watch")
    assert answer.exit_code == 0
    assert answer.stderr == "✓ local-sleeps-abc: 0 tasks in 100 ms\n"


def test_watch_of_a_job_with_a_rejected_line_exits_with_1(ledger: SqliteLedger) -> None:
    """It exits with 1 if a line was rejected."""
    write_job(ledger, results=[mixed_results()[0]], rejected=1)
    answer = run("watch")
    assert answer.exit_code == 1
    assert "Print their lines: cloudkon-cli export-failed local-sleeps-abc --rejected" in answer.stderr


def test_watch_as_json_ends_with_the_final_statistics(ledger: SqliteLedger) -> None:
    """As JSON the last line is the final statistics."""
    write_job(ledger)
    answer = run("watch", "--json")
    assert lines(answer)[-1]["state"] == "complete"
    assert (answer.exit_code, answer.stderr) == (1, "")


def test_ctrl_c_says_that_the_job_goes_on(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C says that the job goes on and how to watch it again."""
    write_job(ledger, done=False)

    def interrupt(_clock: object, _seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cloudkon.clock.SystemClock.sleep", interrupt)
    answer = run("watch")
    assert answer.exit_code == 130
    assert answer.stderr.splitlines() == [
        "local-sleeps-abc running: 0/3 succeeded, 3 running",
        "The job goes on. Watch it again: cloudkon-cli watch local-sleeps-abc",
    ]


def test_on_a_terminal_tables_are_drawn_and_markup_stays_text(
    ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal the tables are drawn, and text that looks like markup stays text."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    write_job(ledger, "local-[red]-abc")
    assert "━" in run("stats").stdout or "─" in run("stats").stdout
    assert "local-[red]-abc" in run("stats").stdout
    assert "2 of 3 tasks" in run("watch").stderr


def test_a_source_is_shown_as_a_path_or_an_address() -> None:
    """A workload's place is a file's path, or an object's address."""
    assert source_text(job()) == "s3://workloads/tasks-abc.txt"
    local = replace(job(), source=replace(job().source, bucket="LOCAL", key="/home/me/tasks.txt"))
    assert source_text(local) == "/home/me/tasks.txt"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_results_fit_their_terminal(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """A long error is cut where the terminal ends, and not broken within a word."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    results = [replace(each, error="word " * 60) if each and each.error else each for each in mixed_results()]
    write_job(ledger, results=results)
    shown = run("results").stdout.splitlines()
    assert max(map(len, shown)) in range(width - len(" word ..."), width + 1)
    assert shown[1].endswith(" ...")
