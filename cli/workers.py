import json
from collections.abc import Sequence
from typing import Any

import click

from cli.image import image
from cli.ledgers import Ledgers
from cli.options import json_option
from cli.reading import reads_ledgers
from cli.tables import Table, print_tables
from cli.units import one_line
from cloudkon.clock import SystemClock
from cloudkon.fleet import MEMORY_S, WorkerState, WorkerStatus

_SILENT_MS = 60_000
"""A worker that speaks every 15 s and was not heard of for so long is gone, or cut off."""


@click.group()
def workers() -> None:
    """See the workers there are, and how they are; make the image of their machines.

    \b
    Example:
      cloudkon-cli workers list
      cloudkon-cli workers image build
    """


workers.add_command(image)


@workers.command("list")
@click.option("--all", "everyone", is_flag=True, help="Those too that have stopped in the last minutes.")
@json_option
@reads_ledgers
def list_(ledgers: Ledgers, *, everyone: bool, as_json: bool) -> None:
    """List the workers of this machine and, where AWS is set up, of the stage.

    A worker that was killed is shown as silent for some minutes, then it is forgotten. With --json, a line a worker.

    \b
    Examples:
      cloudkon-cli workers list
      cloudkon-cli workers list --json | jq -r 'select(.state == "sick") | .reason'
    """
    now_ms = SystemClock().now_ms()
    fleet = ledgers.workers(now_ms - MEMORY_S * 1000)
    shown = [status for status in fleet if everyone or status.state is not WorkerState.STOPPED]
    if as_json:
        for status in shown:
            click.echo(json.dumps(_described(status, now_ms)))
        return
    print_tables([_table(shown, now_ms)])
    if not shown:
        click.echo("There is no worker. Start one: python -m ec2_worker --threads 8", err=True)


def _table(shown: Sequence[WorkerStatus], now_ms: int) -> Table:
    return Table(
        ("worker", "state", "busy", "bundles", "tasks", "seen", "instance", "reason"),
        ("left", "left", "right", "right", "right", "right", "left", "left"),
        [_row(status, now_ms) for status in shown],
    )


def _state(status: WorkerStatus, now_ms: int) -> str:
    silent = status.state is not WorkerState.STOPPED and now_ms - status.seen_ms > _SILENT_MS
    return "silent" if silent else status.state


def _row(status: WorkerStatus, now_ms: int) -> tuple[str, ...]:
    place = status.instance
    return (
        status.worker,
        _state(status, now_ms),
        f"{status.busy}/{status.slots}",
        f"{status.bundles:,}",
        f"{status.tasks:,}",
        f"{max(0, now_ms - status.seen_ms) // 1000} s ago",
        f"{place.id} {place.type} {place.zone}" if place else "-",
        one_line(status.reason),
    )


def _described(status: WorkerStatus, now_ms: int) -> dict[str, Any]:
    place = status.instance
    return {
        "worker": status.worker,
        "state": _state(status, now_ms),
        "reason": status.reason,
        "slots": status.slots,
        "busy": status.busy,
        "bundles": status.bundles,
        "tasks": status.tasks,
        "started_ms": status.started_ms,
        "seen_ms": status.seen_ms,
        "instance": {"id": place.id, "type": place.type, "zone": place.zone} if place else None,
    }
