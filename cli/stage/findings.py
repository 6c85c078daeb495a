"""Shows what an examination finds, as it is found."""

from collections import Counter
from collections.abc import Iterable, Iterator

import click

from cli.terminal.output import Output
from cloudkon.stage.checkup import CheckResult, Verdict

_COLOURS = {Verdict.OK: "green", Verdict.PROBLEM: "red", Verdict.ABSENT: "blue", Verdict.UNKNOWN: "yellow"}


def show_findings(findings: Iterable[CheckResult], *, output: Output) -> bool:
    """Print each finding as it comes, and in the end how many there were of each verdict; tell whether all is well."""
    counts: Counter[Verdict] = Counter()
    for finding in findings:
        counts[finding.verdict] += 1
        output.value(_as_json(finding), _text(finding))
    output.say(_summary(counts))
    return not counts[Verdict.PROBLEM]


def _summary(counts: Counter[Verdict]) -> str:
    problems = counts[Verdict.PROBLEM]
    told = "No problem" if not problems else "1 problem" if problems == 1 else f"{problems} problems"
    others = [f"{counts[verdict]} {verdict}" for verdict in Verdict if verdict is not Verdict.PROBLEM]
    return ", ".join([told, *(other for other in others if not other.startswith("0 "))]) + "."


def _as_json(finding: CheckResult) -> dict[str, str]:
    shown = {"subject": finding.subject, "verdict": finding.verdict.value, "says": finding.says}
    return shown | ({"remedy": finding.remedy} if finding.remedy else {})


def _text(finding: CheckResult) -> Iterator[str]:
    line, verdict = str(finding), finding.verdict.value
    yield click.style(verdict, fg=_COLOURS[finding.verdict]) + line.removeprefix(verdict)
    if finding.remedy:
        yield f"{'':8} {'':14} -> {finding.remedy}"
