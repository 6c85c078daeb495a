"""Jobs of a stage: a workload is uploaded, and the stage's Lambda and its workers do the rest."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from cloudkon.client.submitting import WorkloadsBucket, check_versions, uploaded
from cloudkon.client.workload_file import remove_workload
from cloudkon.clock import Clock
from cloudkon.errors import InputError
from cloudkon.ledger.control import why_halted
from cloudkon.ledger.job import Job
from cloudkon.local.store import FolderStore
from cloudkon.messages.parking import ParkedMessages
from cloudkon.ports import Ledger, ObjectStore, ResultStore, TaskQueue
from cloudkon.workload.formats import HEAD_BYTES, misfit
from cloudkon.workload.lines import GZIP_MAGIC

_PREFIX = "client/"
"""Where in the workloads bucket a client's workloads are."""
_GATHER_S = 0.2
"""A job of a stage costs an upload and a call of the Lambda."""
_OPENED_WITHIN_S = 60.0
"""How long a Lambda may take to open a job: a cold start, and a retry of the event."""


class Stage(Protocol):
    """What of a stage is used here; aws/cloud.py has it."""

    @property
    def stage(self) -> str: ...

    @property
    def workloads(self) -> WorkloadsBucket: ...

    @property
    def results(self) -> ResultStore: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def tasks(self) -> TaskQueue: ...

    @property
    def parked(self) -> TaskQueue | None: ...

    def parked_in_flight(self) -> int: ...

    def queue(self, name: str) -> TaskQueue: ...

    def bucket(self, name: str) -> ObjectStore: ...


class StageBackend:
    """A backend in AWS. Its jobs go on when it is closed."""

    patience_s = 300.0

    def __init__(self, cloud: Stage, clock: Clock) -> None:
        self._cloud = cloud
        self._clock = clock
        self._is_checked = False
        self._begun_s: dict[str, float] = {}
        """When this process has begun which jobs."""

    @property
    def ledger(self) -> Ledger:
        return self._cloud.ledger

    @property
    def results(self) -> ResultStore:
        return self._cloud.results

    @property
    def folder(self) -> Path:
        return Path(tempfile.gettempdir()) / "cloudkon-client"

    @property
    def gather_s(self) -> float:
        return _GATHER_S

    def permit(self, name: str, function: Callable[..., Any]) -> None:
        """The stage's workers were started with what they permit: a task of another name is rejected by them."""

    def begin(self, workload: Path, *, is_own: bool) -> str:
        """Upload the workload; the job's id follows from the version that the bucket gives it."""
        _check_file(workload)
        store = self._cloud.workloads
        if not self._is_checked:
            check_versions(store, self._cloud.stage)
            self._is_checked = True
        job_id, _ = uploaded(store, f"{_PREFIX}{workload.name}", workload, str(workload))
        if is_own:
            remove_workload(workload)
        self._begun_s[job_id] = self._clock.monotonic_s()
        return job_id

    def source(self, job: Job) -> ObjectStore:
        return FolderStore(Path("/")) if job.source.is_file else self._cloud.bucket(job.source.bucket)

    def wait_for_news(self, seen: int, seconds: float) -> int:
        """Nobody tells this process of results: after a while there may be some."""
        self._clock.sleep(seconds)
        return seen

    def why_stopped(self, job_id: str, job: Job | None) -> str | None:
        if job is not None:
            return why_halted(job)
        waited_s = self._clock.monotonic_s() - self._begun_s.get(job_id, float("-inf"))
        if waited_s < _OPENED_WITHIN_S:
            return None
        return (
            f"{job_id} is not in the ledger of stage {self._cloud.stage}. If it was uploaded a moment ago, its Lambda "
            f"does not run: cloudkon-cli doctor --stage {self._cloud.stage}"
        )

    def resume(self, job_id: str) -> Job | None:
        """Let a paused job go on: its messages are brought back to the task queue."""
        job = self.ledger.resume(job_id, self._clock.now_ms())
        if job is not None and self._cloud.parked is not None:
            tasks = self._cloud.queue(job.source.bucket) if job.source.is_file else self._cloud.tasks
            parked = ParkedMessages(self._cloud.parked, self._clock, held=self._cloud.parked_in_flight)
            parked.bring_back(job_id, tasks)
        return job

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job: what is parked of it is deleted; workers delete the rest when they come to it."""
        job = self.ledger.cancel(job_id, self._clock.now_ms())
        if job is not None and self._cloud.parked is not None:
            ParkedMessages(self._cloud.parked, self._clock).discard(job_id)
        return job

    def close(self, *, wait: bool) -> None:
        """Nothing runs here."""


def _check_file(path: Path) -> None:
    """Raise InputError for what the dispatcher would take for no workload."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    if not head.startswith(GZIP_MAGIC) and (told := misfit(head)) is not None:
        raise InputError(f"{path} {told}")
