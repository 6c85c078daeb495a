"""The list of jobs, over a ledger file."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.run_lock import RunLock
from tests.support.command_line import lines, run
from tests.support.data.recorded import job
from tests.support.worlds.local_jobs import EVENT_MS, mixed_results, write_job

pytestmark = pytest.mark.usefixtures("this_machine")


def test_jobs_are_a_line_each_below_a_header(ledger: SqliteLedger) -> None:
    """Jobs are a line each, with a header for people."""
    write_job(ledger)
    header, line = run("jobs").stdout.splitlines()
    assert header.split() == ["job", "state", "done", "failed", "took", "age", "source"]
    assert line.startswith("local-sleeps-abc  complete     3       1  900 ms  ")
    assert line.endswith("  /home/me/sleeps.txt")


def test_a_job_as_json_has_these_keys(ledger: SqliteLedger) -> None:
    """A job as JSON has these keys."""
    write_job(ledger)
    (one,) = lines(run("jobs", "--json"))
    assert one == {
        "job": "local-sleeps-abc",
        "source": {"bucket": "LOCAL", "key": "/home/me/sleeps.txt", "version": "v1"},
        "event_ms": EVENT_MS,
        "opened_ms": EVENT_MS + 5,
        "cancelled_ms": None,
        "paused_ms": None,
        "paused": None,
        "size_bytes": 2_345,
        "tasks_estimate": 3,
        "bundle_size": 64,
        "ranges": 1,
        "repeats": None,
        "state": "complete",
        "tasks": {"total": 3, "succeeded": 2, "failed": 1, "rejected": 0, "running": 0, "pending": 0},
        "makespan_s": 0.9,
    }


def test_jobs_fit_80_columns_a_line_each(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal of 80 columns each job is one line, of 120 with its source."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    write_job(ledger, f"local-{'x' * 24}-abcdefghijkl", done=False)
    for width, last in ((80, "age"), (120, "source")):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = run("jobs").stdout.splitlines()
        assert (len(shown), max(map(len, shown)) <= width, shown[0].split()[-1]) == (3, True, last)


def test_a_program_reads_the_whole_source(ledger: SqliteLedger) -> None:
    """In a pipe a long path is whole, on a terminal its end is shown."""
    first = replace(job(), id="local-long-abc", source=replace(job().source, bucket="LOCAL", key=f"/{'x' * 99}/t.txt"))
    ledger.open(first)
    assert run("jobs").stdout.splitlines()[1].endswith(f"  /{'x' * 99}/t.txt")


def test_a_local_job_whose_process_has_ended_is_stopped(ledger: SqliteLedger, ledger_file: Path) -> None:
    """A LOCAL job is running as long as its process holds the lock, and stopped from then on."""
    write_job(ledger, done=False)
    with RunLock(ledger_file, "local-sleeps-abc"):
        assert lines(run("jobs", "--json"))[0]["state"] == "running"
    assert lines(run("jobs", "--json"))[0]["state"] == "stopped"


def test_a_stopped_job_takes_no_longer_while_it_rests(ledger: SqliteLedger, ledger_file: Path) -> None:
    """What a stopped job took ends with its last record, in the list, in its statistics and on its page."""
    write_job(ledger, done=False)
    with RunLock(ledger_file, "local-sleeps-abc"):
        so_far_s = lines(run("jobs", "--json"))[0]["makespan_s"]
    took_s = lines(run("jobs", "--json"))[0]["makespan_s"]
    assert took_s < 60 < so_far_s
    assert json.loads(run("stats", "--json").stdout)["makespan_s"] == took_s
    assert "local-sleeps-abc has stopped." in run("stats").stderr
    assert json.loads(run("report", "--json").stdout)["stats"]["makespan_s"] == took_s


def test_many_tasks_are_not_counted(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list does not wait for large jobs: it shows what is known of them, and says so."""
    monkeypatch.setattr("cli.jobs.job_list._MOST_TASKS", 2)
    write_job(ledger)
    answer = run("jobs")
    assert "about 3" in answer.stdout
    assert "cloudkon-cli stats JOB" in answer.stderr


def test_several_jobs_are_compared_side_by_side(ledger: SqliteLedger) -> None:
    """Two jobs stand beside each other, a row a number; as CSV each is a row, as JSON an object a line."""
    write_job(ledger, "local-one-abc")
    write_job(ledger, "local-two-abc", results=[mixed_results()[0]], opened=9)
    shown = [" ".join(line.split()) for line in run("stats", "local-one-abc", "local-two-abc").stdout.splitlines()]
    assert shown[:3] == ["local-one-abc local-two-abc", "state complete complete", "succeeded 2 1"]
    assert "run p50 12.3 ms 12.3 ms" in shown
    rows = list(csv.DictReader(io.StringIO(run("stats", "local-one-abc", "local-two-abc", "--csv").stdout)))
    assert [(row["job"], row["tasks_succeeded"], row["run_p50_ms"]) for row in rows] == [
        ("local-one-abc", "2", "12.3"),
        ("local-two-abc", "1", "12.3"),
    ]
    assert [one["job"] for one in lines(run("stats", "local-one-abc", "local-two-abc", "--json"))] == [
        "local-one-abc",
        "local-two-abc",
    ]
