"""Takes tasks off bundles: N threads that take a task, run it, and put its result in its place.

They make no AWS calls, but for the mark that a careful bundle needs before each of its tasks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cloudkon.clock import Clock
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.settings import Settings
from ec2_worker.pipeline.backlog import Board
from ec2_worker.pipeline.in_flight import Held, Phase
from ec2_worker.pipeline.retry_policy import next_mark, strikes
from ec2_worker.pipeline.task_runner import GivenUpError, Trial
from ec2_worker.pipeline.timeouts import Run


@dataclass(slots=True)
class Slots:
    """The slots of one worker."""

    board: Board
    trial: Trial
    clock: Clock
    settings: Settings
    finished: Callable[[Held], None]
    """Gets each bundle whose last task has ended."""
    mark: Callable[[Held], bool]
    """Writes a careful bundle's mark into the ledger; False if it could not be."""
    stuck: Callable[[Run], None]
    """Gets each task that ran past its timeout and did not stop: its slot is lost."""

    def run(self) -> None:
        """Be one slot, until the board is closed, or until a task that it ran was given up."""
        try:
            while (held := self.board.next()) is not None:
                while not self.board.closed and self.run_next(held):
                    pass
        except GivenUpError:
            return  # another slot has taken its place

    def run_next(self, held: Held) -> bool:
        """Take and run one task; False if there is none, or none may be started."""
        if held.phase is not Phase.RUNNING:
            return False
        if held.waiting and self.clock.monotonic_s() >= held.lease_ends_s:
            held.phase = Phase.LAPSED
            return False
        index = next(held.draw, None)
        if index is None:
            return False
        if held.careful and (struck := strikes(held.mark, index)) >= self.settings.strikes:
            self._put(held, index, self._condemned(held, struck))
            return True
        if held.careful and not self._marked(held, index):
            return False
        self._put(held, index, self.trial.run(held, index))
        return True

    def overran(self, run: Run, now_s: float) -> None:
        """Give up a task that did not stop in its time."""
        self._put(run.held, run.index, self.trial.given_up(run, now_s))
        if run.held.careful:
            self.board.offer(run.held)  # it was that slot's alone
        self.stuck(run)

    def _condemned(self, held: Held, struck: int) -> TaskResult:
        error = f"its worker died {struck} times while it ran"
        return TaskResult(TaskState.FAILED, self.clock.now_ms(), 0, held.lease.attempt, runs=struck, error=error)

    def _marked(self, held: Held, index: int) -> bool:
        """Mark the task before it runs, so that whoever takes over knows which one killed us."""
        held.mark = next_mark(held.mark, index)
        marked = self.mark(held)
        if not marked and held.phase is Phase.RUNNING:
            held.phase = Phase.LAPSED
        return marked

    def _put(self, held: Held, index: int, result: TaskResult) -> None:
        if held.put(index, result):
            self.finished(held)
