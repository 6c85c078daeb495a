from pathlib import Path

import click

from cli.input.form_options import AskedForm, form_options
from cli.input.readable import readable
from cli.input.reading import LocalWorkload
from cli.input.values_on_the_line import TailCommand
from cli.terminal.options import json_option, prices_option
from cli.terminal.output import Output
from cli.views.cost_view import estimate_tables
from cloudkon.costs.estimate import Estimate, Fleet, estimate
from cloudkon.costs.prices import Prices, shipped_text
from cloudkon.errors import InputError
from cloudkon.workload.planning import DEFAULT_WORKER_SLOTS


def _show_prices(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:  # noqa: FBT001 (click passes it so)
    if asked:
        click.echo(shipped_text(), nl=False)
        context.exit()


@click.command(cls=TailCommand)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many workers.")
@click.option(
    "--slots",
    type=click.IntRange(1, 10_000),
    default=DEFAULT_WORKER_SLOTS,
    show_default=True,
    help="How many tasks each worker runs at a time.",
)
@click.option("--type", "type_", metavar="TYPE", help="The EC2 instances, one a worker, such as c6i.large.")
@click.option("--spot", is_flag=True, help="On the spot market, whose prices you have to name with --prices.")
@click.option(
    "--task-ms",
    type=click.FloatRange(0, 86_400_000),
    help="How long a task takes on average; by default what the workload's header says.",
)
@click.option(
    "--show-prices",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_prices,
    help="Print the list of prices that comes with CloudKon, and exit.",
)
@form_options
@prices_option
@json_option
def plan(
    file: Path | None,
    workers: int,
    slots: int,
    type_: str | None,
    *,
    asked: AskedForm,
    spot: bool,
    task_ms: float | None,
    prices: Prices,
    output: Output,
) -> None:
    """Say how long FILE, or stdin (-), will take in AWS, what it will cost, and what decides both.

    Nothing is uploaded and AWS is not asked. Every figure is about. Not in it: the start of the machines, retries,
    storage and transfer of what tasks store, and whatever the handlers call themselves.

    \b
    Examples:
      cloudkon-cli plan tasks.txt --workers 10 --type c6i.large --task-ms 250
      cloudkon-cli plan pictures.csv --task resize --task-ms 900
      cloudkon-cli plan tasks.txt --json | jq .usd
      cloudkon-cli plan --show-prices > prices.json
    """
    fleet = Fleet(workers, slots, type_, "spot" if spot else "on-demand")
    with readable(file, asked, "plan") as (workload, shown):
        told = _estimated(workload, shown, task_ms, fleet, prices)
    output.value(told.as_json(), estimate_tables(told))


def _estimated(workload: LocalWorkload, shown: str, task_ms: float | None, fleet: Fleet, prices: Prices) -> Estimate:
    look = workload.look
    known_ms = task_ms if task_ms is not None else look.sample.options.task_ms
    if known_ms is None:
        raise InputError(f"How long does a task of {shown} take? Add --task-ms, or task_ms= to the workload's header.")
    return estimate(
        look.sample, look.plain_bytes, gzipped=look.is_one_piece, task_ms=known_ms, fleet=fleet, prices=prices
    )
