"""Groups what went wrong: errors that differ only in numbers and ids have one reason."""

import re
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cloudkon.ledger.results import TaskState
from cloudkon.reports.task_results import ResultJson

UNSUCCESSFUL = (TaskState.FAILED.word, TaskState.REJECTED.word)
_MOST_CHARACTERS = 200
_MOST_GROUPS = 1_000
"""How many groups are told apart, so that a million different errors take little memory; the rest is one group."""
_MOST_LINES = 5
OTHER_REASONS = "(other reasons)"

_ID = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,})\b",
    re.IGNORECASE,
)
# A code is the reason itself: exit code 1 and exit code 137 are two of them, item 1 and item 137 are one. So is what
# HTTP libraries say: "HTTP Error 503: ...", "503 Server Error", "404 Not Found".
_NUMBER = re.compile(
    r"(\b(?i:code|errno|exited with|signal|status|http(?:/[\d.]+)?(?: error)?)\W{0,3}|(?<!\d)(?=[45]\d\d [A-Z][a-z]))?"
    r"(?<![\d.])\d+(?:[.,:]\d+)*"
)


def error_reason(error: str) -> str:
    """The error on one line, with ids as <id> and numbers as <n>, except codes."""
    line = _ID.sub("<id>", " ".join(error.split()))
    line = _NUMBER.sub(lambda found: found[0] if found[1] is not None else "<n>", line)
    return without_middle(line, _MOST_CHARACTERS)


def without_middle(text: str, most: int) -> str:
    """The beginning and the end of a long text: programs say at the end of what they print why they failed."""
    if len(text) <= most:
        return text
    head = most // 3
    return f"{text[:head].rstrip()} ... {text[head - most + 5 :].lstrip()}"


@dataclass(slots=True)
class ErrorGroup:
    """Tasks that ended badly for one reason."""

    state: str
    reason: str
    example: str
    """The error of the first of them, as `failed --json` shows it."""
    count: int = 0
    lines: list[int] = field(default_factory=list)
    """The line numbers of the first few."""
    alike: bool = True
    """Whether every one of them has the very same error."""
    raised_at: str | None = None
    """The place in the handler of the first of them."""

    @property
    def text(self) -> str:
        """What they have in common: the error itself where it is the same, else the reason."""
        text = " ".join(self.example.split()) if self.alike else self.reason
        return text if self.raised_at is None else f"{text} ({self.raised_at})"

    def add(self, line: int, error: str, raised_at: str | None) -> None:
        """Count one more task; tasks may come in any order."""
        self.count += 1
        self.alike = self.alike and error == self.example
        if self.lines and line < self.lines[0]:
            self.example, self.raised_at = error, raised_at
        if len(self.lines) < _MOST_LINES or line < self.lines[-1]:
            insort(self.lines, line)
            del self.lines[_MOST_LINES:]


class ErrorGroups:
    """Groups errors by their reasons, one after the other, in bounded memory."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], ErrorGroup] = {}

    def add(self, state: str, line: int, error: str, raised_at: str | None) -> None:
        """Count a task that ended badly."""
        groups, key = self._groups, (state, error_reason(error))
        if key not in groups and len(groups) >= _MOST_GROUPS:
            key = (state, OTHER_REASONS)
        groups.setdefault(key, ErrorGroup(*key, error, raised_at=raised_at)).add(line, error, raised_at)

    def by_frequency(self) -> list[ErrorGroup]:
        """The most frequent reason first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.lines))


def group_errors(results: Iterable[ResultJson]) -> Sequence[ErrorGroup]:
    """Group the results that are no success by their reasons, the most frequent reason first."""
    groups = ErrorGroups()
    for result in unsuccessful(results):
        groups.add(result["state"], result["task"], str(result.get("error", "")), result.get("raised_at"))
    return groups.by_frequency()


def unsuccessful(results: Iterable[ResultJson]) -> Iterator[ResultJson]:
    return (result for result in results if result["state"] in UNSUCCESSFUL)


def error_contains(result: ResultJson, text: str) -> bool:
    """Whether the result's error, as it is or as a reason, contains the text; case does not matter."""
    error = str(result.get("error", ""))
    wanted = text.casefold()
    return wanted in error.casefold() or wanted in error_reason(error).casefold()
