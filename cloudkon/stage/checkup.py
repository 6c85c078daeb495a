"""What an examination of a machine or an installation finds: of each thing, how it is, and what to do about it."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cloudkon.errors import CloudKonError, DeniedError


class Verdict(StrEnum):
    OK = "ok"
    PROBLEM = "problem"
    ABSENT = "absent"  # it is there for those who want it; the rest is well without it
    UNKNOWN = "unknown"  # nobody could be asked; the rest may still be well


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check."""

    subject: str
    verdict: Verdict
    says: str
    remedy: str = ""
    """What to do about a problem, how to get what is absent, or how to come to know."""

    def __str__(self) -> str:
        """One line, without the remedy."""
        return f"{self.verdict.value:<8} {self.subject:<14} {' '.join(self.says.split())}"


OLDEST_PYTHON = (3, 11)
Check = Callable[[], Iterable[CheckResult]]


def ok(subject: str, says: str) -> CheckResult:
    return CheckResult(subject, Verdict.OK, says)


def problem(subject: str, says: str, remedy: str = "") -> CheckResult:
    return CheckResult(subject, Verdict.PROBLEM, says, remedy)


def absent(subject: str, says: str, remedy: str) -> CheckResult:
    return CheckResult(subject, Verdict.ABSENT, says, remedy)


def unknown(subject: str, says: str, remedy: str = "") -> CheckResult:
    return CheckResult(subject, Verdict.UNKNOWN, says, remedy)


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> CheckResult:
    """Whether this Python is new enough for CloudKon."""
    here = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return problem("python", f"This is Python {here}.", "Use Python 3.11 or later.")
    return ok("python", here)


def run_check(subject: str, check: Check) -> Iterator[CheckResult]:
    """Run a check and yield its results; an error that it raises on purpose becomes a result."""
    try:
        yield from check()
    except DeniedError as error:
        yield unknown(subject, str(error), "Ask again with credentials that may, such as the operator's policy.")
    except CloudKonError as error:
        yield unknown(subject, str(error))
