from collections.abc import Iterator
from pathlib import Path

import click

from cli.jobs.ledger_options import optional_job, reads_ledgers
from cli.jobs.ledgers import Ledgers
from cli.jobs.lines_of_results import with_lines, with_origins
from cli.jobs.outputs import LinkLifetimeParam, download_outputs, with_links
from cli.jobs.repeats import origins_of
from cli.terminal.options import json_and_csv_options
from cli.terminal.output import Output, json_line
from cli.terminal.style import terminal_width
from cli.terminal.units import duration
from cloudkon.ledger.results import TaskState
from cloudkon.printable import one_line
from cloudkon.reports.task_results import ResultJson, task_results

_COLUMNS = (
    "task",
    "state",
    "duration_ms",
    "runs",
    "start_ms",
    "worker",
    "attempt",
    "id",
    "text",
    "value",
    "error",
    "output",
    "first_job",
    "first_line",
    "link",
)
_LEAST, _MOST, _MOST_OF_A_LINK = 20, 200, 8192
"""Characters; a link that is cut leads nowhere."""


@click.command()
@optional_job
@click.option("--state", type=click.Choice([state.word for state in TaskState]), help="Only the tasks that ended so.")
@click.option(
    "--presign", type=LinkLifetimeParam(), metavar="DURATION", help="Print links to outputs that open so long: 1h, 7d."
)
@click.option(
    "--download",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Fetch the outputs into this folder.",
)
@json_and_csv_options
@reads_ledgers
def results(
    ledgers: Ledgers,
    job: str | None,
    state: str | None,
    presign: int | None,
    download: Path | None,
    *,
    output: Output,
) -> None:
    """List the result of each task of JOB, by default the latest, in the order of the workload.

    A task's number is that of its line. Tasks without a result are not listed. Outputs and large values are in the
    results bucket or folder: shown is their key, a link (--presign), or the downloaded file (--download).

    With --json and --csv each task has its line as well (if the workload has not changed since), when it started, its
    worker and its attempt.

    \b
    Examples:
      cloudkon-cli results --state failed
      cloudkon-cli results --csv > results.csv
      cloudkon-cli results --presign 1h
      cloudkon-cli results --download videos
      cloudkon-cli results tasks-k3vq7xwz5a2m --json | jq -r 'select(.state != "succeeded") | .task'
    """
    found = ledgers.find(job)
    ledger = found.records.ledger
    store = found.records.results
    listed: Iterator[ResultJson] = (
        each for each in task_results(ledger, store, found.job) if state in (None, each["state"])
    )
    if not output.is_text:
        listed = with_lines(found, listed)
    if (origins := origins_of(found)) is not None:
        listed = with_origins(origins, listed)
    shown = with_links(listed, store, presign) if download is None else download_outputs(list(listed), store, download)
    output.lines(shown, _line, _COLUMNS)


def _line(outcome: ResultJson) -> str:
    said = outcome.get("error") or outcome.get("link")
    if said is None and "value" in outcome:
        said = json_line(outcome["value"])
    if outcome.get("text"):
        said = f"{said}: {outcome['text']}"
    took = duration(outcome["duration_ms"] if outcome["runs"] else None)
    first = f"  (line {outcome['first_line']:,} of {outcome['first_job']})" if "first_line" in outcome else ""
    before = f"{outcome['task']:>9}  {outcome['state']:<9}  {took:>11}  "
    most = _MOST_OF_A_LINK if said is not None and said == outcome.get("link") else _room_beside(before, first)
    line = f"{before}{one_line(said or '', most)}"
    return f"{line.rstrip()}{first}"


def _room_beside(*others: str) -> int:
    """How many characters of a text fit on the terminal's line beside other texts and the mark of a cut."""
    width = terminal_width()
    return _MOST if width is None else min(_MOST, max(_LEAST, width - sum(map(len, others)) - len(" ...")))
