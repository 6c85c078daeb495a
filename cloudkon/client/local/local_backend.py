"""Jobs in this process: one worker for all of them, which lives as long as one of them is unfinished."""

import atexit
import secrets
import shutil
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudkon.client.local.local_worker import LocalWorker, Told
from cloudkon.client.local.local_world import CompletedBundles, LocalWorld
from cloudkon.client.local.unchanged_file import UnchangedFile
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.handlers.registry import Registry
from cloudkon.handlers.scratch import sweep
from cloudkon.ledger.control import why_halted
from cloudkon.ledger.job import LOCAL_BUCKET, LOCAL_PREFIX, Job, Source
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.paths import results_folder
from cloudkon.local.run_lock import RunLock, is_running
from cloudkon.local.store import FolderStore
from cloudkon.messages.finished import FinishedBundle
from cloudkon.messages.wire import decode_bundle
from cloudkon.settings import Settings
from cloudkon.workload.planning import STAYING
from dispatcher.dispatch import Dispatcher

_LOOK_S = 0.2
"""How late a pause, or a cancel by somebody else, is noticed."""
_GATHER_S = 0.005
_LINGER_S = 1.0
"""How long the worker waits for another job: calls that follow each other share it."""


_STOPPED = (
    "{job} was stopped before its end; what it has recorded is kept. Let it go on, in a client that knows its "
    "functions: Client(tasks=[...]).job({job!r}).resume()"
)


@dataclass(slots=True)
class _Running:
    """A job that is not over."""

    job: Job
    completed: CompletedBundles
    lock: RunLock


class LocalBackend:
    """A backend in this process."""

    patience_s = 0.0

    def __init__(
        self,
        ledger_file: Path,
        registry: Registry,
        *,
        slots: int,
        settings: Settings,
        clock: Clock,
        is_temporary: bool = False,
    ) -> None:
        """Is_temporary: the folder that the ledger is in is deleted at the end."""
        sweep()
        self._ledger_file = ledger_file
        self._registry = registry
        self._slots = slots
        self._settings = settings
        self._clock = clock
        self._changed = threading.Condition(threading.RLock())
        self._news = 0
        self._running: dict[str, _Running] = {}
        self._begun: set[str] = set()
        """The jobs that this process has run, or runs."""
        self._failures: dict[str, str] = {}
        """Of jobs that can't go on, why."""
        self._set_aside: Counter[str] = Counter()
        self._worker: LocalWorker | None = None
        self._idle_since_s = self._next_look_s = clock.monotonic_s()
        self._is_closed = False
        self.results = FolderStore(results_folder(ledger_file))
        self.ledger = SqliteLedger(ledger_file, guard_ms=settings.guard_ms)
        self._is_temporary = is_temporary
        self._let_go = weakref.finalize(self, _let_go, self.ledger, ledger_file.parent if is_temporary else None)
        _open.add(self)

    @property
    def folder(self) -> Path:
        return results_folder(self._ledger_file)

    @property
    def gather_s(self) -> float:
        return _GATHER_S

    def permit(self, name: str, function: Callable[..., Any]) -> None:
        self._registry.add_named(name, function)

    def begin(self, workload: Path, *, is_own: bool) -> str:  # noqa: ARG002 (a file of this machine is read in place)
        """Open the job in the ledger, and let the worker of this process run it."""
        path = workload.resolve()
        file = UnchangedFile(path)
        now_ms = self._clock.now_ms()
        version = f"{file.fingerprint}-{now_ms}-{secrets.token_hex(3)}"
        source = Source(LOCAL_BUCKET, str(path), version, now_ms, pinned=False)
        return self._run(file, lambda dispatcher: dispatcher.open(source, prefix=LOCAL_PREFIX)).id

    def _run(self, file: UnchangedFile, opened: Callable[[Dispatcher], Job]) -> Job:
        while True:
            with self._changed:
                worker = self._worker
                if self._is_closed:
                    raise CloudKonError("This client is closed. Make another one: Client()")
                if worker is None:
                    worker = self._worker = self._new_worker()
                if not worker.is_ending:
                    return self._given_to(worker, file, opened)
            worker.join()

    def _given_to(self, worker: LocalWorker, file: UnchangedFile, opened: Callable[[Dispatcher], Job]) -> Job:
        ledger, slots = self.ledger, self._slots
        tasks = worker.world.tasks
        dispatcher = Dispatcher(
            file, self.results, ledger, tasks, self._clock, slots=slots, worker_slots=slots, bounds=STAYING
        )
        job = opened(dispatcher)
        lock = RunLock(self._ledger_file, job.id)
        lock.__enter__()
        if job.id not in self._begun:
            ledger.break_leases(job.id)  # whoever held leases died: the lock is ours
        self._begun.add(job.id)
        self._failures.pop(job.id, None)
        self._running[job.id] = _Running(job, CompletedBundles(ledger, job), lock)
        worker.send(dispatcher, job)
        return job

    def source(self, job: Job) -> FolderStore:  # noqa: ARG002 (all files of this machine are in one store)
        return FolderStore(Path("/"))

    def wait_for_news(self, seen: int, seconds: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._news != seen, seconds)
            return self._news

    def why_stopped(self, job_id: str, job: Job | None) -> str | None:
        with self._changed:
            if job is None:
                return f"There is no job {job_id!r} in {self._ledger_file}."
            if job_id in self._running or (job_id not in self._begun and is_running(self._ledger_file, job_id)):
                return None
            return why_halted(job) or self._failures.get(job_id) or _STOPPED.format(job=job_id)

    def resume(self, job_id: str) -> Job | None:
        """Let a job go on that was paused, or whose process has ended; raise InputError if its file has changed."""
        job = self.ledger.resume(job_id, self._clock.now_ms())
        with self._changed:
            if job is None or job.cancelled_ms is not None or job_id in self._running:
                return job
        file = UnchangedFile(Path(job.source.key))
        if file.fingerprint != job.source.version.partition("-")[0]:
            raise CloudKonError(f"{job.source.key} has changed since {job.id} began. Submit it as a new job.")
        return self._run(file, lambda _: job)

    def cancel(self, job_id: str) -> Job | None:
        job = self.ledger.cancel(job_id, self._clock.now_ms())
        with self._changed:
            self._look()
        return job

    def close(self, *, wait: bool) -> None:
        """End the worker: with wait, once all jobs that are not paused have ended; else with what was begun."""
        with self._changed:
            self._is_closed = True
            worker = self._worker
        if worker is not None:
            if not wait:
                worker.stop()
            worker.join()
        if self._is_temporary:
            self._let_go()

    def _new_worker(self) -> LocalWorker:
        world = LocalWorld(self.ledger, self.results, self._clock, tells_rows=True)
        told = Told(self._completed, self._not_sent, self._ticked, self._ended)
        return LocalWorker(world, self._registry, self._settings, self._slots, told)

    def _completed(self, bundle: FinishedBundle) -> None:
        with self._changed:
            if (running := self._running.get(bundle.job)) is not None:
                running.completed.add(bundle)
            self._tell()

    def _not_sent(self, job: Job, error: BaseException) -> None:
        with self._changed:
            self._failures[job.id] = f"{job.id} could not be sent to its end: {error}"
            self._drop(job.id)

    def _ticked(self) -> None:
        with self._changed:
            worker = self._worker
            if worker is None:
                return
            self._count_set_aside(worker)
            for job_id, running in list(self._running.items()):
                if running.completed.are_all(self._set_aside[job_id]):
                    self._drop(job_id)
            if self._clock.monotonic_s() >= self._next_look_s:
                self._look()
            idle_s = self._clock.monotonic_s() - self._idle_since_s
            if not self._running and not worker.is_ending and (self._is_closed or idle_s >= _LINGER_S):
                worker.drain()

    def _look(self) -> None:
        """A job that is paused, or cancelled, is over for this process once its tasks have ended; the rest is kept."""
        self._next_look_s = self._clock.monotonic_s() + _LOOK_S
        for job_id in list(self._running):
            job = self.ledger.job(job_id)
            is_halted = job is not None and (job.paused_ms is not None or job.cancelled_ms is not None)
            if not is_halted:
                continue
            if self._worker is None or not self._worker.still_runs(job_id):
                self._drop(job_id)
        self._tell()

    def _count_set_aside(self, worker: LocalWorker) -> None:
        known = len(worker.world.set_aside)
        if worker.world.look_aside() == known:
            return
        for body, reason in list(worker.world.set_aside.items())[known:]:
            job_id = decode_bundle(body).key.job
            self._set_aside[job_id] += 1
            self._failures[job_id] = f"A part of {job_id} could not be run: {reason} Everything else is recorded."

    def _drop(self, job_id: str) -> None:
        """Let go of a job that is over."""
        running = self._running.pop(job_id, None)
        if running is not None:
            running.lock.__exit__(None, None, None)
        self._idle_since_s = self._clock.monotonic_s()
        self._tell()

    def _tell(self) -> None:
        self._news += 1
        self._changed.notify_all()

    def _ended(self, failure: BaseException | None) -> None:
        with self._changed:
            for job_id in list(self._running):
                if failure is not None:
                    self._failures[job_id] = f"{job_id} was stopped by an error of its worker: {failure}"
                self._drop(job_id)
            self._worker = None


_open: "weakref.WeakSet[LocalBackend]" = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """A program that ends stops its jobs in order; what they have recorded is kept."""
    for backend in list(_open):
        backend.close(wait=False)


def _let_go(ledger: SqliteLedger, folder: Path | None) -> None:
    ledger.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
