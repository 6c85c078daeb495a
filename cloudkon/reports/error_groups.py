"""Groups what went wrong: errors that differ only in numbers and ids have one reason."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cloudkon.ledger.results import TaskState
from cloudkon.reports.task_results import Outcome

NOT_WELL = (TaskState.FAILED.word, TaskState.REJECTED.word)
_MOST_CHARACTERS = 200
_MOST_GROUPS = 1_000
"""So that a million different errors take no memory; the rest is one group."""
_MOST_EXAMPLES = 5
OTHER = "(other reasons)"

_ID = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,})\b",
    re.IGNORECASE,
)
# A code is the reason itself: exit code 1 and exit code 137 are two of them, item 1 and item 137 are one.
_NUMBER = re.compile(
    r"(\b(?:code|errno|exited with|signal|status|http(?:/[\d.]+)?)\W{0,3})?(?<![\d.])\d+(?:[.,:]\d+)*", re.IGNORECASE
)


def reason_of(error: str) -> str:
    """The error on one line, with ids as <id> and numbers as <n>, except codes."""
    line = _ID.sub("<id>", " ".join(error.split()))
    return _NUMBER.sub(lambda found: found[0] if found[1] else "<n>", line)[:_MOST_CHARACTERS]


@dataclass(slots=True)
class Group:
    """Tasks that ended badly for one reason."""

    state: str
    reason: str
    example: str
    """What the first of them said."""
    count: int = 0
    lines: list[int] = field(default_factory=list)
    """The first few of them."""

    def add(self, line: int) -> None:
        self.count += 1
        if len(self.lines) < _MOST_EXAMPLES:
            self.lines.append(line)


def grouped(outcomes: Iterable[Outcome]) -> Sequence[Group]:
    """The reasons of the outcomes that were none too good, the most frequent first."""
    groups: dict[tuple[str, str], Group] = {}
    for outcome in not_well(outcomes):
        said = str(outcome.get("error", ""))
        key = (outcome["state"], reason_of(said))
        if key not in groups and len(groups) >= _MOST_GROUPS:
            key = (outcome["state"], OTHER)
        groups.setdefault(key, Group(*key, said)).add(outcome["task"])
    return sorted(groups.values(), key=lambda group: (-group.count, group.lines))


def not_well(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    return (outcome for outcome in outcomes if outcome["state"] in NOT_WELL)


def says(outcome: Outcome, text: str) -> bool:
    """Whether the outcome's error, as it is or as a reason, holds the text; case does not matter."""
    error = str(outcome.get("error", ""))
    wanted = text.casefold()
    return wanted in error.casefold() or wanted in reason_of(error).casefold()
