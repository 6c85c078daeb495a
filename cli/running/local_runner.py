"""LOCAL: the dispatcher and a worker over queues in memory and a ledger in SQLite, in this process."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from cli.running.earlier_run import RECENT_JOBS, earlier_run
from cli.running.processes.wanted import Processes
from cli.running.unfinished_queue import UnfinishedQueue
from cli.system.machine_limits import RoomyQueue
from cli.system.paths import results_folder
from cli.terminal.units import counted
from cloudkon.client.local.local_world import CompletedBundles, LocalWorld
from cloudkon.client.local.unchanged_file import UnchangedFile
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, InputError
from cloudkon.handlers.registry import Registry
from cloudkon.ledger.job import LOCAL_BUCKET, LOCAL_PREFIX, Job, Source
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.local.bounded import ClosedError
from cloudkon.local.ledger import SqliteLedger
from cloudkon.local.queue import Depth
from cloudkon.local.run_lock import RunLock
from cloudkon.local.store import FolderStore
from cloudkon.messages.finished import FinishedTasks, TasksOfRow
from cloudkon.ports import ObjectStore, Tracer
from cloudkon.settings import Settings
from cloudkon.workload.line_numbers import LineOffsets
from cloudkon.workload.planning import STAYING, BundleBounds
from cloudkon.workload.templates.form import Form
from dispatcher.dispatch import Dispatcher
from ec2_worker import assembly
from ec2_worker.services import worker_name

if TYPE_CHECKING:
    from cli.running.chaos import Chaos

_Answer = TypeVar("_Answer")
_POLL_S = 0.1
"""How late the worker notices that its last bundle is settled."""
_LOOK_S = 0.2
"""How late a pause or a cancel is noticed."""


class Workers(Protocol):
    """Who runs the tasks: a worker in this process, or several in processes of their own."""

    def run(self) -> None:
        """Work until drain is called. Raises what made it impossible."""
        ...

    def drain(self) -> None:
        """Finish what was begun; a second call does not wait for it. Safe to call from a signal handler."""
        ...


class LocalRun:
    """One run of one workload on this machine; a killed one is opened again and goes on."""

    def __init__(
        self,
        file: Path,
        ledger_file: Path,
        registry: Registry,
        *,
        slots: int,
        settings: Settings,
        clock: Clock,
        finished: Callable[[FinishedTasks], None],
        chaos: "Chaos | None" = None,
        tracer: Tracer | None = None,
        processes: Processes | None = None,
        after_a_kill: Processes | None = None,
        form: Form | None = None,
        has_room: Callable[[], bool] | None = None,
    ) -> None:
        """After_a_kill is where the tasks of a run that was killed go on; by default where they would run otherwise.

        Has_room: whether the machine has room for another task. Tasks then travel alone, and none waits in a worker.
        """
        self._ledger_file = ledger_file
        self._finished = finished
        self._form = form
        self._chaos = chaos
        self._clock = clock
        if chaos is not None:
            settings = chaos.shortened(settings)
        if has_room is not None:
            settings = replace(settings, backlog_s=0.0)
        ledger, store = SqliteLedger(ledger_file, guard_ms=settings.guard_ms), FolderStore(results_folder(ledger_file))
        is_one_process = chaos is None and processes is None
        self._world = LocalWorld(ledger, store, clock, tracer, tells_rows=is_one_process)
        around = self._world.services()
        if has_room is not None:
            around = replace(around, tasks=RoomyQueue(around.tasks, has_room, clock))
        self._path = file.resolve()
        self.workload = UnchangedFile(self._path)
        workloads: ObjectStore = self.workload
        if chaos is not None:
            around, workloads = chaos.over(around), chaos.workloads(workloads)
        self._unfinished = UnfinishedQueue(around.tasks)
        self._dispatcher = Dispatcher(
            workloads,
            around.results,
            around.ledger,
            self._unfinished,
            self._clock,
            slots=slots,
            worker_slots=slots,
            bounds=STAYING if has_room is None else BundleBounds(tasks=1),
            tracer=around.tracer,
        )
        self._around, self._settings = around, settings
        self._after_a_kill = after_a_kill if processes is None else None
        self._worker: Workers = (
            assembly.build(around, registry, settings, name=worker_name(), slots=slots)
            if processes is None
            else self._in_processes(processes)
        )
        self._stops = 0
        self._job = ""
        self._next_look_s = 0.0
        self._over = threading.Event()
        self._failure: BaseException | None = None

    @property
    def ledger(self) -> SqliteLedger:
        return self._world.ledger

    @property
    def results(self) -> FolderStore:
        return self._world.results

    def _in_processes(self, processes: Processes) -> Workers:
        from cli.running.processes.worker_processes import WorkerProcesses  # noqa: PLC0415 (most runs have none)

        return WorkerProcesses(self._around, processes, self._settings, self._break_leases_of)

    def _break_leases_of(self, worker: str) -> None:
        self.ledger.break_leases_of(self._job, worker)

    def open(self, *, resume: bool) -> Job:
        """Open a new job for the file, or the one to resume; raises InputError if the file changed since."""
        source = self._source()
        if resume and (earlier := earlier_run(self.ledger.recent(RECENT_JOBS), source, self._form)) is not None:
            return self._reopened(earlier)
        return self._repeated(lambda: self._dispatcher.open(source, prefix=LOCAL_PREFIX, form=self._form))

    def _reopened(self, job: Job) -> Job:
        if job.cancelled_ms is not None:
            raise InputError(
                f"{job.id}, the last run of {job.source.key}, was cancelled. Run it anew, without --resume."
            )
        return self.ledger.resume(job.id, self._clock.now_ms()) or job

    def recorded(self, job: Job) -> Iterator[FinishedTasks]:
        """What the ledger holds of the job's bundles that are done, as finished was or will be told it."""
        return (TasksOfRow(row, before) for row, before in self._done(job))

    def running_when_killed(self, job: Job) -> Sequence[int]:
        """The lines of the tasks that were marked when the run before was killed, to be asked before run."""
        return sorted(
            before + list(row.lines)[row.mark.index]
            for row, before in self._in_state(job, BundleState.LEASED)
            if row.mark is not None and ((result := row.results[row.mark.index]) is None or not result.is_final)
        )

    def _done(self, job: Job) -> Iterator[tuple[BundleRow, int]]:
        return self._in_state(job, BundleState.DONE)

    def _in_state(self, job: Job, state: BundleState) -> Iterator[tuple[BundleRow, int]]:
        """The bundles in a state whose lines can be numbered, with the count of the lines before their range."""
        offsets = LineOffsets(self.ledger.dispatched(job.id))
        for row in self.ledger.bundles(job):
            before = offsets.before(row.key.range)
            if row.state is state and before is not None:
                yield row, before

    def run(self, job: Job, begun: Callable[[], None] = lambda: None) -> None:
        """Run what is left of the job; returns early, with everything so far kept, after stop, a pause or a cancel.

        begun is called once nobody else can be running the job, and before anything of it runs.
        """
        with RunLock(self._ledger_file, job.id):
            self._job = job.id
            begun()
            was_killed = self.ledger.break_leases(job.id) > 0  # whoever held leases died: the lock is ours
            if was_killed and self._after_a_kill is not None:
                self._move_to_processes(self._after_a_kill)
            self._unfinished.done = frozenset(row.key.id for row, _ in self._done(job))
            helpers = [
                threading.Thread(target=self._guarded, args=(act, job), daemon=True)
                for act in (self._dispatch, self._consume)
            ]
            for helper in helpers:
                helper.start()
            try:
                self._worker.run()
            finally:
                self._over.set()
                self._world.tasks.close()
                for helper in helpers:
                    helper.join()
        if self._failure is not None:
            raise self._failure
        if set_aside := self._world.set_aside:
            raise CloudKonError(
                f"{counted(len(set_aside), 'bundle')} could not be run: {next(iter(set_aside.values()))} "
                "Everything else is recorded."
            )

    def _move_to_processes(self, processes: Processes) -> None:
        """Let a process of their own run the tasks: of its death this one knows, and so finds the task that kills."""
        self._worker = self._in_processes(processes)
        self._world.read_records()
        for _ in range(self._stops):
            self._worker.drain()

    def stop(self) -> None:
        """Finish what was begun and return from run; a second call does not wait for it."""
        self._stops += 1
        self._world.tasks.close()
        self._worker.drain()

    def close(self) -> None:
        self._world.close()

    def _source(self) -> Source:
        started_ms = self._clock.now_ms()
        version = f"{self.workload.fingerprint}-{started_ms}"
        return Source(LOCAL_BUCKET, str(self._path), version, started_ms, pinned=False)

    def _guarded(self, act: Callable[[Job], None], job: Job) -> None:
        try:
            act(job)
        except ClosedError:
            pass  # stopped: what was not sent is sent when the run is resumed
        except BaseException as failure:  # noqa: BLE001 (run raises it)
            self._failure = failure
            self._worker.drain()

    def _dispatch(self, job: Job) -> None:
        self._repeated(lambda: self._dispatcher.dispatch(job, resend=True))

    def _repeated(self, act: Callable[[], _Answer]) -> _Answer:
        return act() if self._chaos is None else self._chaos.repeated(act)

    def _consume(self, job: Job) -> None:
        """Take in what has ended until the completion of every bundle has been seen; each counts once."""
        completed = CompletedBundles(self.ledger, job, self._unfinished.done)
        for tasks in self.recorded(job) if self._unfinished.done else ():
            self._finished(tasks)
        halted = False
        over = found = False
        while not over or found:
            over, found = self._over.is_set(), False
            for bundle in self._world.ended.receive(0.0 if over else _POLL_S):
                found = True
                if (ended := completed.add(bundle)) is not None:
                    self._finished(ended)
            if not halted and self._is_halted(job):
                halted = True
                self.stop()
            if completed.are_all(self._world.look_aside()) and self._swept():
                self._worker.drain()
                return

    def _is_halted(self, job: Job) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s < self._next_look_s:
            return False
        self._next_look_s = now_s + _LOOK_S
        standing = self.ledger.job(job.id)
        return standing is not None and (standing.paused_ms is not None or standing.cancelled_ms is not None)

    def _swept(self) -> bool:
        """With chaos, what came twice is waited for too: the run ends with an empty queue or it has lost one."""
        return self._chaos is None or self._world.waiting.depth() == Depth(visible=0, in_flight=0)
