"""What a person asked of a LOCAL run."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from cli.input.form_options import form_words
from cli.jobs.local_runs import RunOptions
from cli.running.results_file import ResultsFile
from cli.system.machine_limits import MachineLimits
from cli.system.paths import default_ledger
from cloudkon.errors import InputError
from cloudkon.handlers.registry import Registry
from cloudkon.workload.formats import HEAD_BYTES
from cloudkon.workload.lines import GZIP_MAGIC, Line, gunzip, read_lines
from cloudkon.workload.task_line import LineError, is_task_line, parse_task
from cloudkon.workload.templates.expanding import expanded
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.header import find_form


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    """The options of run LOCAL, and those of retry that mean the same."""

    file: Path
    ledger_file: Path
    slots: int
    """Of each process, if there are several."""
    processes: int | None = None
    """How many processes run the tasks; None: this one does, in its threads."""
    is_sized: bool = True
    """Whether it was said how many tasks run at a time; else that may follow from the handlers."""
    modules: Sequence[str] = ()
    allowed: Sequence[str] = ()
    retries: int | None = None
    """How often a failed task is run again where neither the workload nor its handler says; None: not at all."""
    keep_logs: bool = False
    """Whether the logs of all tasks are kept."""
    limits: MachineLimits = field(default_factory=MachineLimits)
    """What is left to others on this machine."""
    results: ResultsFile | None = None
    joblog: Path | None = None
    """Where the log in GNU parallel's columns goes, when the run ends."""
    resume: bool = False
    chaos_seed: int | None = None
    again: Sequence[str] = ()
    """The command that begins anew, where the run is nothing that a person could resume; empty: it can be."""
    form: Form | None = None
    """How tasks are made of the file's lines, where options say so."""
    folders: Sequence[str] = ()
    """Where the modules are looked for beside the usual places: where an earlier run found them."""

    def to_remember(self) -> RunOptions:
        """What a run of some of its tasks again has to know."""
        here = [*_current_folder(), str(self.file.resolve().parent)]
        modules = [_with_whole_path(name) for name in self.modules]
        folders = list(dict.fromkeys([*here, *self.folders])) if modules else []
        return RunOptions(self.slots, self.processes, modules, list(self.allowed), self.retries, folders)

    def sized_for(self, registry: Registry) -> Self:
        """The same, with a process a core if it was not said how many, and the first tasks compute in Python."""
        cores = os.cpu_count() or 1
        if self.is_sized or cores == 1 or not any(map(registry.is_cpu_bound, self._first_names())):
            return self
        return replace(self, slots=1, processes=cores)

    def _first_names(self) -> Iterator[str]:
        """The names of the tasks near the top of the workload."""
        with self.file.open("rb") as file:
            head = file.read(HEAD_BYTES)
        lines = list(read_lines(_plain(head)))
        form = find_form(lines, self.form)
        for line in lines if form is None else expanded(lines, form, is_first=True):
            if isinstance(line, Line) and is_task_line(line.text):
                with suppress(LineError):
                    yield parse_task(line.text).name

    def command(self) -> list[str]:
        """The command that goes on with this run."""
        file = str(self.file)
        words = ["cloudkon-cli", "run", "LOCAL", file if not file.startswith("-") else f"./{file}"]
        words += ["-t", str(self.slots), "--resume"]
        words += [] if self.ledger_file == default_ledger() else ["--ledger", str(self.ledger_file)]
        words += form_words(None if self.form is None else replace(self.form, from_options=True).as_text())
        if self.processes is not None:
            words += ["--processes", str(self.processes)]
        words += [word for module in self.modules for word in ("--tasks", module)]
        words += [word for name in self.allowed for word in ("--allow", name)]
        if self.retries is not None:
            words += ["--retries", str(self.retries)]
        if self.keep_logs:
            words.append("--keep-logs")
        words += self.limits.words()
        if self.joblog is not None:
            words += ["--joblog", str(self.joblog)]
        if self.results is not None:
            words += ["--results", str(self.results.shown)]
        return words


def _plain(head: bytes) -> Iterator[bytes]:
    """The beginning of the text, packed or not; what is cut off in it ends it."""
    with suppress(InputError):
        yield from gunzip([head]) if head.startswith(GZIP_MAGIC) else [head]


def _with_whole_path(module: str) -> str:
    """A module that is named by its file, with or without one of its functions, found from any folder."""
    file, colon, function = module.partition(":")
    is_file = file.endswith(".py") or "/" in file
    return f"{Path(file).resolve()}{colon}{function}" if is_file else module


def _current_folder() -> list[str]:
    """Nothing where it was deleted meanwhile."""
    try:
        return [str(Path.cwd())]
    except FileNotFoundError:
        return []
