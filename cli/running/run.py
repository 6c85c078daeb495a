import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from cli.running.uploads import check_workload
from cli.system.paths import default_ledger
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.errors import InputError

LOCAL = "LOCAL"


@click.command()
@click.argument("queue", metavar="LOCAL|QUEUE")
@click.option(
    "-s", "--source", "file", type=click.Path(path_type=Path), required=True, help="The workload: a task a line."
)
@click.option(
    "-t",
    "--threads",
    type=click.IntRange(min=1),
    help="LOCAL: tasks run at a time (default: one a core). QUEUE: the slots that its workers are expected to have.",
)
@click.option(
    "--tasks",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="LOCAL: load the handlers in this module; may be given several times.",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Choice(["shell"]),
    help="LOCAL: run tasks that are refused otherwise: shell runs any command that the workload holds.",
)
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
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a JSON line for each task to this file, as they finish.",
)
@stage_option
@json_option
@uses_clock
def run(
    queue: str,
    file: Path,
    threads: int | None,
    modules: Sequence[str],
    chaos_seed: int | None,
    allowed: Sequence[str],
    ledger: Path | None,
    results: Path | None,
    stage: str,
    *,
    clock: Clock,
    resume: bool,
    output: Output,
) -> None:
    """Run a workload here, in memory (LOCAL), or put its bundles straight onto QUEUE and wait for the results.

    Exits with 1 unless every task succeeded. A LOCAL run that was stopped or killed goes on with --resume.

    \b
    Examples:
      cloudkon-cli run LOCAL -s tasks.txt -t 4
      cloudkon-cli run LOCAL -s tasks.txt -t 4 --tasks my.module --results done.jsonl
      cloudkon-cli run LOCAL -s tasks.txt -t 4 --chaos 7
      cloudkon-cli run cloudkon-dev-tasks -s tasks.txt
    """
    from cli.running.results_file import ResultsFile  # noqa: PLC0415 (each way loads only what it needs)

    check_workload(file, str(file))
    with ExitStack() as stack:
        written = stack.enter_context(ResultsFile(results)) if results else None
        if queue == LOCAL:
            from cli.running.run_local_view import run_local  # noqa: PLC0415

            threads = threads or os.cpu_count() or 1
            well = run_local(
                file,
                ledger or default_ledger(),
                modules,
                allowed,
                threads,
                written,
                resume=resume,
                clock=clock,
                output=output,
                chaos_seed=chaos_seed,
            )
        else:
            from cli.running.run_queue import run_queue  # noqa: PLC0415

            _refuse_local_options(queue, modules, allowed, ledger, chaos_seed, resume=resume)
            well = run_queue(queue, file, stage, threads, written, clock=clock, output=output)
    if not well:
        raise SystemExit(1)


def _refuse_local_options(
    queue: str,
    modules: Sequence[str],
    allowed: Sequence[str],
    ledger: Path | None,
    chaos_seed: int | None,
    *,
    resume: bool,
) -> None:
    given = {
        "--tasks": bool(modules),
        "--allow": bool(allowed),
        "--ledger": ledger is not None,
        "--resume": resume,
        "--chaos": chaos_seed is not None,
    }
    for option, is_given in given.items():
        if is_given:
            raise InputError(
                f"{option} is for LOCAL, and {queue} is a queue: its workers run the tasks, the stage keeps the ledger."
            )
