import os
from collections.abc import Sequence
from typing import Any

import click

from cli.jobs.ledger_options import job_argument, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.tables import Table
from cli.terminal.units import duration, size
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.ports import StoredObject
from cloudkon.printable import one_line
from cloudkon.reports.orphans import Orphan, Why, orphans
from cloudkon.settings import Settings

_MEANING = {
    Why.REPLACED: "of a run that another one has replaced",
    Why.FAILED: "of a run that failed",
    Why.UNFINISHED: "an upload that was not finished",
}


@click.command()
@job_argument
@click.option("--yes", "is_meant", is_flag=True, help="Delete the files. Without it they are only shown.")
@json_option
@reads_ledgers
@uses_clock
def sweep(ledgers: Ledgers, job: str, *, clock: Clock, is_meant: bool, output: Output) -> None:
    """Show the files that earlier runs of JOB's tasks left behind; with --yes, delete them for good.

    Runs that failed, crashed or were replaced by another run leave outputs, large values and unfinished uploads that
    no result refers to. Files younger than a lease are kept, because a worker may still be writing them.

    \b
    Examples:
      cloudkon-cli sweep videos-k3vq7xwz5a2m
      cloudkon-cli sweep videos-k3vq7xwz5a2m --yes
    """
    found = ledgers.find(job)
    store, now_ms = found.records.results, clock.now_ms()
    lease_ms = Settings.from_environ(os.environ).lease_ms
    everything = list(orphans(found.records.ledger, store, found.job))
    ripe = [orphan for orphan in everything if orphan.is_ripe(now_ms, lease_ms)]
    failed = set(store.remove([orphan.what for orphan in ripe])) if is_meant else set()
    output.listing(
        (_as_json(orphan, is_removed=is_meant and orphan.what.key not in failed) for orphan in ripe),
        _table(ripe, now_ms),
    )
    if len(everything) > len(ripe):
        click.echo(f"{len(everything) - len(ripe):,} more are younger than a lease, {lease_ms / 1000:g} s.", err=True)
    if failed:
        raise CloudKonError(f"{len(failed):,} could not be deleted, such as {min(failed)}. May you delete there?")
    _say(ripe, job, is_meant=is_meant)


def _say(ripe: Sequence[Orphan], job: str, *, is_meant: bool) -> None:
    if not ripe:
        click.echo(f"Nothing of {job} is to be swept.", err=True)
    elif is_meant:
        click.echo("That was all of it; whatever a result names is still there.", err=True)
    else:
        click.echo(f"Nothing was deleted. Delete it for good: cloudkon-cli sweep {job} --yes", err=True)


def _table(ripe: Sequence[Orphan], now_ms: int) -> Table:
    rows = [
        (
            one_line(orphan.what.key, 1_000),
            size(orphan.what.size_bytes) if isinstance(orphan.what, StoredObject) else "-",
            duration(max(0, now_ms - orphan.what.since_ms)),
            _MEANING[orphan.why],
        )
        for orphan in ripe
    ]
    return Table(("key", "size", "age", ""), ("left", "right", "right", "left"), rows)


def _as_json(orphan: Orphan, *, is_removed: bool) -> dict[str, Any]:
    what = orphan.what
    shown = {"key": what.key, "why": orphan.why.value, "since_ms": what.since_ms, "removed": is_removed}
    return shown | ({"size_bytes": what.size_bytes} if isinstance(what, StoredObject) else {"upload": what.id})
