"""A stage whose AWS is scripted, and what its examination finds."""

from collections.abc import Iterable
from typing import Any, cast

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.session import Session
from cloudkon.settings import Settings
from cloudkon.stage.checkup import CheckResult, Verdict
from cloudkon.stage.names import Names
from tests.support.emulators.scripted_aws import ScriptedSession
from tests.support.still_clock import StillClock

NAMES = Names("dev", "123456789012", "eu-central-1")


def subject(**services: dict[str, Any]) -> Subject:
    return Subject(cast("Session", ScriptedSession(**services)), NAMES, Settings(), StillClock())


def verdicts(findings: Iterable[CheckResult]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def problems(findings: Iterable[CheckResult]) -> str:
    """What the problems say; each tells what to do."""
    found = [finding for finding in findings if finding.verdict is Verdict.PROBLEM]
    assert all(finding.remedy for finding in found)
    return "\n".join(finding.says for finding in found)
