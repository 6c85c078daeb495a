"""The Lambda: whether it is there, is woken by the bucket, and how it has fared lately."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.errors import NotFoundError
from cloudkon.stage.checkup import CheckResult, ok, problem

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import LambdaFunctionConfigurationOutputTypeDef

_HOUR_MS = 3_600_000
_ALL = "s3:ObjectCreated:*"
_MAX_SHOWN = 200


def _deploy(subject: Subject) -> str:
    return f"cloudkon-cli deploy --stage {subject.names.stage}"


def check_functions(subject: Subject) -> Iterator[CheckResult]:
    """Whether each function is there and ready."""
    client = subject.session.functions()
    for name in subject.names.functions:
        try:
            with translated(f"describe the function {name}"):
                found = client.get_function_configuration(FunctionName=name)
        except NotFoundError:
            yield problem("lambda", f"There is no function {name}.", _deploy(subject))
            continue
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        stage = found.get("Environment", {}).get("Variables", {}).get("CLOUDKON_STAGE")
        if state not in ("Active", "Inactive") or update == "Failed":
            said = found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
            yield problem("lambda", f"{name} is {state}, its last update {update}: {said}.", _deploy(subject))
        elif stage != subject.names.stage:
            yield problem(
                "lambda",
                f"{name} works for the stage {stage!r}.",
                f"See .chalice/config.json, then: {_deploy(subject)}",
            )
        else:
            yield ok(
                "lambda", f"{name}: {found.get('Runtime')}, {found.get('MemorySize')} MB, {found.get('Timeout')} s"
            )


def check_notification(subject: Subject) -> Iterator[CheckResult]:
    """Whether every object that arrives in the workloads bucket wakes the ingest function."""
    bucket, function = subject.names.workloads_bucket, subject.names.functions[0]
    with translated(f"read the notifications of {bucket}"):
        answer = subject.session.s3().get_bucket_notification_configuration(Bucket=bucket)
    ours = [
        each
        for each in answer.get("LambdaFunctionConfigurations", [])
        if each["LambdaFunctionArn"].split(":function:")[-1].split(":")[0] == function
    ]
    if not ours:
        yield problem("notification", f"Nothing that is dropped into {bucket} wakes {function}.", _deploy(subject))
    for each in ours:
        yield _notification(each, function, subject)


def _notification(each: "LambdaFunctionConfigurationOutputTypeDef", function: str, subject: Subject) -> CheckResult:
    events = list(each["Events"])
    if _ALL not in events:
        return problem(
            "notification",
            f"{function} hears of {', '.join(events)} only: large files arrive by other events.",
            f"Subscribe to {_ALL}: {_deploy(subject)}",
        )
    key: Any = each.get("Filter", {"Key": {}}).get("Key", {})
    rules = key.get("FilterRules", [])
    if rules:
        only = " and ".join(f"{rule['Name'].lower()} {rule['Value']}" for rule in rules)
        return ok("notification", f"{_ALL} wakes {function}, for keys of {only} only")
    return ok("notification", f"{_ALL} wakes {function}, whatever the key")


def check_range_source(subject: Subject) -> Iterator[CheckResult]:
    """Whether the ranges of large workloads reach their function."""
    function = subject.names.functions[1]
    with translated(f"list the event sources of {function}"):
        pages = subject.session.functions().get_paginator("list_event_source_mappings").paginate(FunctionName=function)
        found = [each for page in pages for each in page["EventSourceMappings"]]
    ours = [each for each in found if each.get("EventSourceArn", "").endswith(f":{subject.names.range_queue}")]
    if not ours:
        yield problem(
            "ranges", f"Nothing takes {function} the messages of {subject.names.range_queue}.", _deploy(subject)
        )
    for each in ours:
        state = each.get("State", "Enabled")
        if state in ("Disabled", "Disabling"):
            yield problem("ranges", f"{subject.names.range_queue} does not wake {function}: {state}.", _deploy(subject))
        else:
            yield ok("ranges", f"{subject.names.range_queue} wakes {function}")


def check_errors(subject: Subject) -> Iterator[CheckResult]:
    """What the functions said in the last hour when they failed."""
    client = subject.session.logs()
    for function in subject.names.functions:
        group = f"/aws/lambda/{function}"
        try:
            with translated(f"read the log of {function}"):
                pages = client.get_paginator("filter_log_events").paginate(
                    logGroupName=group,
                    startTime=subject.clock.now_ms() - _HOUR_MS,
                    filterPattern='?"[ERROR]" ?"Task timed out" ?"Runtime.ExitError"',
                    PaginationConfig={"MaxItems": 1_000},
                )
                events = [event for page in pages for event in page["events"]]
        except NotFoundError:
            yield ok("lambda errors", f"{function} has never run")
            continue
        if events:
            last = " ".join(events[-1]["message"].split())[:_MAX_SHOWN]
            yield problem(
                "lambda errors",
                f"{function} failed {len(events):,} times in the last hour, at last: {last}",
                f"Read its log: {group}. Lambda tries an event three times; drop the workload again once it is mended.",
            )
        else:
            yield ok("lambda errors", f"{function}: none in the last hour")
