"""What a handler may ask about the task that it runs, where it may leave files, and how it tells its stages apart.

from cloudkon.handlers.context import context

here = context()
with here.stage("render"):
    ...
key = here.store("video.mp4", path)
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath

from cloudkon.errors import InputError
from cloudkon.handlers.task_log import TaskLog
from cloudkon.ledger.bundle import BundleKey
from cloudkon.ledger.results import MAX_PHASE_CHARACTERS, MAX_PHASES, OTHER_PHASES
from cloudkon.ports import ObjectStore
from cloudkon.telemetry.tracing import Steps, step_of

_MAX_NAME_CHARACTERS = 200
"""What is left of a key's 1,024 bytes, in the widest letters.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
_STAGE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9 ._-]{{0,{MAX_PHASE_CHARACTERS - 1}}}")


class Context:
    """One run of one task; every task gets one, so what few of them need is made when it is asked for."""

    __slots__ = ("_bundle", "_log", "_monotonic_s", "_outputs", "_stages", "_steps", "_store", "attempt", "index")

    def __init__(
        self,
        bundle: BundleKey,
        attempt: int,
        index: int,
        store: ObjectStore,
        monotonic_s: Callable[[], float] = time.monotonic,
        steps: Steps | None = None,
    ) -> None:
        self._bundle = bundle
        self._store = store
        self._steps = steps
        self._monotonic_s = monotonic_s
        self._outputs: tuple[str, ...] = ()
        self._stages: _Stages | None = None
        self._log: TaskLog | None = None
        self.attempt = attempt
        """The number of this claim of the bundle, from 1 up: no two runs of a task have the same."""
        self.index = index
        """The task's place in its bundle, from 0."""

    @property
    def job(self) -> str:
        return self._bundle.job

    @property
    def bundle(self) -> str:
        """The bundle's id within its job."""
        return self._bundle.id

    @property
    def place(self) -> str:
        """This run's own place among those of all runs: job, bundle, attempt and index."""
        return f"{self._bundle}/{self.attempt}/{self.index}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The keys of what was stored, in order; the task's result names the first."""
        return self._outputs

    @property
    def log(self) -> TaskLog:
        """What the task has printed and logged so far; what is written into it is kept if the task fails."""
        if self._log is None:
            self._log = TaskLog()
        return self._log

    @property
    def said(self) -> str:
        """The log's text, empty if nothing was said."""
        return "" if self._log is None else self._log.text

    def last_words(self) -> str:
        """What the task printed after the end of its last line, and nobody has seen yet."""
        return "" if self._log is None else self._log.last_line()

    @property
    def is_silent(self) -> bool:
        """Whether the task has left nothing so far: no file, no text, no time of a stage."""
        return self._log is None and self._stages is None and not self._outputs

    @property
    def stages_ms(self) -> Mapping[str, float]:
        """What each stage has taken of this task's time so far, in the order of their beginnings; for any thread."""
        return {} if self._stages is None else self._stages.so_far_ms(self._monotonic_s)

    def store(self, name: str, content: Path | bytes) -> str:
        """Keep a file, or bytes, in the results bucket or folder; return its key.

        The key is this run's own: whoever runs the task again, or ran it before and did not notice that its lease was
        lost, writes elsewhere, and the completion names one of them. Raises InputError for a name that leads elsewhere.
        """
        key = f"outputs/{self.place}/{_checked(name)}"
        with step_of(self._steps, "store"):
            if isinstance(content, Path):
                self._store.upload(key, content)
            else:
                self._store.write(key, content)
        if key not in self._outputs:
            self._outputs += (key,)
        return key

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time until the block ends as this stage's, and as no other's that it lies within.

        Stages of one name add up, and a task's result tells of the first seven names, and of "other". For the thread
        that runs the task alone. Raises InputError for a name that no table could show.
        """
        if not _STAGE.fullmatch(name):
            raise InputError(
                f"{name[:_MAX_NAME_CHARACTERS]!r} can't be a stage's name: write download, or read-2, "
                f"of {MAX_PHASE_CHARACTERS} letters and digits at most."
            )
        if self._stages is None:
            self._stages = _Stages()
        began = self._stages.enter(name, self._monotonic_s())
        try:
            with step_of(self._steps, name):
                yield
        finally:
            self._stages.leave(began, self._monotonic_s())


class _Stages:
    """A stack of stages, of which the topmost is the one that time is counted for."""

    def __init__(self) -> None:
        self._totals_ms: dict[str, float] = {}
        self._current: str | None = None
        self._since_s = 0.0

    def so_far_ms(self, monotonic_s: Callable[[], float]) -> Mapping[str, float]:
        totals_ms, current = self._totals_ms.copy(), self._current
        if current is not None:
            totals_ms[current] += 1000 * (monotonic_s() - self._since_s)
        return totals_ms

    def enter(self, name: str, now_s: float) -> str | None:
        """Begin a stage; return the one that it interrupts."""
        before = self._current
        self._count(now_s)
        if name not in self._totals_ms and len(self._totals_ms) >= MAX_PHASES - 1:
            name = OTHER_PHASES
        self._totals_ms.setdefault(name, 0.0)
        self._current = name
        return before

    def leave(self, before: str | None, now_s: float) -> None:
        self._count(now_s)
        self._current = before

    def _count(self, now_s: float) -> None:
        if self._current is not None:
            self._totals_ms[self._current] += 1000 * (now_s - self._since_s)
        self._since_s = now_s


_context: ContextVar[Context | None] = ContextVar("cloudkon_context", default=None)


def context() -> Context:
    """The context of the task that this thread runs; raise RuntimeError outside of any."""
    here = _context.get()
    if here is None:
        raise RuntimeError("context() is for handlers: no worker runs a task here.")
    return here


def log_of_task() -> TaskLog | None:
    """The log of the task that this thread runs, if it runs one."""
    here = _context.get()
    return None if here is None else here.log


enter = _context.set
"""Lets what this thread runs know its context, None for none; returns the token for leave."""
leave = _context.reset


def _checked(name: str) -> str:
    parts = PurePosixPath(name).parts
    plain = name.isprintable() and name == "/".join(parts) and not {"..", "/"} & set(parts)
    if not plain or not 0 < len(name) <= _MAX_NAME_CHARACTERS:
        raise InputError(f"{name[:_MAX_NAME_CHARACTERS]!r} can't be an output's name: write video.mp4, or parts/1.jpg.")
    return name
