"""Which job `watch` follows when none is named."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.jobs.ledgers import Ledgers, Records
from cli.jobs.watch import _newest, running_jobs
from cli.jobs.watching import watch_all, watch_to_end
from cli.main import cloudkon_cli
from cli.terminal.output import Output
from cloudkon.errors import NotFoundError
from cloudkon.ledger.job import RangeReport
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from tests.support.data.rows import job
from tests.support.manual_clock import ManualClock
from tests.support.worlds.local_jobs import mixed_results, write_job


class Late(ManualClock):
    """Somebody else's dispatcher opens a job while we sleep."""

    def __init__(self, ledger: SqliteLedger, after: int) -> None:
        super().__init__()
        self.sleeps = 0
        self._ledger = ledger
        self._after = after

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.sleeps += 1
        if self.sleeps == self._after:
            self._ledger.open(job())


@pytest.fixture
def ledger() -> SqliteLedger:
    return SqliteLedger(None, guard_ms=0)


def ledgers(ledger: SqliteLedger, store: FolderStore, *, likely: bool) -> Ledgers:
    return Ledgers(None, lambda: Records(ledger, store), likely, lambda _: None)


def test_the_first_job_of_a_stage_is_waited_for(ledger: SqliteLedger, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A workload that was dropped a moment ago is about to become a job."""
    store = FolderStore(tmp_path_factory.mktemp("results"))
    clock = Late(ledger, after=3)
    assert _newest(ledgers(ledger, store, likely=True), clock, 30.0).job.id == job().id
    assert clock.sleeps == 3


def test_it_is_not_waited_for_in_vain(ledger: SqliteLedger, tmp_path_factory: pytest.TempPathFactory) -> None:
    """After the wait there is no job, and the answer says so; without a cloud there is nothing to wait for."""
    store = FolderStore(tmp_path_factory.mktemp("results"))
    clock = Late(ledger, after=1_000)
    with pytest.raises(NotFoundError, match="no job yet"):
        _newest(ledgers(ledger, store, likely=True), clock, 30.0)
    assert clock.sleeps == 30
    with pytest.raises(NotFoundError, match="no job yet"):
        _newest(ledgers(ledger, store, likely=False), clock, 30.0)
    assert clock.sleeps == 30


def test_a_command_is_run_when_the_job_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What became of the job is in the command's environment; a command that fails makes watch fail."""
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3", guard_ms=0)
    opened = write_job(ledger)
    records = Records(ledger, FolderStore(tmp_path))
    monkeypatch.chdir(tmp_path)
    then = 'echo "$CLOUDKON_JOB $CLOUDKON_JOB_STATE $CLOUDKON_JOB_SUCCEEDED $CLOUDKON_JOB_FAILED" >> told.txt'
    assert not watch_to_end(records, opened.id, ManualClock(), 0.0, output=Output(), then=then)
    assert (tmp_path / "told.txt").read_text() == f"{opened.id} complete 2 1\n"
    good = write_job(ledger, "local-good", results=[mixed_results()[0]], opened=9)
    assert watch_to_end(records, good.id, ManualClock(), 0.0, output=Output(), then="true")
    assert not watch_to_end(records, good.id, ManualClock(), 0.0, output=Output(), then="exit 3")
    ledger.close()


def test_a_run_whose_process_has_ended_is_watched_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no success, the command of --then is not run, and what is said is how the run goes on."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "ledger.sqlite3"
    ledger = SqliteLedger(file, guard_ms=0)
    stopped = write_job(ledger, done=False)
    records = Records(ledger, FolderStore(tmp_path), file=file)
    assert not watch_to_end(records, stopped.id, ManualClock(), 0.0, output=Output(), then="touch told")
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"{stopped.id} has stopped: its process has ended. Go on with: cloudkon-cli run LOCAL ")
    assert not (tmp_path / "told").exists()
    ledger.close()


def test_ctrl_c_before_the_job_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who stops waiting for a job is not told that it goes on."""

    class Interrupted(ManualClock):
        def sleep(self, seconds: float) -> None:
            raise KeyboardInterrupt

    records = Records(SqliteLedger(None, guard_ms=0), FolderStore(tmp_path))
    with pytest.raises(SystemExit, match="130"):
        watch_to_end(records, "tasks-k3vq7xwz5a2m", Interrupted(), 30.0, output=Output())
    assert capsys.readouterr().err.splitlines()[-1] == (
        "The job has not been opened yet. Watch it again: cloudkon-cli watch tasks-k3vq7xwz5a2m"
    )


class Ending(ManualClock):
    """The jobs end while we sleep, one after the other."""

    def __init__(self, ledger: SqliteLedger, names: list[str]) -> None:
        super().__init__()
        self._ledger = ledger
        self._names = names

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self._names:
            self._ledger.cancel(self._names.pop(), self.now_ms())


def test_without_a_name_all_jobs_that_run_are_followed(
    ledger: SqliteLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every job that somebody runs is followed to its end; what has ended before is not."""
    names = ["tasks-one", "tasks-two", "tasks-ended"]
    for name in names:
        ledger.open(replace(job(), id=name))
    clock = Ending(ledger, ["tasks-two", "tasks-one"])
    ledger.cancel("tasks-ended", clock.now_ms())
    known = ledgers(ledger, FolderStore(tmp_path), likely=True)
    running = running_jobs(known, clock)
    assert sorted(found.job.id for found in running) == ["tasks-one", "tasks-two"]
    assert not watch_all(running, clock, "", output=Output())
    said = capsys.readouterr().err
    assert all(f"{name}: 0 of" in said for name in ("tasks-one", "tasks-two"))
    assert "tasks-ended" not in said


def test_the_only_job_that_runs_is_followed_though_another_is_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an id, a job that has ended is of less interest than one that goes on."""
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3", guard_ms=0)
    ledger.open(replace(job("older"), opened_ms=1_000))
    ledger.open(replace(job("newer"), opened_ms=2_000))
    ledger.record_range(RangeReport("newer", 0, 0, 0, 0, 0, 2_000, 2_000))
    followed = []

    def follow(_records: Records, name: str, *_others: object, **_more: object) -> bool:
        followed.append(name)
        return True

    monkeypatch.setattr("cli.jobs.watch.watch_to_end", follow)
    command = ["watch", "--ledger", str(tmp_path / "ledger.sqlite3")]
    assert CliRunner().invoke(cloudkon_cli, command, catch_exceptions=False).exit_code == 0
    ledger.cancel("older", 3_000)
    assert CliRunner().invoke(cloudkon_cli, command, catch_exceptions=False).exit_code == 0
    assert followed == ["older", "newer"]
    ledger.close()
