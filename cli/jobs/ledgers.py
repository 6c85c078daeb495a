"""Where jobs are read from: this machine's ledger, and the table of a stage in AWS."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cli.system.paths import results_folder
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.ledger.fleet import WorkerStatus
from cloudkon.ledger.job import LOCAL_PREFIX, Job
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.store import FolderStore
from cloudkon.ports import History, Ledger, ResultStore
from cloudkon.settings import Settings

if TYPE_CHECKING:
    from cloudkon.aws.cloud import Cloud

_CONFIGURED_BY = ("CLOUDKON_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN")
_HOW_TO_BEGIN = "Run a workload here: cloudkon-cli run LOCAL -s FILE. Or in AWS: cloudkon-cli submit FILE."
_NEAR = 50
_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True)
class Records:
    """One ledger, and the store beside it."""

    ledger: Ledger
    results: ResultStore
    cloud: "Cloud | None" = None
    """The stage whose ledger it is; None for one of this machine."""
    file: Path | None = None
    """Where the ledger of this machine is; None for a stage's."""


@dataclass(frozen=True, slots=True)
class FoundJob:
    """A job and where it is recorded."""

    job: Job
    records: Records


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ledgers that a command may read, each opened when it is needed."""

    local: Callable[[], Records] | None
    cloud: Callable[[], Records] | None
    cloud_is_likely: bool
    """Whether AWS is worth a question when no job is named."""
    warn: Callable[[str], None]
    options: str = ""
    """What to add to another command so that it reads the same ledgers, such as " --ledger FILE"."""

    def of(self, job_id: str) -> Records:
        """Where a job of this id is, or would be once it is opened; a file that is the only ledger holds every job.

        The id of a job of this machine begins with local-, and so does that of any object that is called so.
        """
        may_be_here = self.cloud is None or job_id.startswith(LOCAL_PREFIX)
        if self.local is not None and may_be_here:
            records = self.local()
            if self.cloud is None or not self.cloud_is_likely or records.ledger.job(job_id) is not None:
                return records
        is_local_at_most = job_id.startswith(LOCAL_PREFIX) and not self.cloud_is_likely
        if self.cloud is None or (self.local is None and is_local_at_most):
            raise _nothing_here(job_id)
        try:
            return self.cloud()
        except CloudKonError as error:
            if self.cloud_is_likely:
                raise
            told = f"There is no job {job_id!r} on this machine, and AWS is not set up here: {error}"
            raise NotFoundError(told) from error

    def find(self, job_id: str | None) -> FoundJob:
        """The job of this id, or the newest of all; raises NotFoundError if there is none."""
        if job_id is None:
            return self._newest()
        records = self.of(job_id)
        try:
            job = records.ledger.job(job_id)
        except CloudKonError as error:
            if self.local is None or not job_id.startswith(LOCAL_PREFIX):
                raise
            self.warn(f"Only this machine's ledger is considered: {error}")
            raise unknown_job(self.local().ledger, job_id) from error
        if job is None and self.local is None and job_id.startswith(LOCAL_PREFIX):
            raise _nothing_here(job_id)
        if job is None:
            raise unknown_job(records.ledger, job_id)
        return FoundJob(job, records)

    def recent(self, limit: int) -> list[FoundJob]:
        """The latest jobs of all ledgers, newest first."""
        answers = self._answers(lambda ledger: ledger.recent(limit))
        found = [FoundJob(job, records) for records, jobs in answers for job in jobs]
        return sorted(found, key=lambda one: one.job.opened_ms, reverse=True)[:limit]

    def workers(self, since_ms: int) -> list[WorkerStatus]:
        """The workers of all ledgers that were seen since then, by their names."""
        answers = self._answers(lambda ledger: ledger.fleet(since_ms))
        return sorted((status for _, fleet in answers for status in fleet), key=lambda status: status.worker)

    def _newest(self) -> FoundJob:
        found = self.recent(1)
        if not found:
            raise NotFoundError(f"There is no job yet. {_HOW_TO_BEGIN}")
        return found[0]

    def _answers(self, ask: Callable[[Ledger], Sequence[_Known]]) -> Iterator[tuple[Records, Sequence[_Known]]]:
        """What each ledger knows; when AWS does not answer, what this machine knows is better than nothing."""
        known: Sequence[_Known] = []
        if self.local is not None:
            records = self.local()
            known = ask(records.ledger)
            yield records, known
        if self.cloud is None or not self.cloud_is_likely:
            return
        try:
            records = self.cloud()
            answer = records, ask(records.ledger)
        except CloudKonError as error:
            if not known:
                raise
            self.warn(f"Only this machine's ledger is considered: {error}")
            return
        yield answer


def _nothing_here(job_id: str) -> NotFoundError:
    return NotFoundError(f"There is no job {job_id!r} in the ledger that is read. {_HOW_TO_BEGIN}")


def unknown_job(history: History, job_id: str) -> NotFoundError:
    """The error to raise for a job that a ledger does not know, with the ids that may have been meant."""
    near = get_close_matches(job_id, [job.id for job in history.recent(_NEAR)], n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return NotFoundError(f"There is no job {job_id!r}.{hint} See the jobs there are: cloudkon-cli jobs")


def looks_configured(environ: Mapping[str, str], home: Path) -> bool:
    """Whether somebody has set AWS up here: asking without it would only end in a riddle of an error."""
    return any(environ.get(name) for name in _CONFIGURED_BY) or (home / ".aws").exists()


def local_records(file: Path) -> Records:
    ledger = SqliteLedger(file, guard_ms=Settings().guard_ms)
    return Records(ledger, FolderStore(results_folder(file)), file=file)


def cloud_records(stage: str) -> Records:
    from cloudkon.wiring import cloud  # noqa: PLC0415 (boto3 takes longer to import than a local answer takes)

    opened = cloud(stage, Settings())
    return Records(opened.ledger, opened.results, opened)
