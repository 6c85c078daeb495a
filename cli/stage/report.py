"""What an account says of a stage, for people who have none: without account numbers, addresses and keys."""

import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

from cloudkon.aws.errors import translated
from cloudkon.aws.session import Session, private_settings
from cloudkon.aws.stack.stack import Stack
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.stage.checkup import CheckResult
from cloudkon.stage.names import Names

_SECRETS = (
    (re.compile(r"\b\d{12}\b"), "<account>"),
    (re.compile(r"\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{12,}\b"), "<key>"),
    (re.compile(r"(?<=://)[^/@\s\"']+@"), "<who>@"),
    (re.compile(r"[^@\s\"':]+@[^@\s\"']+\.[a-z]+"), "<address>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<address>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"(?<=assumed-role/)[^\"\s,]+|(?<=:user/)[^\"\s,]+"), "<who>"),
)
_PRIVATE = re.compile(r"SECRET|TOKEN|PASSW|CREDENTIAL|(ACCESS|API|PRIVATE)_?KEY|PROFILE", re.IGNORECASE)
"""In the names of environment variables."""
_TELLING = 6
"""From how many characters on a value tells something; shorter ones are words."""
_PUBLIC_PARAMETERS = frozenset(
    {
        *("Stage", "Fleet", "Autoscaling", "Alarms", "WorkerImage", "InstanceType", "SecondInstanceType"),
        *("ThirdInstanceType", "OnDemandPercent", "MaxWorkers", "Threads", "Processes", "DiskGiB", "PublicAddresses"),
        *("Egress", "BacklogPerSlot", "IdleMinutes", "OldestTaskSeconds", "FailedTasksPercent", "LogDays"),
        *("KeepDays", "OutputDays"),
    }
)
"""Of the stack; of the others it is told only whether they were given."""
_ACTIVITIES = 20
_Look = Callable[[Session, Names, Clock], Iterator[dict[str, Any]]]


def masked(text: str, private: Iterable[str] = ()) -> str:
    """The text without what tells whose account it is, and without what opens it."""
    for value in sorted(private, key=len, reverse=True):
        text = text.replace(json.dumps(value, ensure_ascii=False)[1:-1], "<private>")
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def report_lines(
    stage: str, findings: Iterable[CheckResult], clock: Clock, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Versions, what the doctor finds, and what AWS notes by itself: an object a line."""
    private = _private(os.environ if environment is None else environment)
    versions = {package: version(package) for package in ("cloudkon", "boto3")}
    told: list[dict[str, Any]] = [{"about": "versions", **versions, "python": platform.python_version()}]
    told += [
        {"about": "doctor", "subject": one.subject, "verdict": one.verdict.value, "says": one.says} for one in findings
    ]
    told += _noted(stage, clock)
    for each in told:
        yield masked(json.dumps(each, default=str, ensure_ascii=False), private)


def _private(environment: Mapping[str, str]) -> set[str]:
    """What the environment and AWS's files hold that is nobody else's business."""
    told = {value for name, value in environment.items() if _PRIVATE.search(name) and len(value) >= _TELLING}
    return told | private_settings()


def _noted(stage: str, clock: Clock) -> Iterator[dict[str, Any]]:
    session = Session()
    try:
        names = session.names(stage)
    except CloudKonError as error:
        yield {"about": "account", "unknown": str(error)}
        return
    yield {"about": "region", "region": names.region}
    for about, look in (("stack", _stack), ("alarms", _alarms), ("activities", _activities)):
        yield from _looked(about, look, session, names, clock)


def _looked(about: str, look: _Look, session: Session, names: Names, clock: Clock) -> Iterator[dict[str, Any]]:
    try:
        with translated(f"read the {about}"):
            for each in look(session, names, clock):
                yield {"about": about, **each}
    except CloudKonError as error:
        yield {"about": about, "unknown": str(error)}


def _stack(session: Session, names: Names, clock: Clock) -> Iterator[dict[str, Any]]:
    stack = Stack(session.cloudformation(), names.stack, clock)
    parameters = {
        name: value if name in _PUBLIC_PARAMETERS or not value else "<given>"
        for name, value in stack.parameters().items()
    }
    yield {"status": stack.status(), "parameters": parameters}


def _alarms(session: Session, names: Names, _: Clock) -> Iterator[dict[str, Any]]:
    """Whether metric math is understood shows in their states' reasons."""
    for page in session.cloudwatch().get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{names.stack}-"):
        for each in page.get("MetricAlarms", []):
            yield {"name": each["AlarmName"], "state": each.get("StateValue"), "reason": each.get("StateReason")}


def _activities(session: Session, names: Names, _: Clock) -> Iterator[dict[str, Any]]:
    """When Auto Scaling took a machine for in service, and why it could not start one."""
    answer = session.autoscaling().describe_scaling_activities(
        AutoScalingGroupName=names.worker_group, MaxRecords=_ACTIVITIES
    )
    for each in answer["Activities"]:
        kept = ("Description", "StartTime", "EndTime", "StatusCode", "StatusMessage")
        yield {key: each.get(key) for key in kept}
