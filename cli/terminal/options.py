"""What many commands share: the options --stage and --json, and the clock."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from cli.terminal.output import Format, Output
from cloudkon.clock import SystemClock
from cloudkon.costs.prices import Prices, read_prices, shipped_prices
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


def json_and_csv_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --json and --csv, and the output that they choose."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
    @click.option("--csv", "as_csv", is_flag=True, help="Print CSV on stdout, with a header.")
    @wraps(command)
    def with_output(*arguments: Any, as_json: bool, as_csv: bool, **options: Any) -> None:
        if as_json and as_csv:
            raise click.UsageError("Choose one of --json and --csv.")
        chosen = Format.JSON if as_json else Format.CSV if as_csv else Format.TEXT
        command(*arguments, output=Output(chosen), **options)

    return with_output


def _prices(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Prices:
    return shipped_prices() if value is None else read_prices(value)


prices_option = click.option(
    "--prices",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_prices,
    help="Your own list of prices, in place of the one that comes with CloudKon.",
)


def uses_clock(command: Callable[..., None]) -> Callable[..., None]:
    """Pass the command the clock of its context: whoever calls the command line in a test may give it another."""

    @wraps(command)
    def with_clock(*arguments: Any, **options: Any) -> None:
        clock = click.get_current_context().find_root().obj or SystemClock()
        command(*arguments, clock=clock, **options)

    return with_clock
