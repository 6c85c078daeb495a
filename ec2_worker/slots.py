"""Runs tasks: N threads that take a task, run it, and put its result in its place. They make no AWS calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from cloudkon.clock import Clock
from cloudkon.registry import Registry, UnknownTaskError
from cloudkon.results import MAX_ERROR_CHARACTERS, TaskResult, TaskState
from cloudkon.task import LineError, parse_task
from ec2_worker.board import Board
from ec2_worker.held import Held, Phase


@dataclass(slots=True)
class Slots:
    """The slots of one worker; finished gets each bundle whose last task has ended."""

    board: Board
    registry: Registry
    clock: Clock
    finished: Callable[[Held], None]

    def run(self) -> None:
        """Be one slot, until the board is closed."""
        while (held := self.board.next()) is not None:
            while not self.board.closed and self.run_next(held):
                pass

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
        result = self._result(held.bundle.tasks[index], held.lease.attempt)
        if held.put(index, result):
            self.finished(held)
        return True

    def _result(self, line: str, attempt: int) -> TaskResult:
        start_ms, started_s = self.clock.now_ms(), self.clock.monotonic_s()
        state, error, value, task = TaskState.SUCCEEDED, None, None, None
        try:
            task = parse_task(line)
            value = self.registry.run(task)
        except (LineError, UnknownTaskError) as refusal:
            state, error = TaskState.REJECTED, _bounded(str(refusal))
        except BaseException as failure:  # noqa: BLE001 (whatever a handler raises, sys.exit too, is its task's result)
            state, error = TaskState.FAILED, _bounded(_reason(failure))
        duration_us = max(0, round((self.clock.monotonic_s() - started_s) * 1_000_000))
        task_id = task.id if task is not None else None
        return TaskResult(state, start_ms, duration_us, attempt, error=error, value=_json_or_none(value), id=task_id)


def _reason(failure: BaseException) -> str:
    try:
        said = str(failure)
    except Exception:  # noqa: BLE001 (a __str__ that raises is the handler's, and must not end the slot)
        said = "(its message can't be shown)"
    return f"{type(failure).__name__}: {said}"


def _bounded(error: str) -> str:
    return error[:MAX_ERROR_CHARACTERS].encode(errors="replace").decode()


def _json_or_none(value: object) -> object:
    if value is None:
        return None
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None  # not JSON: the task succeeded, there is nothing to record
    return value
