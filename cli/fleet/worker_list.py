"""workers list: who works, how it is, and which machines have nobody to speak for them."""

from collections.abc import Sequence
from typing import Any

import click

from cli.fleet.fleet_overview import FleetOverview, read_overview
from cli.jobs.ledger_options import reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.tables import Table
from cli.terminal.units import duration
from cloudkon.clock import Clock
from cloudkon.ledger.fleet import MEMORY_S, WorkerState, WorkerStatus
from cloudkon.printable import one_line
from cloudkon.reports.diagnosis import DOUBT_S
from cloudkon.stage.machine import Machine
from cloudkon.telemetry.throttling import by_service

_SILENT_MS = 60_000
"""A worker that speaks every 15 s and was not heard of for so long is gone, or cut off."""


@click.command("list")
@click.option("--all", "everyone", is_flag=True, help="Include workers that stopped in the last minutes.")
@json_option
@reads_ledgers
@uses_clock
def list_(ledgers: Ledgers, *, clock: Clock, everyone: bool, output: Output) -> None:
    """List the workers of this machine and, where AWS is set up, of the stage.

    A worker that was killed is shown as silent for some minutes, and then forgotten. Machines whose worker has not
    reported are listed too. Empty columns are left out. With --json each worker is an object on a line.

    \b
    Examples:
      cloudkon-cli workers list
      cloudkon-cli workers list --json | jq -r 'select(.state == "sick") | .reason'
    """
    now_ms = clock.now_ms()
    fleet = ledgers.workers(now_ms - MEMORY_S * 1000)
    shown = [status for status in fleet if everyone or status.state is not WorkerState.STOPPED]
    stage = read_overview(ledgers, {status.instance.id for status in fleet if status.instance}, clock)
    described = [
        *(_worker_as_json(status, stage, now_ms) for status in shown),
        *(_machine_as_json(machine, stage) for machine in stage.silent),
    ]
    output.listing(described, _table(shown, stage, now_ms).without_empty_columns())
    if not described:
        output.say("There is no worker. Start one: python -m ec2_worker --threads 8")


def _table(shown: Sequence[WorkerStatus], stage: FleetOverview, now_ms: int) -> Table:
    rows = [_row(status, stage, now_ms) for status in shown]
    return Table(
        ("worker", "state", "busy", "bundles", "tasks", "seen", "age", "throttled", "instance", "USD/h", "reason"),
        ("left", "left", "right", "right", "right", "right", "right", "left", "left", "right", "left"),
        rows + [_machine_row(machine, stage, now_ms) for machine in stage.silent],
    )


def _state(status: WorkerStatus, now_ms: int) -> str:
    silent = status.state is not WorkerState.STOPPED and now_ms - status.seen_ms > _SILENT_MS
    return "silent" if silent else status.state


def _row(status: WorkerStatus, stage: FleetOverview, now_ms: int) -> tuple[str, ...]:
    place = status.instance
    return (
        status.worker,
        _state(status, now_ms),
        f"{status.busy}/{status.slots}",
        f"{status.bundles:,}",
        f"{status.tasks:,}",
        f"{duration(max(0, now_ms - status.seen_ms))} ago",
        duration(max(0, now_ms - status.started_ms)),
        by_service(status.throttled) or "-",
        f"{place.id} {place.type} {place.zone}" if place else "-",
        _price(stage.usd_an_hour.get(place.id) if place else None),
        one_line(_reason(status, stage, now_ms)),
    )


def _reason(status: WorkerStatus, stage: FleetOverview, now_ms: int) -> str:
    """Why it is so; of a worker that has missed its word: that nobody knows."""
    silent_ms = now_ms - status.seen_ms
    if status.state is not WorkerState.STOPPED and DOUBT_S * 1000 < silent_ms <= _SILENT_MS:
        return f"it may have died: it was last heard of {duration(silent_ms)} ago"
    return status.reason or stage.why_idle(status)


def _machine_row(machine: Machine, stage: FleetOverview, now_ms: int) -> tuple[str, ...]:
    where = f"{machine.id} {machine.type} {machine.zone}"
    age = duration(max(0, now_ms - machine.launched_ms)) if machine.launched_ms else "-"
    price = _price(stage.usd_an_hour.get(machine.id))
    return ("-", machine.state, "-", "-", "-", "-", age, "-", where, price, "its worker has not reported")


def _price(usd: float | None) -> str:
    return "-" if usd is None else f"{usd:.4f}"


def _worker_as_json(status: WorkerStatus, stage: FleetOverview, now_ms: int) -> dict[str, Any]:
    place = status.instance
    return {
        "worker": status.worker,
        "state": _state(status, now_ms),
        "reason": _reason(status, stage, now_ms),
        "slots": status.slots,
        "busy": status.busy,
        "bundles": status.bundles,
        "tasks": status.tasks,
        "started_ms": status.started_ms,
        "seen_ms": status.seen_ms,
        "instance": {"id": place.id, "type": place.type, "zone": place.zone} if place else None,
        "throttled": dict(status.throttled),
        "usd_an_hour": stage.usd_an_hour.get(place.id) if place else None,
    }


def _machine_as_json(machine: Machine, stage: FleetOverview) -> dict[str, Any]:
    return {
        "worker": None,
        "state": machine.state,
        "reason": "its worker has not reported",
        "instance": {"id": machine.id, "type": machine.type, "zone": machine.zone},
        "usd_an_hour": stage.usd_an_hour.get(machine.id),
    }
