import json
import sys

import click

from cli.ledgers import Ledgers
from cli.options import json_option
from cli.reading import reads_ledgers
from cli.units import duration, one_line
from cloudkon.outcomes import Outcome, outcomes
from cloudkon.results import TaskState


@click.command()
@click.argument("job", required=False)
@click.option("--state", type=click.Choice([state.word for state in TaskState]), help="Only the tasks that ended so.")
@json_option
@reads_ledgers
def results(ledgers: Ledgers, job: str | None, state: str | None, *, as_json: bool) -> None:
    """List what became of each task of JOB, by default the latest: a line a task, in the order of the workload.

    A task's number is that of its line. Tasks without a result are not listed. Large values are named by their key
    in the results bucket or folder.

    \b
    Examples:
      cloudkon-cli results --state failed
      cloudkon-cli results tasks-k3vq7xwz5a2m --json | jq -r 'select(.state != "succeeded") | .task'
    """
    found = ledgers.find(job)
    ledger = found.records.ledger
    for outcome in outcomes(ledger, ledger, found.records.results, found.job):
        if state is None or outcome["state"] == state:
            sys.stdout.write(f"{json.dumps(outcome) if as_json else _line(outcome)}\n")


def _line(outcome: Outcome) -> str:
    said = outcome.get("error") or outcome.get("output")
    if said is None and "value" in outcome:
        said = json.dumps(outcome["value"], ensure_ascii=False)
    if "text" in outcome:
        said = f"{said}: {outcome['text']}"
    took = duration(outcome["duration_ms"] if outcome["runs"] else None)
    line = f"{outcome['task']:>9}  {outcome['state']:<9}  {took:>11}  {one_line(said or '')}"
    return line.rstrip()
