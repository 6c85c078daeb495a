from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, assert_never

import click

from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.tables import Table
from cloudkon.clock import Clock
from cloudkon.errors import NotFoundError
from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import RangeKey
from cloudkon.messages.dead_letters import Choice, DeadLetter, DeadLetters, Handled
from cloudkon.messages.failed_events import FailedEvent
from cloudkon.printable import one_line
from cloudkon.settings import Settings
from cloudkon.wiring import cloud

_LIST_LIMIT, _SHOW_LIMIT = 100, 10_000
_SHOWN_CHARACTERS = 60

ids_argument = click.argument("ids", nargs=-1, metavar="[ID...]")
all_option = click.option("--all", "everything", is_flag=True, help="All messages that are there.")


@click.group()
def dead() -> None:
    """Inspect the dead-letter queue: what could not be decoded, opened as a job, or finished in many receives.

    A message's id follows from its content, so copies of a message share one id.

    \b
    Examples:
      cloudkon-cli dead list
      cloudkon-cli dead show 3f2a9c1d8e07
      cloudkon-cli dead redrive 3f2a9c1d8e07
      cloudkon-cli dead redrive --all
      cloudkon-cli dead purge --all
    """


@dead.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=_LIST_LIMIT, show_default=True, help="How many, at most.")
@stage_option
@json_option
@uses_clock
def list_(limit: int, stage: str, *, clock: Clock, output: Output) -> None:
    """List the messages.

    They are hidden from other readers only while they are read.
    """
    letters = _opened(stage, clock).listed(limit)
    rows = [(letter.id, _named(letter.content), one_line(letter.reason, _SHOWN_CHARACTERS)) for letter in letters]
    table = Table(("id", "content", "reason"), ("left", "left", "left"), rows)
    output.listing((_as_json(letter) for letter in letters), table)
    if len(letters) == limit:
        output.say(f"There may be more than these {limit:,}: see --limit.")
    if not letters:
        output.say("There is no dead letter.")


@dead.command()
@click.argument("id_", metavar="ID")
@stage_option
@json_option
@uses_clock
def show(id_: str, stage: str, *, clock: Clock, output: Output) -> None:
    """Show why a message is here and what it contains."""
    letters = _opened(stage, clock).listed(_SHOW_LIMIT)
    letter = next((letter for letter in letters if letter.id == id_), None)
    if letter is None:
        raise _unknown([id_], letters)
    rows = [("id", letter.id), ("reason", one_line(letter.reason, 1_000))]
    content = letter.content
    if content is not None:
        rows.append(("content", _named(content)))
    if isinstance(content, Bundle):
        rows.append(("tasks", f"{len(content.tasks):,}"))
    body = content.tasks if isinstance(content, Bundle) else letter.body.splitlines()
    output.value(
        _as_json(letter) | {"body": letter.body},
        [Table((), ("left", "left"), rows), "", *(one_line(line, 10_000) for line in body)],
    )


@dead.command()
@ids_argument
@all_option
@stage_option
@json_option
@uses_clock
def redrive(ids: Sequence[str], stage: str, *, clock: Clock, everything: bool, output: Output) -> None:
    """Move messages back to where they came from, to be tried again.

    Bundles and ranges go to their queues, and the event of a workload that could not be opened as a job goes to the
    Lambda. A message that this version of CloudKon can't decode stays, because it would only come back. Exits with 1
    if a message can't be moved.
    """
    letters = _opened(stage, clock)
    handled = letters.redrive(_choice(ids, everything=everything))
    _tell("moved back", ids, handled, letters, output=output)


@dead.command()
@ids_argument
@all_option
@stage_option
@json_option
@uses_clock
def purge(ids: Sequence[str], stage: str, *, clock: Clock, everything: bool, output: Output) -> None:
    """Delete messages for good.

    Exits with 1 if a message can't be deleted.
    """
    letters = _opened(stage, clock)
    handled = letters.purge(_choice(ids, everything=everything))
    _tell("deleted", ids, handled, letters, output=output)


def _opened(stage: str, clock: Clock) -> DeadLetters:
    opened = cloud(stage, Settings())
    return DeadLetters(opened.dead_letters, opened.tasks, opened.ranges, opened.ingest, clock)


def _choice(ids: Sequence[str], *, everything: bool) -> Choice:
    if everything == bool(ids):
        raise click.UsageError("Name the messages (their ids are in dead list), or give --all.")
    wanted = frozenset(ids)
    return lambda letter: everything or letter.id in wanted


def _tell(done: str, ids: Sequence[str], handled: Handled, letters: DeadLetters, *, output: Output) -> None:
    met = [*handled.done, *handled.undecodable, *handled.failed]
    missing = sorted(set(ids) - {letter.id for letter in met})
    told = {
        "done": [letter.id for letter in handled.done],
        "undecodable": [letter.id for letter in handled.undecodable],
        "failed": [letter.id for letter in handled.failed],
        "missing": missing,
        "complete": handled.complete,
    }
    output.value(told)
    if output.is_text:
        _say(done, handled)
    if missing:
        raise _unknown(missing, letters.listed(_LIST_LIMIT))
    if handled.undecodable or handled.failed:
        raise SystemExit(1)


def _say(done: str, handled: Handled) -> None:
    click.echo(f"{len(handled.done):,} {done}.", err=True)
    for letter in handled.undecodable:
        click.echo(
            f"{letter.id} stays: it can't be decoded ({one_line(letter.reason)}). A newer CloudKon may have written "
            f"it; look at it: cloudkon-cli dead show {letter.id}, or delete it: cloudkon-cli dead purge {letter.id}",
            err=True,
        )
    for letter in handled.failed:
        click.echo(f"{letter.id} stays: the queue refused it. Try again.", err=True)
    if not handled.complete:
        click.echo("There may be more: run it again.", err=True)


def _unknown(ids: Sequence[str], letters: Sequence[DeadLetter]) -> NotFoundError:
    near = sorted({match for id_ in ids for match in get_close_matches(id_, {letter.id for letter in letters})})
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    named = " or ".join(ids)
    return NotFoundError(f"There is no dead letter {named}.{hint} See those there are: cloudkon-cli dead list")


def _named(content: Bundle | RangeKey | FailedEvent | None) -> str:
    match content:
        case Bundle():
            return str(content.key)
        case RangeKey() | FailedEvent():
            return one_line(str(content), _SHOWN_CHARACTERS)
        case None:
            return "-"
        case _:
            assert_never(content)


def _as_json(letter: DeadLetter) -> dict[str, Any]:
    bundle = letter.content if isinstance(letter.content, Bundle) else None
    range_ = letter.content if isinstance(letter.content, RangeKey) else None
    return {
        "id": letter.id,
        "reason": letter.reason,
        "job": bundle.key.job if bundle else range_.job if range_ else None,
        "bundle": bundle.key.id if bundle else None,
        "range": range_.number if range_ else None,
        "objects": list(letter.content.objects) if isinstance(letter.content, FailedEvent) else None,
        "tasks": len(bundle.tasks) if bundle else None,
        "size_bytes": len(letter.body.encode(errors="surrogatepass")),
    }
