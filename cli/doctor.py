import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator

import click

from cli.options import json_option, stage_option
from cli.this_machine import check_machine
from cloudkon.aws.checkups.account import check_account
from cloudkon.aws.checkups.stage import examine
from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.session import Session
from cloudkon.checkup import Finding, Verdict, problem
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError
from cloudkon.settings import Settings

_COLOURS = {Verdict.OK: "green", Verdict.PROBLEM: "red", Verdict.UNKNOWN: "yellow"}


@click.command()
@stage_option
@json_option
@click.option("--machine", "only_machine", is_flag=True, help="Examine this machine only; AWS is not asked.")
def doctor(stage: str, *, as_json: bool, only_machine: bool) -> None:
    """Examine this machine and a stage: what is well, what is not, and what to do about it.

    Reads only. Each line is ok, a problem, or unknown where nobody could be asked. Ends with 1 if there is a problem.
    With --json, an object a line.

    \b
    Examples:
      cloudkon-cli doctor
      cloudkon-cli doctor --machine
      cloudkon-cli doctor --stage prod --json | jq -r 'select(.verdict == "problem") | .remedy'
    """
    findings = check_machine() if only_machine else _all(stage)
    if show(findings, as_json=as_json)[Verdict.PROBLEM]:
        raise click.exceptions.Exit(1)


def _all(stage: str) -> Iterator[Finding]:
    yield from check_machine()
    yield from examine_stage(stage)


def examine_stage(stage: str) -> Iterator[Finding]:
    """The account and the stage; where it is not known whose account this is, that is all there is to find."""
    clock = SystemClock()
    try:
        settings = Settings.from_environ(os.environ)
        session = Session()
        yield from check_account(session, clock, settings.guard_ms)
        subject = Subject(session, session.names(stage), settings, clock)
    except CloudKonError as error:
        says, _, remedy = str(error).partition(". ")
        yield problem("credentials", f"{says.rstrip('.')}.", remedy or "See docs/deploy.md.")
        return
    yield from examine(subject)


def show(findings: Iterable[Finding], *, as_json: bool) -> Counter[Verdict]:
    """Print each finding as it comes; return how many there were of each verdict."""
    counts: Counter[Verdict] = Counter()
    for finding in findings:
        counts[finding.verdict] += 1
        if as_json:
            click.echo(json.dumps(_described(finding)))
        else:
            _print(finding)
    if not as_json:
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
        click.echo(f"{told}.", err=True)
    return counts


def _described(finding: Finding) -> dict[str, str]:
    shown = {"subject": finding.subject, "verdict": finding.verdict.value, "says": finding.says}
    return shown | ({"remedy": finding.remedy} if finding.remedy else {})


def _print(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict.value:<8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict} {finding.subject:<14} {' '.join(finding.says.split())}")
    if finding.remedy and finding.verdict is not Verdict.OK:
        click.echo(f"{'':8} {'':14} -> {finding.remedy}")
