import os
from collections.abc import Sequence
from typing import Any

import click

from cli.terminal.confirm import confirm
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.tables import Table, print_tables
from cli.terminal.units import duration
from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.leftovers.stage import find, remove
from cloudkon.aws.session import Session
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.printable import one_line
from cloudkon.settings import Settings
from cloudkon.stage.leftovers import DAY_MS, Leftover, Unsearched

_SHOWN_CHARACTERS = 1_000


@click.command()
@click.option("--yes", "is_meant", is_flag=True, help="Remove everything shown, without asking.")
@stage_option
@json_option
@uses_clock
def gc(stage: str, *, clock: Clock, is_meant: bool, output: Output) -> None:
    """Show what is left over of a stage and no longer used, and remove it once you agree.

    These are machines, disks and uploads that failed commands left and, once the stage's stack is gone, its functions,
    roles, logs and alarms. Workloads, results, queues and ledgers are never touched. On a terminal you are asked
    first. Elsewhere, and with --json, nothing is removed without --yes. Exits with 1 if something could not be removed.

    Old images are removed by: workers image prune.

    \b
    Examples:
      cloudkon-cli gc
      cloudkon-cli gc --stage prod --json | jq -r .id
      cloudkon-cli gc --stage prod --yes
    """
    session = Session()
    subject = Subject(session, session.names(stage), Settings.from_environ(os.environ), clock)
    found = _find_leftovers(subject)
    if output.is_text:
        _show(found, subject.clock.now_ms())
    agreed = found if is_meant else _ask(subject, found) if found and output.is_text else []
    stays = _remove(subject, agreed)
    if not output.is_text:
        for leftover in found:
            output.value(_as_json(leftover, is_removed=leftover in agreed, error=stays.get(leftover.key)))
    if stays:
        raise CloudKonError(f"{len(stays):,} of {len(agreed):,} could not be removed, see above. Run it again.")
    _say_what_is_left(stage, found, agreed)


def _find_leftovers(subject: Subject) -> list[Leftover]:
    """What is left over; where nobody could look is told."""
    found = []
    for each in find(subject):
        if isinstance(each, Unsearched):
            click.echo(f"Warning: not looked for {each.what}: {each.reason}", err=True)
        else:
            found.append(each)
    return found


def _ask(subject: Subject, found: Sequence[Leftover]) -> list[Leftover]:
    """What was shown and is agreed to, and, as answers take their time, is still left over."""
    if not confirm(f"Remove these {len(found):,} for good?"):
        return []
    shown = {leftover.key for leftover in found}
    still = {each.key for each in find(subject) if isinstance(each, Leftover)}
    return [leftover for leftover in found if leftover.key in shown & still]


def _remove(subject: Subject, agreed: Sequence[Leftover]) -> dict[Any, str]:
    """Why those that could not be removed stay."""
    stays = {}
    for leftover in agreed:
        try:
            remove(subject, leftover)
        except CloudKonError as error:
            stays[leftover.key] = str(error)
            click.echo(f"{leftover.kind} {one_line(leftover.id)} stays: {error}", err=True)
        else:
            click.echo(f"{leftover.kind} {one_line(leftover.id)} is removed", err=True)
    return stays


def _show(found: Sequence[Leftover], now_ms: int) -> None:
    rows = [
        (
            leftover.kind.value,
            one_line(leftover.id, _SHOWN_CHARACTERS),
            one_line(leftover.why, _SHOWN_CHARACTERS),
            "-" if leftover.since_ms is None else _age(now_ms - leftover.since_ms),
            "-" if leftover.usd_a_month is None else f"{leftover.usd_a_month:.2f}",
        )
        for leftover in found
    ]
    header = ("kind", "what", "why", "age", "USD a month")
    print_tables([Table(header, ("left", "left", "left", "right", "right"), rows)])


def _age(age_ms: int) -> str:
    return f"{age_ms // DAY_MS:,} d" if age_ms >= 2 * DAY_MS else duration(max(0, age_ms))


def _say_what_is_left(stage: str, found: Sequence[Leftover], agreed: Sequence[Leftover]) -> None:
    if not found:
        click.echo(f"Nothing is left over of {stage}.", err=True)
    elif not agreed:
        click.echo(f"Nothing was removed. Remove it for good: cloudkon-cli gc --stage {stage} --yes", err=True)


def _as_json(leftover: Leftover, *, is_removed: bool, error: str | None) -> dict[str, Any]:
    told = {
        "kind": leftover.kind.value,
        "id": leftover.id,
        "why": leftover.why,
        "since_ms": leftover.since_ms,
        "usd_a_month": leftover.usd_a_month,
        "removed": is_removed and error is None,
    }
    return told if error is None else told | {"error": error}
