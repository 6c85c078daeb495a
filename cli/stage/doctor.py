from collections.abc import Iterator

import click

from cli.stage.findings import show
from cli.stage.this_machine import check_machine
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.stage.checkup import CheckResult


@click.command()
@stage_option
@json_option
@click.option("--machine", "only_machine", is_flag=True, help="Examine this machine only; AWS is not asked.")
@uses_clock
def doctor(stage: str, *, clock: Clock, output: Output, only_machine: bool) -> None:
    """Examine this machine and a stage: what is well, what is not, and what to do about it.

    Reads only. Each line is ok, a problem, absent where only those who want it need it, or unknown where nobody could
    be asked. Exits with 1 if there is a problem. With --json, a line a finding.

    \b
    Examples:
      cloudkon-cli doctor
      cloudkon-cli doctor --machine
      cloudkon-cli doctor --stage prod --json | jq -r 'select(.verdict == "problem") | .remedy'
    """
    if not show(check_machine() if only_machine else _all(stage, clock), output=output):
        raise SystemExit(1)


def _all(stage: str, clock: Clock) -> Iterator[CheckResult]:
    from cli.stage.examination import examine_stage  # noqa: PLC0415 (boto3 takes longer to import than the machine's answer)

    yield from check_machine()
    yield from examine_stage(stage, clock)
