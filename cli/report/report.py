import os
from contextlib import suppress
from pathlib import Path

import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.report.facts import gather
from cli.report.page import page
from cli.terminal.options import json_option, prices_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.units import size
from cloudkon.clock import Clock
from cloudkon.costs.prices import Prices
from cloudkon.errors import InputError
from cloudkon.settings import Settings

_MARK = b'<meta name="generator" content="CloudKon report">'
_HEAD_BYTES = 4_096


@click.command()
@optional_job
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file to write, - for stdout; by default JOB.html, here.",
)
@prices_option
@json_option
@reads_ledgers
@uses_clock
def report(
    ledgers: Ledgers, job: str | None, file: Path | None, *, prices: Prices, clock: Clock, output: Output
) -> None:
    """Write a page about JOB, by default the latest: one file that opens in any browser, without a network.

    It shows what the job was, what ran when and where, how long everything took, why tasks failed, and what it cost.
    With --json, what is in the page is printed as JSON, and no file is written unless -o names one.

    \b
    Examples:
      cloudkon-cli report
      cloudkon-cli report night-k3vq7xwz5a2m -o night.html
      cloudkon-cli report --json | jq .over_time.running
    """
    found = ledgers.find(job)
    target = file or (Path(f"{found.job.id}.html") if output.is_text else None)
    if target is not None and str(target) != "-":
        check_target(target)
    facts = gather(found, clock, prices, Settings().retention_s, lambda said: click.echo(said, err=True))
    made = page(facts, found.records.results)
    if target is not None and str(target) == "-":
        click.echo(made.html, nl=False)
        return
    if target is not None:
        write_page(target, made.html)
        output.say(f"A page of {size(len(made.html.encode()))}: open it in a browser, or send it by e-mail.")
    output.value(made.data, [str(target)])


def check_target(target: Path) -> None:
    """Raise InputError for a file that is there and is no report: no other file is written over."""
    with suppress(FileNotFoundError):
        try:
            with target.open("rb") as there:
                head = there.read(_HEAD_BYTES)
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputError(f"{target} can't be written: {error.strerror or error}.") from error
        if head and _MARK not in head:
            raise InputError(f"{target} is there, and is no report of CloudKon. Name another file with -o.")


def write_page(target: Path, html: str) -> None:
    """Write the page as a whole, or not at all."""
    part = target.with_name(f".{target.name[:200]}.{os.getpid()}.part")
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target} can't be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
