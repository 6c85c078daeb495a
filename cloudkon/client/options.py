"""What a caller may set for a whole job, written as the header of its workload."""

from dataclasses import dataclass

from cloudkon.errors import InputError
from cloudkon.workload.lines import Line
from cloudkon.workload.planning import read_options


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The options of docs/workloads.md; None leaves each to the functions and the settings."""

    bundle: int | None = None
    retries: int | None = None
    timeout_s: float | None = None
    slots: int | None = None
    """How many slots of a worker each task needs."""
    max_fails: int | str | None = None
    """A number, or a share such as "5%"."""

    def header(self) -> str:
        """The header's line, empty without options; raise InputError for a value that can't be used."""
        words = [f"{name}={value}" for name, value in self._words().items() if value is not None]
        if not words:
            return ""
        line = f"#cloudkon: {' '.join(words)}"
        for error in read_options(Line(1, line, len(line)))[1]:
            raise InputError(f"{error.reason[:1].upper()}{error.reason[1:]}.")
        return f"{line}\n"

    def _words(self) -> dict[str, str | int | None]:
        timeout_ms = None if self.timeout_s is None else round(1000 * self.timeout_s)
        return {
            "bundle": self.bundle,
            "retries": self.retries,
            "slots": self.slots,
            "max_fails": self.max_fails,
            "timeout": None if timeout_ms is None else f"{timeout_ms}ms",
        }
