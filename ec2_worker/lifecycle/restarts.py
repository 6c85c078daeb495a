r"""What becomes of a supervised process that has ended, decided purely.

WAITING --started--> RUNNING --ended--> OVER      as done, or while draining
   ^                         \--ended--> WAITING  in any other way, until it is due again
"""

import signal
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from cloudkon.backoff import Backoff
from ec2_worker.lifecycle.exits import Ending, Exit


class ProcessState(StrEnum):
    WAITING = "waiting"  # the supervisor moves it on, once it is due
    RUNNING = "running"  # its process moves it on, by ending
    OVER = "over"  # final


@dataclass(slots=True)
class ManagedProcess:
    """One of the supervisor's processes, through all its restarts."""

    state: ProcessState = ProcessState.WAITING
    due_s: float = 0.0
    """When its next process may start, by the supervisor's monotonic clock; the first at once."""
    started_s: float = 0.0
    failures: int = 0
    """Deaths in a row, none of them after a healthy while."""
    last: Ending | None = None


@dataclass(slots=True)
class Restarts:
    """The processes of one supervisor, and what becomes of each."""

    count: int
    backoff: Backoff = field(default_factory=lambda: Backoff(base_s=1.0, cap_s=60.0))
    healthy_s: float = 60.0
    """A process that lived for so long begins the backoff anew."""
    draining: bool = False
    processes: list[ManagedProcess] = field(init=False)

    def __post_init__(self) -> None:
        self.processes = [ManagedProcess(due_s=float("-inf")) for _ in range(self.count)]

    def due(self, now_s: float) -> list[int]:
        """Which processes may be started now, by number."""
        return [number for number, process in enumerate(self.processes) if _waits(process) and process.due_s <= now_s]

    @property
    def next_due_s(self) -> float | None:
        """When the next process may be started, None if none waits for that."""
        return min((process.due_s for process in self.processes if _waits(process)), default=None)

    def started(self, number: int, now_s: float) -> None:
        process = self.processes[number]
        process.state, process.started_s = ProcessState.RUNNING, now_s

    def ended(self, number: int, ending: Ending, now_s: float) -> float | None:
        """Take note of an end; return after how long the process is started again, None for never [s]."""
        process = self.processes[number]
        process.last = ending
        after_s = None if self.draining else self._restarts_after_s(process, ending, now_s)
        if after_s is None:
            process.state = ProcessState.OVER
        else:
            process.state, process.due_s = ProcessState.WAITING, now_s + after_s
        return after_s

    def _restarts_after_s(self, process: ManagedProcess, ending: Ending, now_s: float) -> float | None:
        match ending.exit:
            case Exit.DONE | Exit.REFUSED:
                return None
            case Exit.REPLACE:
                return 0.0
            case Exit.FAILED | Exit.SICK | None:
                healthy = now_s - process.started_s >= self.healthy_s
                process.failures = 1 if healthy else process.failures + 1
                return self.backoff.delay_s(process.failures)
            case other:
                assert_never(other)

    def drain(self) -> None:
        """Start nothing more."""
        self.draining = True
        for process in self.processes:
            if _waits(process):
                process.state, process.last = ProcessState.OVER, None

    @property
    def over(self) -> bool:
        return all(process.state is ProcessState.OVER for process in self.processes)

    @property
    def hopeless(self) -> Exit | None:
        """The code to end with, if restarts make no sense here.

        What one process refuses, all will; and when each process was sick the last time, the machine is.
        """
        lasts = {process.last.exit if process.last else None for process in self.processes}
        if Exit.REFUSED in lasts:
            return Exit.REFUSED
        return Exit.SICK if lasts == {Exit.SICK} else None

    @property
    def code(self) -> int:
        """What the supervisor ends with once all is over."""
        return Exit.DONE if all(_ended_well(process.last) for process in self.processes) else Exit.FAILED


def _waits(process: ManagedProcess) -> bool:
    return process.state is ProcessState.WAITING


def _ended_well(ending: Ending | None) -> bool:
    # A process that SIGTERM finds before it listens for it holds nothing.
    return ending is None or ending.exit is Exit.DONE or ending.code == -signal.SIGTERM
