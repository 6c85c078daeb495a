"""failed, export-failed, retry, cancel, pause and resume, over LOCAL runs."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.ledger.job import Job
from cloudkon.local.ledger import SqliteLedger
from dispatcher import ranges
from tests.support.worlds.local_jobs import write_job

WORKLOAD = """#cloudkon: bundle=2 retries=0
# a comment
sleep 0
sleep soon
{"task": "sleep", "args": [0], "id": "fine"}

sleep "later 17"
sleep "later 18"
nobody knows
sleep "1
sleep 0
"""


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    for name in ("CLOUDKON_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def lines(answer: Result) -> list[Any]:
    return [json.loads(line) for line in answer.stdout.splitlines()]


def ledger_of(tmp_path: Path) -> SqliteLedger:
    return SqliteLedger(tmp_path / "data" / "ledger.sqlite3", guard_ms=0)


def latest(tmp_path: Path) -> Job:
    ledger = ledger_of(tmp_path)
    job = ledger.recent(1)[0]
    ledger.close()
    return job


@pytest.fixture
def workload(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.txt"
    path.write_text(WORKLOAD, encoding="utf-8")
    return path


@pytest.fixture
def ran(workload: Path) -> Path:
    assert run("run", "LOCAL", "-s", workload, "-t", 2).exit_code == 1
    return workload


def test_reasons_are_a_line_each_most_frequent_first(ran: Path) -> None:
    """Reasons are a line each, the most frequent first, with the first lines that they are of."""
    answer = run("failed")
    assert answer.exit_code == 0
    header, *rows = answer.stdout.splitlines()
    assert header.split() == ["tasks", "state", "reason", "lines"]
    assert [row.split()[:2] for row in rows] == [["2", "failed"], ["1", "failed"], ["1", "rejected"], ["1", "rejected"]]
    assert "not 'later <n>'" in rows[0]
    assert rows[0].endswith("  7, 8")
    assert [one["lines"] for one in lines(run("failed", "--json"))] == [[7, 8], [4], [9], [10]]


def test_a_job_without_failures_says_so(tmp_path: Path) -> None:
    """A job without failures says so."""
    ledger = ledger_of(tmp_path)
    write_job(ledger, results=[])
    answer = run("failed")
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert answer.stderr == "No task of local-sleeps-abc has failed or was rejected.\n"
    assert "nothing was printed" in run("export-failed").stderr
    ledger.close()


def test_failed_lines_are_exported_as_they_stood(ran: Path) -> None:
    """What failed is exported as it stood in the workload, under the options that the workload had."""
    answer = run("export-failed")
    assert answer.stdout.splitlines() == [
        "#cloudkon: bundle=2 retries=0",
        "sleep soon",
        'sleep "later 17"',
        'sleep "later 18"',
    ]


def test_rejected_lines_are_exported_on_demand(ran: Path) -> None:
    """Rejected lines are exported on demand, for a person to correct."""
    assert run("export-failed", "--rejected").stdout.splitlines()[4:] == ["nobody knows", 'sleep "1']


def test_export_a_reason(ran: Path) -> None:
    """Only what failed for a reason, as failed names it or as the task said it."""
    assert [one["task"] for one in lines(run("export-failed", "--reason", "LATER <n>", "--json"))] == [7, 8]
    assert lines(run("export-failed", "--reason", "later 18", "--json")) == [{"task": 8, "line": 'sleep "later 18"'}]


def test_export_of_ranges(tmp_path: Path, workload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over any number of ranges the same lines are found, and ranges without one of them are not read."""
    size = 700
    body = "".join(
        "sleep soon\n" if n in (3, 400, 401, 999) else f"sleep 0 {'#' if n == 999 else ''}\n" for n in range(1_000)
    )
    workload.write_text("#cloudkon: retries=0\n" + body, encoding="utf-8")
    for module in ("cloudkon.workload.planning", "dispatcher.ranges"):
        monkeypatch.setattr(f"{module}.RANGE_BYTES", size)
    run("run", "LOCAL", "-s", workload, "-t", 2)
    read: list[int] = []
    range_lines = ranges.range_lines
    monkeypatch.setattr("cloudkon.client.lines_again.range_lines", lambda *a: read.append(a[2]) or range_lines(*a))  # type: ignore[func-returns-value]
    assert latest(tmp_path).ranges > 10
    assert [one["task"] for one in lines(run("export-failed", "--json"))] == [5, 402, 403, 1_001]
    assert len(set(read)) <= 4


def test_export_of_gzip(tmp_path: Path) -> None:
    """A compressed workload is read like any other."""
    path = tmp_path / "tasks.txt.gz"
    path.write_bytes(gzip.compress(WORKLOAD.encode()))
    run("run", "LOCAL", "-s", path, "-t", 2)
    assert run("export-failed").stdout.splitlines()[1:] == ["sleep soon", 'sleep "later 17"', 'sleep "later 18"']


@pytest.mark.parametrize("change", ["rewritten", "gone"])
def test_export_of_what_has_changed(ran: Path, change: str) -> None:
    """A file that is another now, or is gone, is not exported from; it is said which."""
    if change == "gone":
        ran.unlink()
    else:
        ran.write_text(WORKLOAD.replace("sleep soon", "sleep SOON"), encoding="utf-8")
    answer = run("export-failed")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert ("does not exist" if change == "gone" else f"{ran} has changed since local-tasks-") in answer.stderr


def test_retry_runs_what_failed_as_a_job_of_its_own(tmp_path: Path, ran: Path) -> None:
    """What failed and what had no handler is run again at once, as a job of its own, which can be retried again."""
    first = latest(tmp_path)
    answer = run("retry", first.id, "-t", 2)
    assert answer.exit_code == 1
    second = latest(tmp_path)
    assert second.id != first.id
    assert f"retries/{first.id}/tasks-1.txt" in second.source.key
    assert answer.stdout.startswith("✗ 0 of 4 tasks in ")
    assert answer.stdout.endswith(": 0 succeeded, 3 failed, 1 rejected\n")
    run("retry", second.id, "--only-failed", "--reason", "later")
    assert "2: 0 succeeded, 2 failed, 0 rejected" in run("stats").stdout


def test_retry_of_nothing(tmp_path: Path, ran: Path) -> None:
    """Nothing to run again is told, and no job is begun."""
    first = latest(tmp_path)
    answer = run("retry", first.id, "--reason", "no such thing")
    assert (answer.exit_code, latest(tmp_path)) == (1, first)
    assert "nothing was begun" in answer.stderr
    assert not list(tmp_path.rglob("retries/*/*"))


def test_retry_of_a_cancelled_job(tmp_path: Path, workload: Path) -> None:
    """Of a cancelled job, what never ran is run too, and blank lines and comments are not."""
    ledger = ledger_of(tmp_path)
    workload.write_text("sleep 0\n\nsleep 1\n# no\nsleep 2\n", encoding="utf-8")
    run("run", "LOCAL", "-s", workload)
    job = ledger.recent(1)[0]
    with ledger._file.writing() as connection:
        connection.execute("DELETE FROM bundles")
    assert run("retry", job.id).exit_code == 1, "a job that runs is not run twice"
    ledger.cancel(job.id, 1)
    ledger.close()
    assert run("retry", job.id, "--only-failed").exit_code == 1
    answer = run("retry", job.id)
    assert answer.exit_code == 0
    *tasks, note = Path(latest(tmp_path).source.key).read_text().splitlines()
    assert tasks == ["sleep 0", "sleep 1", "sleep 2"]
    assert note == f"# From line 1 on, these are the lines 1+1,3+1,5+1 of {job.id}."


def test_pause_and_resume(tmp_path: Path) -> None:
    """A paused job says why wherever it is looked at, until it is resumed."""
    ledger = ledger_of(tmp_path)
    write_job(ledger, done=False)
    answer = run("pause", "local-sleeps-abc", "--reason", "lunch")
    assert answer.stderr == (
        "local-sleeps-abc is paused (lunch). Let it go on: cloudkon-cli run LOCAL -s /home/me/sleeps.txt --resume\n"
    )
    assert "state       running, paused: lunch\n" in run("stats").stdout
    (told,) = lines(run("pause", "local-sleeps-abc", "--json"))
    assert (told["job"], told["paused"]) == ("local-sleeps-abc", "lunch"), "the first reason stands"
    assert run("resume", "local-sleeps-abc").exit_code == 0
    assert "is not paused.\n" in run("resume", "local-sleeps-abc").stderr
    assert lines(run("stats", "--json"))[0]["paused"] is None
    ledger.close()


def test_a_cancelled_job_stays_cancelled(tmp_path: Path) -> None:
    """A cancelled job is so for good."""
    ledger = ledger_of(tmp_path)
    write_job(ledger, done=False)
    assert lines(run("cancel", "local-sleeps-abc", "--json"))[0]["cancelled_ms"]
    assert "state       cancelled\n" in run("stats").stdout
    for verb in ("pause", "resume"):
        answer = run(verb, "local-sleeps-abc")
        assert (answer.exit_code, "was cancelled, for good" in answer.stderr) == (1, True)
    ledger.close()


@pytest.mark.parametrize("verb", ["cancel", "pause"])
def test_a_complete_job_is_neither_paused_nor_cancelled(tmp_path: Path, verb: str) -> None:
    """A job that is complete is neither paused nor cancelled."""
    ledger = ledger_of(tmp_path)
    write_job(ledger)
    answer = run(verb, "local-sleeps-abc")
    assert (answer.exit_code, answer.stderr) == (
        1,
        "Error: local-sleeps-abc is complete: nothing of it is left to run.\n",
    )
    assert run("stats", "--json").stdout.count('"state": "complete"') == 1
    ledger.close()


@pytest.mark.parametrize("command", ["failed", "export-failed", "retry", "cancel", "pause", "resume"])
def test_an_unknown_job_is_answered_with_near_names(tmp_path: Path, command: str) -> None:
    """An unknown job is told with what may have been meant."""
    ledger = ledger_of(tmp_path)
    write_job(ledger)
    ledger.close()
    answer = run(command, "local-sleeps-abd")
    assert (answer.exit_code, "Did you mean local-sleeps-abc?" in answer.stderr) == (1, True)


def test_retry_remembers_the_modules_of_the_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest job is run again with the modules and permissions of its first run, from whatever folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "remembering.py").write_text(
        'from cloudkon import task\n@task("twice")\ndef twice():\n    raise ValueError("not yet")\n', encoding="utf-8"
    )
    file = tmp_path / "some.txt"
    file.write_text("twice\nshell false\n", encoding="utf-8")
    run("run", "LOCAL", file, "-t", 1, "--tasks", "remembering", "--allow", "shell")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    answer = run("retry")
    assert answer.stdout.startswith("✗ 0 of 2 tasks in ")
    assert answer.stdout.endswith(": 0 succeeded, 2 failed\n")
