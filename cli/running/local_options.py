"""What a person asked of a LOCAL run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.jobs.local_runs import RunOptions
from cli.running.results_file import ResultsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    """The options of run LOCAL, and those of retry that mean the same."""

    file: Path
    ledger_file: Path
    slots: int
    """Of each process, if there are several."""
    processes: int | None = None
    """How many processes run the tasks; None: this one does, in its threads."""
    modules: Sequence[str] = ()
    allowed: Sequence[str] = ()
    retries: int | None = None
    """How often a failed task is run again where neither the workload nor its handler says; None: not at all."""
    keep_logs: bool = False
    """Whether the logs of all tasks are kept."""
    results: ResultsFile | None = None
    resume: bool = False
    chaos_seed: int | None = None
    folders: Sequence[str] = ()
    """Where the modules are looked for beside the usual places: where an earlier run found them."""

    def to_remember(self) -> RunOptions:
        """What a run of some of its tasks again has to know."""
        here = [*_current_folder(), str(self.file.resolve().parent)]
        modules = [_with_whole_path(name) for name in self.modules]
        folders = list(dict.fromkeys([*here, *self.folders])) if modules else []
        return RunOptions(self.slots, self.processes, modules, list(self.allowed), self.retries, folders)

    def command(self) -> list[str]:
        """The command that goes on with this run."""
        file = str(self.file)
        words = ["cloudkon-cli", "run", "LOCAL", file if not file.startswith("-") else f"./{file}"]
        words += ["-t", str(self.slots), "--ledger", str(self.ledger_file), "--resume"]
        if self.processes is not None:
            words += ["--processes", str(self.processes)]
        words += [word for module in self.modules for word in ("--tasks", module)]
        words += [word for name in self.allowed for word in ("--allow", name)]
        if self.retries is not None:
            words += ["--retries", str(self.retries)]
        if self.keep_logs:
            words.append("--keep-logs")
        if self.results is not None:
            words += ["--results", str(self.results.shown)]
        return words


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
