"""The slots: N threads that take a task off a bundle, run it, and put its result in its place.

They make no AWS calls, but for the mark that a careful bundle needs before each of its tasks.
"""

from dataclasses import dataclass
from itertools import islice

from cloudkon.clock import Clock
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.settings import Settings
from ec2_worker.pipeline.backlog import Backlog
from ec2_worker.pipeline.events import WorkerEvents
from ec2_worker.pipeline.heartbeat import Heartbeat
from ec2_worker.pipeline.in_flight import InFlightBundle, InFlightState
from ec2_worker.pipeline.retry_policy import next_mark, strikes
from ec2_worker.pipeline.settler import Settler
from ec2_worker.pipeline.task_runner import GivenUpError, TaskRunner
from ec2_worker.pipeline.timeouts import Run

_FAILURES = frozenset({TaskState.FAILED, TaskState.REJECTED})


@dataclass(slots=True)
class Slots:
    """What each slot of a worker does: backlog to task runner to settler."""

    backlog: Backlog
    task_runner: TaskRunner
    heartbeat: Heartbeat
    settler: Settler
    events: WorkerEvents
    clock: Clock
    settings: Settings

    def run(self) -> None:
        """Be one slot, until the backlog is closed, or until a task that it ran was given up."""
        try:
            while (bundle := self.backlog.next()) is not None:
                with self.events.slot_running(bundle.lease.key.job):
                    while not self.backlog.closed and self.run_next(bundle, most=len(bundle.message.tasks)):
                        pass
        except GivenUpError:
            return  # another slot has taken its place

    def run_next(self, bundle: InFlightBundle, most: int = 1) -> bool:
        """Take and run tasks, so many of an ordinary bundle and one of another; False if none may be started."""
        if bundle.state is not InFlightState.RUNNING:
            return False
        if bundle.waiting and self.clock.monotonic_s() >= bundle.lease_ends_s:
            bundle.state = InFlightState.LAPSED
            return False
        if bundle.is_ordinary:
            return self._run_ordinary(bundle, most)
        index = next(bundle.remaining, None)
        return index is not None and self._run_carefully(bundle, index)

    def _run_carefully(self, bundle: InFlightBundle, index: int) -> bool:
        """Run one task, with a mark if the bundle needs it; False if that could not be set."""
        if bundle.careful and (struck := strikes(bundle.mark, index)) >= self.settings.strikes:
            self._put(bundle, index, self._condemned(bundle, struck))
            return True
        if bundle.careful and not self._marked(bundle, index):
            return False
        self._put(bundle, index, self.task_runner.run(bundle, index))
        return True

    def _run_ordinary(self, bundle: InFlightBundle, most: int) -> bool:
        """Run tasks in one loop; False if there was none."""
        ran = False
        for index, result in islice(self.task_runner.run_all(bundle), most):
            ran = True
            if bundle.count_ended() if result is None else self._is_last(bundle, index, result):
                self.finish(bundle)
            if self.backlog.closed:
                break
        return ran

    def give_up(self, run: Run, now_s: float) -> None:
        """Record the failure of a task that did not stop in its time; the slot that runs it is lost."""
        self._put(run.bundle, run.index, self.task_runner.given_up(run, now_s))
        self.backlog.lost(run.bundle)
        if run.bundle.careful:
            self.backlog.add(run.bundle)  # it was that slot's alone

    def finish(self, bundle: InFlightBundle) -> None:
        """Hand a bundle whose last task has ended to the settler."""
        self.events.bundle_ended(bundle)
        self.settler.add(bundle)

    def _condemned(self, bundle: InFlightBundle, struck: int) -> TaskResult:
        error = f"its worker died {struck} times while it ran"
        return TaskResult(TaskState.FAILED, self.clock.now_ms(), 0, bundle.lease.attempt, runs=struck, error=error)

    def _marked(self, bundle: InFlightBundle, index: int) -> bool:
        """Mark the task before it runs, so that whoever takes over knows which one killed us."""
        bundle.mark = next_mark(bundle.mark, index)
        marked = self.heartbeat.mark(bundle)
        if not marked and bundle.state is InFlightState.RUNNING:
            bundle.state = InFlightState.LAPSED
        if bundle.mark.times == 1:
            self.backlog.suspect_ended()  # if there was one, it was not this task
        return marked

    def _is_last(self, bundle: InFlightBundle, index: int, result: TaskResult) -> bool:
        """Keep a result, and tell of a failure; True for the last task of the bundle."""
        if result.state in _FAILURES:
            self.events.task_failed(bundle.lease.key.job)
        return bundle.put(index, result)

    def _put(self, bundle: InFlightBundle, index: int, result: TaskResult) -> None:
        if self._is_last(bundle, index, result):
            if bundle.careful:
                self._unmark(bundle)
            self.finish(bundle)

    def _unmark(self, bundle: InFlightBundle) -> None:
        """Record the end of the last marked task before this slot begins another, which might kill us.

        If that can't be done now, the settler does it soon.
        """
        bundle.mark = None
        self.heartbeat.mark(bundle)
