"""The client of a stage, over memory in place of AWS: the dispatcher and a worker are run by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudkon import JobStoppedError, TaskError
from cloudkon.client.client import Client
from cloudkon.client.stage_backend import StageBackend
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, InputError, UnavailableError
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.sleep import sleep
from cloudkon.ledger.job import Source
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import MemoryQueue
from cloudkon.local.store import FolderStore
from cloudkon.settings import Settings
from dispatcher.dispatch import Dispatcher
from ec2_worker import assembly
from ec2_worker.services import Services
from tests.support.data.client_functions import square
from tests.support.manual_clock import ManualClock

SETTINGS = Settings(poll_s=0.02, linger_s=0.001, retries=0)


class Bucket(FolderStore):
    """A bucket in which each upload has a version."""

    bucket = "cloudkon-dev-workloads"

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.uploads: list[tuple[str, str]] = []
        self.has_versions = True

    def is_versioned(self) -> bool:
        return self.has_versions

    def upload(self, key: str, source: Path) -> str | None:  # type: ignore[override]  # (a folder has no versions)
        super().upload(key, source)
        self.uploads.append((key, f"v{len(self.uploads)}"))
        return self.uploads[-1][1]


class Stage:
    """A stage whose Lambda and whose worker run when they are told to."""

    stage = "dev"

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.workloads, self.results = Bucket(folder / "workloads"), FolderStore(folder / "results")
        self.ledger = SqliteLedger(None, guard_ms=SETTINGS.guard_ms)
        self.tasks, self.process, self.dead, self.parked = (MemoryQueue(self.clock) for _ in range(4))

    def parked_in_flight(self) -> int:
        return self.parked.depth().in_flight

    def queue(self, name: str) -> MemoryQueue:
        raise AssertionError(name)

    def bucket(self, name: str) -> FolderStore:
        assert name == self.workloads.bucket
        return self.workloads

    def dispatch(self) -> None:
        """What the Lambda does at the last upload's event."""
        key, version = self.workloads.uploads[-1]
        dispatcher = Dispatcher(self.workloads, self.results, self.ledger, self.tasks, self.clock, slots=1)
        source = Source(self.workloads.bucket, key, version, self.clock.now_ms(), pinned=False)
        dispatcher.dispatch(dispatcher.open(source))

    def work(self, registry: Registry) -> None:
        """Be a worker until there is nothing to do."""
        services = Services(
            self.tasks, self.process, self.dead, self.ledger, self.results, self.clock, parked=self.parked
        )
        assembly.build(services, registry, SETTINGS, name="worker", slots=1).run(until_idle_s=0.05)


class Lambdas(ManualClock):
    """Whoever sleeps on this clock lets the stage do its part."""

    def __init__(self, stage: Stage, registry: Registry) -> None:
        super().__init__()
        self._stage, self._registry = stage, registry

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self._stage.ledger.recent(10) or not self._stage.workloads.uploads:
            self._stage.work(self._registry)
        else:
            self._stage.dispatch()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.ledger.close()


def client_of(stage: Stage, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Client:
    clock = Lambdas(stage, registry)
    monkeypatch.setattr("cloudkon.client.client._stage_backend", lambda *_: StageBackend(stage, clock))
    return Client(stage="dev", clock=clock)


def test_a_workers_own_permission_decides(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that the workers were not started with is rejected by them, and the error says with what to start."""
    values = client_of(stage, Registry([sleep]), monkeypatch).map(square, [3])
    with pytest.raises(TaskError, match=r"no handler is named .*start the worker with --tasks .*:square"):
        next(values)


def test_a_permitted_function_runs_there(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values come in order from the stage's ledger; the workload lies in its bucket, and no file is left here."""
    registry = Registry()
    registry.add_named(f"{square.__module__}:square", square)
    client = client_of(stage, registry, monkeypatch)
    values = client.map(square, range(20))
    assert list(values) == [x * x for x in range(20)]
    assert values.job.id.startswith("square-")
    assert [key for key, _ in stage.workloads.uploads] == ["client/square.txt"]
    assert not list(client.backend.folder.glob("submitted/*"))


def test_a_jobs_lines_are_read_from_the_bucket(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """failed() names the lines of the version that ran."""
    job = client_of(stage, Registry([sleep]), monkeypatch).submit(["sleep 0", "slep 1"])
    job.wait()
    assert [(result.line, result.text) for result in job.failed()] == [(2, "slep 1")]


def test_a_lambda_that_does_not_come_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is not opened within a minute is an error that names the command that finds out why."""
    client = client_of(stage, Registry([sleep]), monkeypatch)
    monkeypatch.setattr(Stage, "dispatch", lambda _: None)
    with pytest.raises(JobStoppedError, match=r"is not in the ledger of stage dev.*cloudkon-cli doctor --stage dev"):
        client.submit(["sleep 0"]).wait()


def test_a_paused_job_gets_its_messages_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What workers have parked of a paused job is on the task queue again when it is resumed, and gone if cancelled."""
    registry = Registry([sleep])
    client = client_of(stage, registry, monkeypatch)
    jobs = []
    for end in ("resume", "cancel"):
        jobs.append(client.submit(["sleep 0", "sleep 1"]))
        stage.dispatch()
        stage.ledger.pause(jobs[-1].id, f"to {end}", 1)
        stage.work(registry)
        assert stage.parked.depth().visible
        with pytest.raises(JobStoppedError, match=f"is paused: to {end}"):
            jobs[-1].wait()
        getattr(jobs[-1], end)()
        assert not stage.parked.depth().visible
    assert [job.wait().state for job in jobs] == ["complete", "cancelled"]


def test_a_ledger_that_is_silent_is_asked_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """For minutes it is waited for, as the job goes on meanwhile; then it is an error."""
    client = client_of(stage, Registry([sleep]), monkeypatch)
    job = client.submit(["sleep 0"])
    stage.dispatch()
    stage.work(Registry([sleep]))
    silences, dispatched = iter(range(3)), stage.ledger.dispatched

    def silent(job_id: str) -> object:
        if next(silences, None) is not None:
            raise UnavailableError("no answer")
        return dispatched(job_id)

    monkeypatch.setattr(stage.ledger, "dispatched", silent)
    assert [result.line for result in job.results()] == [1]
    monkeypatch.setattr(StageBackend, "patience_s", 3.0)
    silences = iter(range(1_000_000))
    with pytest.raises(UnavailableError):
        job.wait()


def test_what_is_no_workload_is_not_uploaded(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be a workload, and a bucket without versions, are refused before anything is uploaded."""
    client = client_of(stage, Registry(), monkeypatch)
    picture = tmp_path / "a.zip"
    picture.write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(InputError, match=r"a\.zip is a"):
        client.submit(picture)
    with pytest.raises(InputError, match="can't be read"):
        client.submit(tmp_path / "none.txt")
    stage.workloads.has_versions = False
    with pytest.raises(CloudKonError, match="keeps no versions"):
        client.submit(["sleep 0"])
    assert stage.workloads.uploads == []
    assert not list(client.backend.folder.glob("submitted/*"))
