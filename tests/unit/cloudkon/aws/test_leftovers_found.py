"""What each search calls left over, by what AWS answers it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.leftovers.disks import find_snapshots
from cloudkon.aws.leftovers.gone import is_gone
from cloudkon.aws.leftovers.instances import find_instances
from cloudkon.aws.leftovers.stage import _REMOVALS, find, remove
from cloudkon.aws.leftovers.triggers import find_event_sources, find_notifications
from cloudkon.aws.leftovers.watch import find_alarms, find_dashboard, find_log_groups
from cloudkon.errors import DeniedError
from cloudkon.stage.leftovers import DAY_MS, HOUR_MS, Kind, Leftover, Unsearched
from tests.support.emulators.checkups import NAMES, subject
from tests.support.emulators.scripted_aws import ScriptedSession, refusal
from tests.support.still_clock import StillClock

NOW_MS = StillClock().now_ms()
OLD = datetime.fromtimestamp((NOW_MS - DAY_MS) / 1000, UTC)
MISSING = refusal("ResourceNotFoundException", 404)
NO_QUEUE = refusal("AWS.SimpleQueueService.NonExistentQueue")
NO_BUCKET = refusal("404", 404)
INGEST, RANGES = "cloudkon-dev-ingest", "cloudkon-dev-dispatch_range"


def ids(found: Iterable[Leftover]) -> list[str]:
    return [leftover.id for leftover in found]


def calls(asked: Subject, service: str) -> list[tuple[str, dict[str, Any]]]:
    return cast("ScriptedSession", asked.session).clients[service].calls


def arn(function: str, account: str = NAMES.account) -> str:
    return f"arn:aws:lambda:eu-central-1:{account}:function:{function}"


def only(*names: str) -> Callable[..., Any]:
    """The functions there are."""

    def described(FunctionName: str) -> Any:  # noqa: N803 (boto3's name)
        return {} if FunctionName in names else MISSING

    return described


def instance(id_: str, state: str = "running", **more: Any) -> dict[str, Any]:
    return {"InstanceId": id_, "State": {"Name": state}, "LaunchTime": OLD, "PrivateDnsName": f"{id_}.local"} | more


def row(worker: str, instance_id: str | None = None) -> dict[str, Any]:
    """What a worker has said in the ledger just now."""
    figures = {name: {"N": "1"} for name in ("slots", "busy", "bundles", "tasks", "started")}
    told = figures | {"sk": {"S": worker}, "seen": {"N": str(NOW_MS)}, "state": {"S": "idle"}, "reason": {"S": ""}}
    on = {"instance": {"S": instance_id}, "type": {"S": "t3.small"}, "zone": {"S": "a"}} if instance_id else {}
    return told | {"failing": {"M": {}}, "throttled": {"M": {}}} | on


def test_machines_of_a_group_or_a_live_worker_stay() -> None:
    """Members of a group stay, and so do machines of workers, those included that can't ask which machine is theirs."""
    stopped = (datetime.fromtimestamp((NOW_MS - HOUR_MS // 2) / 1000, UTC)).strftime("%Y-%m-%d %H:%M:%S GMT")
    found = [
        instance("i-member"),
        instance("i-known"),
        instance("i-named"),
        instance("i-idle"),
        instance("i-resting", "stopped", StateTransitionReason=f"User initiated ({stopped})"),
        instance("i-builder", Tags=[{"Key": "cloudkon:build", "Value": "1"}]),
    ]
    asked = subject(
        ec2={"describe_instances": {"Reservations": [{"Instances": found}]}},
        autoscaling={"describe_auto_scaling_instances": {"AutoScalingInstances": [{"InstanceId": "i-member"}]}},
        dynamodb={"query": {"Items": [row("x-1-a", "i-known"), row("i-named-7-b")]}},
    )
    assert ids(find_instances(asked)) == ["i-idle", "i-builder"]


def test_whom_an_instance_works_for_may_not_be_asked() -> None:
    """While the ledger can't be asked, nothing is taken for idle."""
    asked = subject(
        ec2={"describe_instances": {"Reservations": [{"Instances": [instance("i-1")]}]}},
        autoscaling={"describe_auto_scaling_instances": {"AutoScalingInstances": []}},
    )
    with pytest.raises(DeniedError):
        list(find_instances(asked))


def test_a_snapshot_of_an_image_stays_and_so_does_a_backup() -> None:
    """A snapshot that any image uses stays, and so does a backup, which has a disk's tags but no image's."""

    def made(id_: str, *keys: str) -> dict[str, Any]:
        return {
            "SnapshotId": id_,
            "StartTime": OLD,
            "VolumeSize": 8,
            "Tags": [{"Key": key, "Value": ""} for key in keys],
        }

    of_image = "cloudkon:artifacts"
    disks = [{"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}, {"Ebs": {"SnapshotId": "snap-used"}}]
    asked = subject(
        ec2={
            "describe_snapshots": {
                "Snapshots": [made("snap-used", of_image), made("snap-loose", of_image), made("snap-backup")]
            },
            "describe_images": {"Images": [{"BlockDeviceMappings": disks}]},
        }
    )
    assert ids(find_snapshots(asked)) == ["snap-loose"]


def mapping(id_: str, queue: str, function: str, state: str = "Enabled") -> dict[str, Any]:
    source = f"arn:aws:sqs:eu-central-1:{NAMES.account}:{queue}"
    told = {"UUID": id_, "EventSourceArn": source, "FunctionArn": arn(function), "State": state}
    return told | {"LastModified": OLD}


def test_an_event_source_of_ours_goes_once_an_end_is_gone() -> None:
    """One of the stage's own goes once an end of it is gone; that of a neighbour, or a consumer's, stays."""
    found = [
        mapping("whole", NAMES.range_queue, RANGES),
        mapping("no-queue", NAMES.task_queue, RANGES),
        mapping("no-function", NAMES.range_queue, "cloudkon-dev-gone"),
        mapping("going", NAMES.task_queue, RANGES, "Deleting"),
        mapping("neighbour", "cloudkon-dev-2-ranges", "cloudkon-dev-2-dispatch_range"),
        mapping("consumer", NAMES.task_queue, "my-consumer"),
    ]

    def queue(QueueName: str) -> Any:  # noqa: N803 (boto3's name)
        return {"QueueUrl": "url"} if QueueName == NAMES.range_queue else NO_QUEUE

    asked = subject(
        functions={
            "list_event_source_mappings": {"EventSourceMappings": found},
            "get_function_configuration": only(RANGES),
        },
        sqs={"get_queue_url": queue},
    )
    sources = {leftover.id: leftover.why for leftover in find_event_sources(asked)}
    assert sources == {
        "no-queue": f"from {NAMES.task_queue} to {RANGES}: {NAMES.task_queue} is gone",
        "no-function": f"from {NAMES.range_queue} to cloudkon-dev-gone: cloudkon-dev-gone is gone",
    }


def test_only_the_notification_to_our_missing_function_goes() -> None:
    """Only the notification to our missing function goes; all others are put back as they were."""
    ours = {"Id": "ours", "LambdaFunctionArn": arn(INGEST), "Events": ["s3:ObjectCreated:*"]}
    others = [
        {"Id": "neighbour", "LambdaFunctionArn": arn("cloudkon-dev-2-ingest"), "Events": ["s3:ObjectCreated:*"]},
        {"Id": "far", "LambdaFunctionArn": arn(INGEST, "999999999999"), "Events": ["s3:ObjectCreated:*"]},
    ]
    queues = [{"Id": "q", "QueueArn": "arn:aws:sqs:eu-central-1:1:q", "Events": ["s3:ObjectRemoved:*"]}]
    kept = {"QueueConfigurations": queues, "EventBridgeConfiguration": {}}
    answer = {"LambdaFunctionConfigurations": [ours, *others], "ResponseMetadata": {}} | kept
    asked = subject(
        functions={"get_function_configuration": only()},
        s3={
            "get_bucket_notification_configuration": lambda **_: dict(answer),
            "put_bucket_notification_configuration": {},
        },
    )
    [found] = find_notifications(asked)
    assert found.id == "ours"
    remove(asked, found)
    verb, given = calls(asked, "s3")[-1]
    assert verb == "put_bucket_notification_configuration"
    assert given["NotificationConfiguration"] == {"LambdaFunctionConfigurations": others} | kept
    working = subject(
        functions={"get_function_configuration": only(INGEST)},
        s3={"get_bucket_notification_configuration": dict(answer)},
    )
    assert ids(find_notifications(working)) == []


def test_alarms_dashboard_and_logs_are_told_by_exact_names() -> None:
    """Alarms, dashboard and logs are told by their exact names, whatever the prefix brings."""
    alarms: list[dict[str, Any]] = [
        {"AlarmName": name, "Metrics": [{"MetricStat": {}}, {"Expression": "a"}, {"MetricStat": {}}]}
        for name in ("cloudkon-dev-to-zero", "cloudkon-dev-2-to-zero", "cloudkon-dev-of-mine")
    ]
    groups: list[dict[str, Any]] = [
        {"logGroupName": name, "storedBytes": 10**9, "creationTime": 1}
        for name in (f"/aws/lambda/{INGEST}", "/aws/lambda/cloudkon-dev-2-ingest", "/cloudkon/dev/workers-2")
    ]
    asked = subject(
        functions={"list_functions": {"Functions": []}},
        cloudwatch={
            "describe_alarms": lambda AlarmNamePrefix: {  # noqa: N803 (boto3's name)
                "MetricAlarms": [each for each in alarms if each["AlarmName"].startswith(AlarmNamePrefix)]
            },
            "list_dashboards": {"DashboardEntries": [{"DashboardName": "cloudkon-dev-2"}]},
        },
        logs={
            "describe_log_groups": lambda logGroupNamePrefix: {  # noqa: N803 (boto3's name)
                "logGroups": [each for each in groups if each["logGroupName"].startswith(logGroupNamePrefix)]
            }
        },
    )
    [alarm] = find_alarms(asked)
    assert alarm.id == "cloudkon-dev-to-zero"
    assert alarm.usd_a_month == pytest.approx(0.20)
    assert ids(find_dashboard(asked)) == []
    [log] = find_log_groups(asked)
    assert log.id == f"/aws/lambda/{INGEST}"
    assert log.usd_a_month == pytest.approx(0.03)


GONE: dict[str, dict[str, Any]] = {
    "cloudformation": {"describe_stacks": {"Stacks": []}},
    "s3": {"head_bucket": NO_BUCKET},
    "dynamodb": {"describe_table": MISSING},
    "sqs": {"get_queue_url": NO_QUEUE},
}


@pytest.mark.parametrize(
    ("service", "there"),
    [
        ("cloudformation", {"describe_stacks": {"Stacks": [{"StackStatus": "DELETE_IN_PROGRESS"}]}}),
        ("s3", {"head_bucket": {}}),
        ("dynamodb", {"describe_table": {}}),
        ("sqs", {"get_queue_url": {"QueueUrl": "url"}}),
    ],
)
def test_a_stage_is_gone_once_all_of_it_is(service: str, there: dict[str, Any]) -> None:
    """While a bucket, the table, the queue or any state of the stack is left, the stage may be in use."""
    assert is_gone(subject(**GONE))
    assert not is_gone(subject(**GONE | {service: there}))


@pytest.mark.parametrize("service", GONE)
def test_nobody_knows_whether_a_stage_is_gone(service: str) -> None:
    """Where one of them may not be asked for, nothing that stands beside a stack is called left over."""
    found = list(find(subject(**GONE | {service: {}})))
    assert any(isinstance(each, Unsearched) and each.what.startswith("functions, roles") for each in found)
    assert not any(isinstance(each, Leftover) for each in found)


def test_every_kind_can_be_removed() -> None:
    """Whatever may be shown can be removed."""
    assert set(_REMOVALS) == set(Kind)
