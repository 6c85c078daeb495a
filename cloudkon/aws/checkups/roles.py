"""The roles: whether those of the worker and the Lambda are there and may do what their work needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.errors import NotFoundError
from cloudkon.stage.checkup import CheckResult, ok, problem
from cloudkon.stage.names import Names

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

Needs = Mapping[str, Sequence[str]]
"""Actions by the ARN of what they are done to."""
_LOGGING = ("logs:CreateLogStream", "logs:PutLogEvents")
_TRACING = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")


def check_roles(subject: Subject) -> Iterator[CheckResult]:
    """Let IAM simulate each role's policies; raise what translated raises where it can't."""
    client, stage = subject.session.iam(), subject.names.stage
    yield from _check(
        client,
        subject.names.worker_role,
        needs_of_worker(subject.names),
        f"cloudkon-cli stack up --repair --stage {stage}",
    )
    for function in subject.names.functions:  # Chalice makes a role for each of them
        role = _role_of(subject, function)
        if role is not None:
            yield from _check(client, role, needs_of_lambda(subject.names), f"cloudkon-cli deploy --stage {stage}")


def needs_of_worker(names: Names) -> Needs:
    """What infrastructure/stack.yaml gives it, for whatever machine."""
    group = f"autoScalingGroup:any:autoScalingGroupName/{names.worker_group}"
    return {
        names.arn("sqs", names.task_queue): (
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ),
        names.arn("sqs", names.process_queue): ("sqs:GetQueueUrl", "sqs:SendMessage"),
        names.arn("sqs", names.dead_letter_queue): ("sqs:GetQueueUrl", "sqs:SendMessage"),
        names.arn("sqs", names.parked_queue): ("sqs:GetQueueUrl", "sqs:SendMessage"),
        names.arn("dynamodb", f"table/{names.ledger_table}"): (
            "dynamodb:GetItem",
            "dynamodb:PartiQLInsert",
            "dynamodb:PartiQLUpdate",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ),
        names.arn("s3", f"{names.results_bucket}/outputs/any"): (
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:PutObject",
        ),
        names.arn("s3", f"{names.results_bucket}/values/any"): ("s3:PutObject",),
        names.arn("s3", f"{names.results_bucket}/pictures/any"): ("s3:GetObject",),
        names.arn("autoscaling", group): ("autoscaling:CompleteLifecycleAction", "autoscaling:SetInstanceProtection"),
        names.arn("logs", f"log-group:{names.worker_log_group}:log-stream:any"): _LOGGING,
        "*": _TRACING,
    }


def needs_of_lambda(names: Names) -> Needs:
    """What .chalice/policy-<stage>.json gives both functions: what either needs, and what Lambda does for them."""
    return {
        names.arn("s3", f"{names.workloads_bucket}/any"): ("s3:GetObject", "s3:GetObjectVersion"),
        names.arn("s3", f"{names.results_bucket}/rejects/any"): ("s3:PutObject",),
        names.arn("sqs", names.task_queue): ("sqs:GetQueueUrl", "sqs:SendMessage"),
        names.arn("sqs", names.dead_letter_queue): ("sqs:SendMessage",),
        names.arn("sqs", names.range_queue): (
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
        ),
        names.arn("dynamodb", f"table/{names.ledger_table}"): (
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        ),
        names.arn("logs", f"log-group:/aws/lambda/{names.functions[0]}:log-stream:any"): _LOGGING,
        "*": _TRACING,
    }


def _role_of(subject: Subject, function: str) -> str | None:
    """None for a function that is not there: check_functions tells that."""
    try:
        with translated(f"find the role of {function}"):
            found = subject.session.functions().get_function_configuration(FunctionName=function)
    except NotFoundError:
        return None
    return found["Role"].rsplit("/", 1)[-1]


def _check(client: "IAMClient", role: str, needs: Needs, remedy: str) -> Iterator[CheckResult]:
    try:
        with translated(f"describe the role {role}"):
            arn = client.get_role(RoleName=role)["Role"]["Arn"]
    except NotFoundError:
        yield problem("roles", f"There is no role {role}.", remedy)
        return
    refused = [refusal for resource, actions in needs.items() for refusal in _refused(client, arn, resource, actions)]
    if refused:
        yield problem("roles", f"{role} may not {'; '.join(refused)}.", remedy)
    else:
        count = sum(map(len, needs.values()))
        yield ok("roles", f"{role} may do the {count} things it needs")


def _refused(client: "IAMClient", role_arn: str, resource: str, actions: Sequence[str]) -> Iterator[str]:
    with translated("simulate what a role may do"):
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=role_arn, ActionNames=list(actions), ResourceArns=[resource]
        )
        for page in pages:
            for result in page["EvaluationResults"]:
                if result["EvalDecision"] != "allowed":
                    yield f"{result['EvalActionName']} on {resource.rsplit(':', 1)[-1]}"
