from collections.abc import Iterator

import click

from cli.stage.findings import show_findings
from cli.stage.this_machine import check_machine
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock
from cloudkon.stage.checkup import CheckResult


@click.command()
@stage_option
@json_option
@click.option("--machine", "only_machine", is_flag=True, help="Check this machine only, and ask AWS nothing.")
@click.option("--report", is_flag=True, help="Print what AWS says of the stage, without account numbers and keys.")
@uses_clock
def doctor(stage: str, *, clock: Clock, output: Output, only_machine: bool, report: bool) -> None:
    """Check this machine and an installation, and say what to do about each problem.

    Nothing is changed. Each line says ok, problem, absent (an optional part that is not there) or unknown (AWS did not
    let us ask). Exits with 1 if there is a problem. With --json each finding is an object on a line.

    \b
    Examples:
      cloudkon-cli doctor
      cloudkon-cli doctor --machine
      cloudkon-cli doctor --report > report.jsonl
      cloudkon-cli doctor --stage prod --json | jq -r 'select(.verdict == "problem") | .remedy'
    """
    if report:
        from cli.stage.report import report_lines  # noqa: PLC0415 (as below)

        for line in report_lines(stage, _all(stage, clock), clock):
            click.echo(line)
        return
    if not show_findings(check_machine() if only_machine else _all(stage, clock), output=output):
        raise SystemExit(1)


def _all(stage: str, clock: Clock) -> Iterator[CheckResult]:
    from cli.stage.examination import examine_stage  # noqa: PLC0415 (boto3 takes longer to import than the machine's answer)

    yield from check_machine()
    yield from examine_stage(stage, clock)
