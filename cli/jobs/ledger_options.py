"""The options of the commands that read jobs: which ledger, which stage."""

import os
import shlex
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from cli.jobs.ledgers import Ledgers, cloud_records, local_records, looks_configured
from cli.system.paths import default_ledger
from cli.terminal.options import stage_option
from cloudkon.stage.names import DEFAULT_STAGE

_COMPLETED_JOBS = 50


def complete_job(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The ids of this machine's latest jobs; a stage is not asked, for a key that is pressed waits for no network."""
    file = default_ledger()
    if not file.exists():
        return []
    jobs = local_records(file).ledger.recent(_COMPLETED_JOBS)
    return [job.id for job in jobs if job.id.startswith(begun)]


job_argument = click.argument("job", shell_complete=complete_job)
optional_job = click.argument("job", required=False, shell_complete=complete_job)
ledger_option = click.option(
    "--ledger",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read this ledger of LOCAL runs and no other.",
)


def reads_ledgers(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --ledger and --stage, and as its first argument what they choose."""

    @stage_option
    @ledger_option
    @wraps(command)
    def reading(stage: str, ledger: Path | None, **others: Any) -> None:
        stage_is_named = click.get_current_context().get_parameter_source("stage") is ParameterSource.COMMANDLINE
        if ledger and stage_is_named:
            raise click.UsageError("--ledger reads a file, --stage reads AWS: give one of them.")
        command(chosen_ledgers(stage, ledger, stage_is_named=stage_is_named), **others)

    return reading


def chosen_ledgers(stage: str, ledger: Path | None, *, stage_is_named: bool) -> Ledgers:
    """The file that is named, the stage that is named, or else both of what there is."""
    file = ledger or default_ledger()
    return Ledgers(
        local=partial(local_records, file) if not stage_is_named and file.exists() else None,
        cloud=None if ledger else partial(cloud_records, stage),
        cloud_is_likely=stage_is_named or looks_configured(os.environ, Path.home()),
        options=f" --ledger {shlex.quote(str(ledger))}" if ledger else f" --stage {stage}" if stage_is_named else "",
        warn=lambda warning: click.echo(f"Warning: {warning}", err=True),
    )


def ledger_option_text(file: Path) -> str:
    """What makes another command read this ledger of LOCAL runs."""
    return "" if file == default_ledger() else f" --ledger {shlex.quote(str(file))}"


def stage_option_text(stage: str) -> str:
    """What makes another command read the ledger of this stage."""
    return "" if stage == os.environ.get("CLOUDKON_STAGE", DEFAULT_STAGE) else f" --stage {stage}"
