"""How long the tasks of a name take: what workers have measured, for the plan of the next job."""

from dataclasses import dataclass
from typing import Protocol

MAX_NAME_CHARACTERS = 200
"""A longer name is not learnt: it is part of a key."""
RENEW_MS = 60_000
"""A row that is younger is left alone, whichever worker wrote it: a fleet writes one row a minute for a name."""


@dataclass(frozen=True, slots=True)
class TaskTime:
    """The mean time of the tasks of a name."""

    name: str
    mean_ms: float
    seen_ms: int
    """When it was measured [ms since the epoch]."""


class TaskTimes(Protocol):
    """What is known of the times of tasks, for all jobs of a ledger."""

    def learn_task_time(self, time: TaskTime) -> None:
        """Write the row, unless one stands that is less than RENEW_MS older."""
        ...

    def task_time(self, name: str) -> TaskTime | None:
        """Read the row of a name; None where nothing has been learnt."""
        ...
