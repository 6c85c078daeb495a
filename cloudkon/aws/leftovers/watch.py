"""What watched over a stage that is gone, and what was remembered for it: logs, alarms, dashboard, parameter."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.leftovers.functions import functions_of, is_ours
from cloudkon.clock import epoch_ms
from cloudkon.errors import NotFoundError
from cloudkon.stage.leftovers import (
    ALARM_USD,
    DASHBOARD_USD,
    FREE_USD,
    Kind,
    Leftover,
    is_function,
    is_tracking_alarm,
    log_usd,
)

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

_GONE = "its stage is gone"
_LAMBDA = "/aws/lambda/"
_ALARMS = (
    "dead-letters",
    "failing-tasks",
    "from-zero",
    "lambda-errors",
    "oldest-task",
    "sick-workers",
    "to-zero",
)
"""Of infrastructure/stack.yaml, after cloudkon-<stage>-."""


def find_log_groups(subject: Subject) -> Iterator[Leftover]:
    """Those of functions that stay are none, whoever's these are."""
    names = subject.names
    stay = {f"{_LAMBDA}{each['FunctionName']}" for each in functions_of(subject) if not is_ours(subject, each)}
    for prefix in (f"{_LAMBDA}{names.stack}-", names.worker_log_group):
        with translated("list the log groups"):
            pages = subject.session.logs().get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
            found = [each for page in pages for each in page["logGroups"]]
        for each in found:
            name = each["logGroupName"]
            of_function = name.startswith(_LAMBDA) and is_function(names.stage, name.removeprefix(_LAMBDA))
            if (of_function and name not in stay) or name == names.worker_log_group:
                cost = log_usd(each.get("storedBytes", 0))
                yield Leftover(Kind.LOG_GROUP, name, _GONE, each.get("creationTime"), cost)


def remove_log_group(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete the log group {leftover.id}"):
        subject.session.logs().delete_log_group(logGroupName=leftover.id)


def find_alarms(subject: Subject) -> Iterator[Leftover]:
    names = subject.names
    known = {f"{names.stack}-{alarm}" for alarm in _ALARMS}
    for prefix in (f"{names.stack}-", f"TargetTracking-{names.worker_group}-"):
        with translated("list the alarms"):
            pages = subject.session.cloudwatch().get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
            found = [each for page in pages for each in page.get("MetricAlarms", [])]
        for each in found:
            name = each["AlarmName"]
            if name in known or is_tracking_alarm(names.worker_group, name):
                changed = each.get("AlarmConfigurationUpdatedTimestamp")
                since_ms = epoch_ms(changed) if changed else None
                yield Leftover(Kind.ALARM, name, _GONE, since_ms, ALARM_USD * _metrics(each))


def remove_alarm(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete the alarm {leftover.id}"):
        subject.session.cloudwatch().delete_alarms(AlarmNames=[leftover.id])


def find_dashboard(subject: Subject) -> Iterator[Leftover]:
    name = subject.names.stack
    with translated("list the dashboards"):
        pages = subject.session.cloudwatch().get_paginator("list_dashboards").paginate(DashboardNamePrefix=name)
        found = [each for page in pages for each in page.get("DashboardEntries", [])]
    for each in found:
        if each.get("DashboardName") == name:
            changed: Any = each.get("LastModified")
            since_ms = epoch_ms(changed) if changed else None
            yield Leftover(Kind.DASHBOARD, name, _GONE, since_ms, DASHBOARD_USD)


def remove_dashboard(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete the dashboard {leftover.id}"):
        subject.session.cloudwatch().delete_dashboards(DashboardNames=[leftover.id])


def find_parameter(subject: Subject) -> Iterator[Leftover]:
    name = subject.names.image_parameter
    try:
        with translated(f"read the parameter {name}"):
            found = subject.session.ssm().get_parameter(Name=name)["Parameter"]
    except NotFoundError:
        return
    yield Leftover(Kind.PARAMETER, name, _GONE, epoch_ms(found["LastModifiedDate"]), FREE_USD)


def remove_parameter(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete the parameter {leftover.id}"):
        subject.session.ssm().delete_parameter(Name=leftover.id)


def _metrics(alarm: "MetricAlarmTypeDef") -> int:
    """How many metrics an alarm looks at: one, or those that its expressions are made of."""
    return sum("MetricStat" in each for each in alarm.get("Metrics", [])) or 1
