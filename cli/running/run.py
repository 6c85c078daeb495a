import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from cli.input.checked import check_tasks
from cli.input.form_options import AskedForm, form_options
from cli.input.piped_workload import DASH, in_a_file
from cli.input.uploads import check_workload
from cli.running.joblog import check_joblog
from cli.running.run_animoto import RunCommand
from cli.system.machine_limits import MachineLimits, machine_options
from cli.system.paths import data_folder, default_ledger, results_folder
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.errors import InputError

LOCAL = "LOCAL"
_OF_LOCAL = {"processes", "modules", "allowed", "retries", "ledger", "keep_logs", "resume", "chaos_seed", "joblog"}
_OF_LOCAL |= {"nice", "memfree", "load"}
_LOOKS_LIKE_A_FILE = re.compile(r"[./]|^-$")  # no queue of SQS has such a name, but for .fifo


def _complete_local(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    return [LOCAL] if LOCAL.startswith(begun.upper()) else []


@click.command(cls=RunCommand)
@click.argument("queue", metavar="LOCAL|QUEUE", shell_complete=_complete_local)
@click.argument("workload", metavar="[FILE]", type=click.Path(path_type=Path), required=False)
@click.option("-s", "--source", type=click.Path(path_type=Path), help="The workload: a task a line; the same as FILE.")
@click.option(
    "-t",
    "--threads",
    type=click.IntRange(min=1),
    help="LOCAL: tasks run at a time (default: one a core). QUEUE: the slots that its workers are expected to have.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    help="LOCAL: run the tasks in so many processes, each of --threads (default: 1): for handlers that compute. "
    "By default one a core for handlers marked @task(cpu_bound=True).",
)
@click.option(
    "--tasks",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="LOCAL: load the handlers in this module, or file (tasks.py); may be given several times.",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Choice(["shell"]),
    help="LOCAL: run tasks that are refused otherwise: shell runs any command that the workload holds.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    help="LOCAL: run a task that failed so many times more, unless FILE or its handler says otherwise (default: 0).",
)
@click.option(
    "--keep-logs", is_flag=True, help="LOCAL: keep what every task prints and logs, not only of those that failed."
)
@machine_options
@click.option("--resume", is_flag=True, help="LOCAL: go on with the last run of this file.")
@click.option(
    "--chaos",
    "chaos_seed",
    type=int,
    metavar="SEED",
    help="LOCAL: let queues, ledger and stores fail, lose answers and repeat messages, differently for each SEED.",
)
@click.option("--ledger", type=click.Path(dir_okay=False, path_type=Path), help="LOCAL: keep the ledger in this file.")
@click.option(
    "--results",
    "results",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Write a JSON line for each task to this file, as they finish; - is standard output.",
)
@click.option(
    "--joblog",
    type=click.Path(dir_okay=False, path_type=Path),
    help="LOCAL: when the run ends, write a line for each task to this file, in the columns of GNU parallel.",
)
@click.option("--dry-run", is_flag=True, help="Print the tasks, a line each, and run nothing.")
@form_options
@stage_option
@json_option
@uses_clock
def run(
    queue: str,
    workload: Path | None,
    source: Path | None,
    threads: int | None,
    processes: int | None,
    modules: Sequence[str],
    chaos_seed: int | None,
    allowed: Sequence[str],
    retries: int | None,
    ledger: Path | None,
    results: Path | None,
    joblog: Path | None,
    stage: str,
    *,
    clock: Clock,
    asked: AskedForm,
    dry_run: bool,
    keep_logs: bool,
    limits: MachineLimits,
    resume: bool,
    output: Output,
) -> None:
    """Run the tasks of FILE here, in memory (LOCAL), or put them straight onto QUEUE and wait for the results.

    FILE is text, a task a line, plain or gzipped; - is standard input, and a pipe will do. Exits with 1 unless every
    task succeeded. A LOCAL run that was stopped or killed goes on with --resume.

    Behind -- may stand a command with places for a value ({} {.} {/} {//} {/.} {#} {1} {2}), and behind ::: the values;
    or behind :::: a file of values, a line each. Otherwise FILE holds them, or standard input does.

    \b
    Examples:
      cloudkon-cli run LOCAL tasks.txt -t 4
      cloudkon-cli run LOCAL tasks.txt --tasks handlers.py --results done.jsonl
      cloudkon-cli run LOCAL numbers.txt --processes 4 --tasks primes.py
      cloudkon-cli generate sleep --tasks 1000 | cloudkon-cli run LOCAL -
      cloudkon-cli run LOCAL -t 8 -- convert {} {.}.png ::: *.jpg
      cloudkon-cli run LOCAL list.txt -- 'gzip -k {} && rm {}'
      cloudkon-cli run LOCAL pictures.csv --task resize --tasks handlers.py
      cloudkon-cli run LOCAL animoto holiday/ -o holiday.mp4
      cloudkon-cli run cloudkon-dev-tasks tasks.txt
    """
    from cli.running.results_file import ResultsFile  # noqa: PLC0415 (each way loads only what it needs)

    if not output.is_text and results == DASH:
        raise InputError("--json and --results - would both be written to standard output. Name a file for --results.")
    given = _given(queue, workload, source, asked)
    is_local = queue.upper() == LOCAL
    ledger_file = ledger or default_ledger()
    if not is_local:
        _refuse_local_options(queue)
    if given is not None and given != DASH:
        check_workload(given, str(given), is_piped_ok=True)
    own = _own_files(given, ledger_file if is_local else None)
    written = ResultsFile(results, apart_from=own, resume=resume) if results else None
    keep_in = results_folder(ledger_file) if is_local else data_folder()
    form = asked.form(given)
    file = asked.kept_rows(keep_in) if given is None else in_a_file(given, keep_in)
    check_tasks(file, form, "the values" if given is None else str(given), asked.what, print_them=dry_run)
    if dry_run:
        return
    if joblog is not None:
        check_joblog(joblog)
    if is_local:
        from cli.running.local_options import LocalOptions  # noqa: PLC0415
        from cli.running.run_local_view import run_local  # noqa: PLC0415

        options = LocalOptions(
            file=file,
            ledger_file=ledger_file,
            slots=threads or (1 if processes else os.cpu_count() or 1),
            processes=processes,
            is_sized=threads is not None or processes is not None,
            modules=modules,
            allowed=asked.allowed(allowed),
            retries=retries,
            keep_logs=keep_logs,
            limits=limits,
            results=written,
            form=form,
            joblog=joblog,
            resume=resume,
            chaos_seed=chaos_seed,
        )
        well = run_local(options, clock=clock, output=output)
    else:
        from cli.running.run_queue import run_queue  # noqa: PLC0415

        well = run_queue(queue, file, stage, _expected_slots(threads), written, clock=clock, output=output, form=form)
    if written is not None:
        written.close()
    if not well:
        raise SystemExit(1)


def _given(queue: str, workload: Path | None, source: Path | None, asked: AskedForm) -> Path | None:
    """The one workload that is named; None if the command line has its rows."""
    if workload is not None and source is not None:
        raise InputError(f"Two workloads are named, {workload} and {source}. Name one: cloudkon-cli run {queue} FILE")
    given = asked.workload(source or workload)
    if given is None and asked.tail.sources:
        return None
    if given is None and _LOOKS_LIKE_A_FILE.search(queue) and (queue == "-" or Path(queue).exists()):
        raise InputError(f"Where is {queue} to be run? On this machine: cloudkon-cli run LOCAL {queue}")
    if given is None:
        raise InputError(f"Which workload? Name its file, or - for standard input: cloudkon-cli run {queue} FILE")
    return given


def _own_files(given: Path | None, ledger: Path | None) -> Mapping[str, Path]:
    """The run's own files by what they are; raises InputError if the ledger and the workload are one file."""
    own = {"the workload": given} if given is not None and given != DASH else {}
    if ledger is None:
        return own
    if ledger.exists() and any(file.exists() and ledger.samefile(file) for file in own.values()):
        raise InputError(f"--ledger {ledger} is the workload, and would be overwritten. Name another file.")
    companions = {f"the ledger's own {name}": ledger.with_name(ledger.name + name) for name in ("-wal", "-shm")}
    return own | {"the ledger": ledger} | companions


def _refuse_local_options(queue: str) -> None:
    """Refuse what was typed for LOCAL; what a configuration file says of it does not matter here."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in _OF_LOCAL and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise InputError(
                f"{parameter.opts[-1]} is for LOCAL, and {queue} is a queue: its workers run the tasks, the stage "
                "keeps the ledger."
            )


def _expected_slots(threads: int | None) -> int | None:
    """The slots of a queue's workers, if they were named: what a configuration file says is about this machine."""
    source = click.get_current_context().get_parameter_source("threads")
    return threads if source is ParameterSource.COMMANDLINE else None
