"""What many commands share: the options --stage and --json, and the clock."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from cli.terminal.output import Format, Output
from cloudkon.clock import SystemClock
from cloudkon.stage.names import DEFAULT_STAGE, check_stage


def _stage(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    return check_stage(value)


stage_option = click.option(
    "--stage",
    envvar="CLOUDKON_STAGE",
    default=DEFAULT_STAGE,
    show_default=True,
    show_envvar=True,
    callback=_stage,
    help="Which installation to use: the buckets, queues and table named after this stage.",
)


def _output(_context: click.Context, _parameter: click.Parameter, value: bool) -> Output:  # noqa: FBT001 (click passes it so)
    return Output(Format.JSON if value else Format.TEXT)


json_option = click.option("--json", "output", is_flag=True, callback=_output, help="Print JSON on stdout.")


def uses_clock(command: Callable[..., None]) -> Callable[..., None]:
    """Pass the command the clock of its context: whoever calls the command line in a test may give it another."""

    @wraps(command)
    def with_clock(*arguments: Any, **options: Any) -> None:
        clock = click.get_current_context().find_root().obj or SystemClock()
        command(*arguments, clock=clock, **options)

    return with_clock
