"""How a worker's process ended, and what that asks of whoever started it."""

import signal
from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """69 and 75 are those of sysexits.h: https://man.openbsd.org/sysexits.3."""

    DONE = 0  # idle for long enough, or drained: nobody starts another
    FAILED = 1  # something it needs failed it: a supervisor starts another, after a while
    REFUSED = 2  # its arguments or its settings can't be used: another would end the same way
    SICK = 69  # it can't work here: a supervisor starts another, after a while; auto scaling another machine
    REPLACE = 75  # a slot is stuck, nothing else is wrong: a supervisor starts another at once


_MEANINGS = {
    Exit.REFUSED: "its arguments or settings can't be used",
    Exit.SICK: "it is sick",
    Exit.REPLACE: "it asked to be replaced",
}
_LIKELY_CAUSES = {
    signal.SIGKILL: "probably out of memory",
    signal.SIGSEGV: "native code crashed",
    signal.SIGBUS: "native code crashed",
    signal.SIGILL: "native code crashed",
    signal.SIGFPE: "native code crashed",
    signal.SIGABRT: "native code gave up",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one process."""

    code: int
    """An exit code, or the signal that killed it as a negative number."""
    clean_exit: bool
    """Whether it announced its exit. A task that calls os._exit(0) is no worker that has nothing left to do."""

    @property
    def exit(self) -> Exit | None:
        """What the exit code means; None if the worker died, and its code means nothing."""
        return Exit(self.code) if self.clean_exit and self.code in set(Exit) else None

    def __str__(self) -> str:
        """As in "was killed by SIGSEGV (native code crashed)"."""
        if self.code < 0:
            return _killed_by(-self.code)
        if not self.clean_exit:
            return f"ended with exit code {self.code} in the midst of its work (an error above, or a task that exits)"
        meaning = _MEANINGS.get(self.exit) if self.exit is not None else None
        return f"ended with exit code {self.code}" + (f" ({meaning})" if meaning else "")


def _killed_by(number: int) -> str:
    try:
        known = signal.Signals(number)
    except ValueError:  # a real-time signal
        return f"was killed by signal {number}"
    likely = _LIKELY_CAUSES.get(known)
    return f"was killed by {known.name}" + (f" ({likely})" if likely else "")
