"""What became of a bundle's tasks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

MAX_ERROR_CHARACTERS = 1_000
"""64 tasks that all fail with this much of the widest text stay below the 400 KB of a DynamoDB item."""
MAX_VALUE_BYTES = 1_024
"""A larger value goes to the object store, and the ledger holds its key."""
MAX_LOG_BYTES = 1_024
"""A longer log goes to the object store: mostly tasks that failed have one, and those have no value."""
MAX_PHASES, MAX_PHASE_CHARACTERS = 8, 24
"""How many phases a handler may tell apart, and how long their names may be (in ASCII): 20 KB for a bundle of 64."""
RETURNED_BYTES = "value.bin"
"""The name under which bytes that a handler returns are stored."""
OTHER_PHASES = "other"
"""The name under which further phases are added up."""


class TaskState(IntEnum):
    """How a task's last run ended."""

    SUCCEEDED = 1  # final
    FAILED = 2  # final
    REJECTED = 3  # final
    RETRYING = 4  # failed, with tries left: whoever claims the bundle next moves it on

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class JsonText:
    """A value as the JSON that is recorded of it: text, so that nothing can change it on its way to the ledger."""

    text: str

    @property
    def value(self) -> Any:
        return json.loads(self.text)


def json_text(value: Any) -> str:
    """A result's value as JSON."""
    return value.text if isinstance(value, JsonText) else json.dumps(value)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How one task ended, when, and what it said."""

    state: TaskState
    start_ms: int
    duration_us: int
    attempt: int
    runs: int = 1
    recorded_ms: int | None = None
    error: str | None = None
    value: Any = None
    """JsonText from the end of the task until it is recorded; read back, what JSON holds."""
    output: str | None = None
    id: str | None = None
    """The id that the workload gives the task."""
    phases_ms: Mapping[str, float] | None = None
    """How long each phase took that the handler tells apart by context().stage(...); None if it tells none."""
    log: str | None = None
    """What it printed and logged, and its traceback, if that is kept and not longer than MAX_LOG_BYTES."""
    log_key: str | None = None
    """Where a longer one is, in the object store."""
    raised_at: str | None = None
    """The place in the handler's own code that raised."""

    @property
    def is_final(self) -> bool:
        return self.state is not TaskState.RETRYING

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.duration_us / 1000


Results = Sequence[TaskResult | None]
"""One entry for each task of a bundle, in its order; None for a task without a result."""


def is_large(result: TaskResult | None) -> bool:
    """Whether the result's value has to be stored elsewhere before the result can be recorded."""
    if result is None or result.value is None or result.recorded_ms is not None:
        return False
    return len(json_text(result.value).encode()) > MAX_VALUE_BYTES
