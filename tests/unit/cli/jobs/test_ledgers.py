"""Which ledger is read."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from cli.jobs.ledgers import Ledgers, Records, looks_configured
from cloudkon.errors import CloudKonError, DeniedError, NotFoundError
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from tests.support.data.rows import NOW_MS, worker_status
from tests.support.worlds.local_jobs import write_job


class Shelf:
    """Two ledgers, of this machine and of a stage, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.local = SqliteLedger(None, guard_ms=2_000)
        self.cloud = SqliteLedger(None, guard_ms=2_000)
        self.warnings: list[str] = []
        self._store = FolderStore(folder)

    def ledgers(self, *, likely: bool = True) -> Ledgers:
        return Ledgers(self.opened(self.local), self.opened(self.cloud), likely, self.warnings.append)

    def opened(self, ledger: SqliteLedger) -> Callable[[], Records]:
        return lambda: Records(ledger, self._store)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def refuse() -> Records:
    raise DeniedError("AWS refuses the credentials.")


def test_a_job_is_looked_for_where_its_name_says(shelf: Shelf) -> None:
    """Jobs that ran on this machine are known by their names; all others are in the stage."""
    write_job(shelf.local, "local-a")
    write_job(shelf.cloud, "b")
    ledgers = shelf.ledgers(likely=False)
    assert ledgers.find("local-a").records.ledger is shelf.local
    assert ledgers.find("b").records.ledger is shelf.cloud


def test_a_job_is_known_by_where_it_is_and_not_by_its_name(shelf: Shelf) -> None:
    """An object that is called local-nightly makes a job of the stage: it is found there, if it is not found here."""
    write_job(shelf.local, "local-nightly-aaaaaaaaaaaa")
    write_job(shelf.cloud, "local-nightly-bbbbbbbbbbbb")
    ledgers = shelf.ledgers()
    assert ledgers.find("local-nightly-aaaaaaaaaaaa").records.ledger is shelf.local
    assert ledgers.find("local-nightly-bbbbbbbbbbbb").records.ledger is shelf.cloud
    assert ledgers.of("local-not-opened-yet").ledger is shelf.cloud
    assert shelf.ledgers(likely=False).of("local-not-opened-yet").ledger is shelf.local
    assert replace(ledgers, local=None).find("local-nightly-bbbbbbbbbbbb").records.ledger is shelf.cloud


def test_a_local_name_is_not_asked_for_where_aws_is_down(shelf: Shelf) -> None:
    """A mistyped job of this machine is answered with the jobs of this machine, whatever AWS says."""

    class Down:
        def job(self, job: str) -> None:
            raise DeniedError("AWS refuses the credentials.")

    write_job(shelf.local, "local-sleeps-aaaaaaaaaaaa")
    store = FolderStore(Path("/nowhere"))
    ledgers = replace(shelf.ledgers(), cloud=lambda: Records(cast("Any", Down()), store))
    with pytest.raises(NotFoundError, match="Did you mean local-sleeps-aaaaaaaaaaaa"):
        ledgers.find("local-sleeps-aaaaaaaaaaab")
    assert shelf.warnings == ["Only this machine's ledger is considered: AWS refuses the credentials."]


def test_newest_of_both(shelf: Shelf) -> None:
    """Without a name the newest job of both is meant."""
    write_job(shelf.local, "local-a", opened=5)
    write_job(shelf.cloud, "b", opened=6)
    write_job(shelf.cloud, "c", opened=4)
    assert shelf.ledgers().find(None).job.id == "b"
    assert [found.job.id for found in shelf.ledgers().recent(2)] == ["b", "local-a"]


def test_workers_of_both(shelf: Shelf) -> None:
    """Workers are those of both, by their names, as far as they were seen since then."""
    shelf.local.announce(worker_status("b"))
    shelf.cloud.announce(worker_status("a"))
    shelf.cloud.announce(worker_status("old", seen_ms=NOW_MS - 1))
    assert [status.worker for status in shelf.ledgers().workers(NOW_MS)] == ["a", "b"]


def test_aws_that_is_not_set_up_is_not_asked(shelf: Shelf) -> None:
    """Where nobody has set AWS up, it is not asked for the newest job."""
    write_job(shelf.local, "local-a", opened=5)
    ledgers = replace(shelf.ledgers(likely=False), cloud=refuse)
    assert ledgers.find(None).job.id == "local-a"
    assert not shelf.warnings


def test_a_local_job_is_shown_with_a_warning_when_aws_is_down(shelf: Shelf) -> None:
    """When AWS does not answer, a job of this machine is better than none, and a warning says so."""
    write_job(shelf.local, "local-a")
    ledgers = replace(shelf.ledgers(), cloud=refuse)
    assert ledgers.find(None).job.id == "local-a"
    assert shelf.warnings == ["Only this machine's ledger is considered: AWS refuses the credentials."]


@pytest.mark.parametrize("job", [None, "b"])
def test_cloud_down_and_nothing_here(shelf: Shelf, job: str | None) -> None:
    """When AWS does not answer and nothing else can, its error is the answer."""
    ledgers = replace(shelf.ledgers(), cloud=refuse)
    with pytest.raises(DeniedError):
        ledgers.find(job)


def test_our_own_mistakes_are_not_hidden(shelf: Shelf) -> None:
    """Only errors that are raised on purpose become a warning."""

    def broken() -> Records:
        raise ZeroDivisionError

    write_job(shelf.local, "local-a")
    with pytest.raises(ZeroDivisionError):
        replace(shelf.ledgers(), cloud=broken).find(None)


def test_no_file_yet(shelf: Shelf) -> None:
    """A job of this machine can't be found before there is a ledger."""
    with pytest.raises(NotFoundError, match=r"There is no job 'local-a'.*run LOCAL"):
        replace(shelf.ledgers(), local=None).find("local-a")


def test_a_local_name_is_unknown_where_there_is_no_ledger_and_no_aws() -> None:
    """Before the first run, where nobody has set AWS up, a job of this machine is unknown and AWS is not asked."""
    ledgers = Ledgers(None, refuse, cloud_is_likely=False, warn=print)
    with pytest.raises(NotFoundError, match="There is no job 'local-a'"):
        ledgers.find("local-a")


def test_an_unknown_job_is_answered_with_near_names(shelf: Shelf) -> None:
    """An unknown job is answered with the names that are near."""
    write_job(shelf.cloud, "sleeps-abcdefghijkl")
    with pytest.raises(CloudKonError, match="Did you mean sleeps-abcdefghijkl"):
        shelf.ledgers().find("sleeps-abcdefghijk1")
    with pytest.raises(CloudKonError) as raised:
        shelf.ledgers().find("zzz")
    assert "mean" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["CLOUDKON_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN"]
)
def test_configured_by_a_variable(name: str, tmp_path: Path) -> None:
    """Any of these variables says that somebody has set AWS up, unless it is empty."""
    assert looks_configured({name: "x"}, tmp_path)
    assert not looks_configured({name: ""}, tmp_path)


def test_configured_by_a_folder(tmp_path: Path) -> None:
    """So does the folder of the AWS CLI."""
    (tmp_path / ".aws").mkdir()
    assert looks_configured({}, tmp_path)


def test_a_job_that_is_not_here_is_told_before_what_aws_lacks() -> None:
    """Where nobody has set AWS up, an unknown id is first of all no job of this machine; where somebody has, AWS is."""

    def no_region() -> Records:
        raise CloudKonError("no AWS region.")

    with pytest.raises(NotFoundError, match=r"no job 'nosuch' on this machine, and AWS is not set up here: no AWS"):
        Ledgers(None, no_region, cloud_is_likely=False, warn=lambda _: None).find("nosuch")
    with pytest.raises(CloudKonError, match=r"^no AWS region"):
        Ledgers(None, no_region, cloud_is_likely=True, warn=lambda _: None).find("nosuch")
