"""Runs functions and workloads on this machine, or on a stage.

from cloudkon import Client
from my_tasks import thumbnail

with Client() as client:
    for size in client.map(thumbnail, ["a.png", "b.png"]):
        print(size)
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from cloudkon.client.arguments import call_line
from cloudkon.client.backend import Backend
from cloudkon.client.function_names import name_of
from cloudkon.client.job import Job
from cloudkon.client.local.local_backend import LocalBackend
from cloudkon.client.local.local_settings import local_settings
from cloudkon.client.mapped import MappedValues
from cloudkon.client.options import JobOptions
from cloudkon.client.values import as_annotated
from cloudkon.client.workload_file import lines_of, remove_workload, write_workload
from cloudkon.clock import Clock, SystemClock
from cloudkon.errors import InputError, NotFoundError
from cloudkon.local.paths import default_ledger
from cloudkon.settings import Settings
from cloudkon.stage.names import check_stage
from ec2_worker.handlers import PICTURE_NETWORKS_VARIABLE, PictureSources, handlers

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
Workload = str | Path | Iterable[str | Mapping[str, Any]]


class Client:
    """Client() runs in this process, Client(stage="dev") on that stage's workers; everything else is the same.

    CLOUDKON_STAGE, which chooses the stage of commands, does not choose here: say Client(stage=os.environ.get(...)).
    Leaving its block waits for the jobs of this process that are not paused; an exception stops them. Jobs of a stage
    go on. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        stage: str | None = None,
        threads: int | None = None,
        tasks: Sequence[str | Callable[..., Any]] = (),
        allow: Sequence[str] = (),
        ledger: Path | None = None,
        temporary: bool = False,
        progress: bool | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Without a stage: `threads` run tasks at a time, by default one a core.

        `tasks` are modules, such as "my_tasks", and marked functions, which the lines of submitted workloads may name;
        `allow=["shell"]` permits commands. `ledger` is the file of the record, by default the one that cloudkon-cli
        reads; `temporary`: the record is deleted when the client is closed. `progress`: by default it is shown on a
        terminal and in a notebook. Raises InputError for what contradicts itself.
        """
        self.backend: Backend
        """Where the jobs run."""
        self._clock = clock or SystemClock()
        self._progress = progress
        own = {"threads": threads, "tasks": tasks, "allow": allow, "ledger": ledger, "temporary": temporary}
        if stage is not None and (given := [name for name, value in own.items() if value]):
            raise InputError(
                f"{given[0]}= is for a client of this process: the workers of stage {stage} have been started with "
                "theirs, and the stage keeps the record."
            )
        if stage is not None:
            self.backend = _stage_backend(stage, self._clock)
        else:
            self.backend = _local_backend(threads, tasks, allow, ledger, self._clock, is_temporary=temporary)

    @overload
    def map(
        self, function: Callable[[A], T], items: Iterable[A], /, *, timeout_s: float | None = ..., **options: Any
    ) -> MappedValues[T]: ...
    @overload
    def map(
        self,
        function: Callable[[A, B], T],
        items: Iterable[A],
        others: Iterable[B],
        /,
        *,
        timeout_s: float | None = ...,
        **options: Any,
    ) -> MappedValues[T]: ...
    @overload
    def map(
        self, function: Callable[..., T], /, *items: Iterable[Any], timeout_s: float | None = ..., **options: Any
    ) -> MappedValues[T]: ...
    def map(
        self, function: Callable[..., T], /, *items: Iterable[Any], timeout_s: float | None = None, **options: Any
    ) -> MappedValues[T]:
        """Run a function over items as one job; return an iterator over its values, in the order of the items.

        Several iterables are walked together, as by the built-in map. The function travels by its name, and the items
        as JSON; both are checked before anything runs. options: see submit. Raises InputError for functions without a
        name and items that JSON can't carry; the iterator raises TaskError, JobStoppedError and TimeoutError.
        """
        job, first, count = self._begun(function, zip(*items, strict=False), JobOptions(**options))
        return MappedValues(job, first, count, as_annotated(function), timeout_s)

    def submit(self, workload: Workload, *, name: str = "tasks", **options: Any) -> Job:
        """Begin a job: a text of lines, a file by its Path, or lines one by one (text, or a dict for a line of JSON).

        name becomes a part of the job's id. options of docs/workloads.md, except for a file, which has its own:
        bundle, retries, timeout_s of one try. Raises InputError for what can't be a workload, before anything runs.
        """
        given = JobOptions(**options)
        if isinstance(workload, Path):
            if given != JobOptions():
                raise InputError(f"{workload} is a file, whose options stand in its first lines: #cloudkon: retries=5")
            return self._job(self.backend.begin(workload, is_own=False))
        if isinstance(workload, str) and "\n" not in workload and workload and Path(workload).is_file():
            raise InputError(f"{workload!r} is read as the text of a workload. Name the file: Path({workload!r})")
        lines = workload.splitlines() if isinstance(workload, str) else workload
        return self._submitted(name, given, lines_of(lines))

    def job(self, job_id: str) -> Job:
        """A job that was begun before: by this program, another one, or cloudkon-cli. Raises NotFoundError."""
        if self.backend.ledger.job(job_id) is None:
            raise NotFoundError(f"There is no job {job_id!r} here, or not yet. See the others: cloudkon-cli jobs")
        return self._job(job_id)

    def close(self, *, wait: bool = True) -> None:
        """Let go of everything; wait: until the jobs of this process have ended, or are paused."""
        self.backend.close(wait=wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(wait=kind is None)

    def permitted(self, function: Callable[..., Any]) -> str:
        """The name of the tasks that run a function, which they may from now on. Raises InputError if it has none."""
        name = name_of(function)
        self.backend.permit(name, function)
        return name

    def _begun(
        self, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], options: JobOptions
    ) -> tuple[Job, int, int]:
        """The job, the line of its first item, and the number of its items."""
        task = self.permitted(function)
        count = 0

        def lines() -> Iterator[str]:
            nonlocal count
            for number, arguments in enumerate(calls):
                yield call_line(task, arguments, {}, f"item {number}")
                count = number + 1

        job = self._submitted(getattr(function, "__name__", task), options, lines())
        return job, 2 if options.header() else 1, count

    def _submitted(self, name: str, options: JobOptions, lines: Iterable[str]) -> Job:
        path = write_workload(self.backend.folder, name, options.header(), lines)
        try:
            return self._job(self.backend.begin(path, is_own=True))
        except BaseException:
            remove_workload(path)
            raise

    def _job(self, job_id: str) -> Job:
        return Job(self.backend, job_id, self._clock, progress=self._progress)


def _local_backend(
    threads: int | None,
    tasks: Sequence[str | Callable[..., Any]],
    allow: Sequence[str],
    ledger: Path | None,
    clock: Clock,
    *,
    is_temporary: bool,
) -> LocalBackend:
    if ledger is not None and is_temporary:
        raise InputError("ledger= and temporary= contradict each other: a temporary ledger is deleted.")
    if threads is not None and threads < 1:
        raise InputError(f"threads={threads}: at least 1 is needed.")
    pictures = PictureSources(os.environ.get(PICTURE_NETWORKS_VARIABLE, ""), files=True)
    registry = handlers([task for task in tasks if isinstance(task, str)], allow, pictures)
    for task in tasks:
        if not isinstance(task, str):
            registry.add(task)
    if is_temporary:
        ledger = Path(tempfile.mkdtemp(prefix="cloudkon-client-")) / "ledger.sqlite3"
    return LocalBackend(
        ledger or default_ledger(os.environ),
        registry,
        slots=threads or os.cpu_count() or 1,
        settings=local_settings(os.environ),
        clock=clock,
        is_temporary=is_temporary,
    )


def _stage_backend(stage: str, clock: Clock) -> Backend:
    from cloudkon.client.stage_backend import StageBackend  # noqa: PLC0415 (a client of this process does without)
    from cloudkon.wiring import cloud  # noqa: PLC0415 (as above)

    return StageBackend(cloud(check_stage(stage), Settings.from_environ(os.environ)), clock)
