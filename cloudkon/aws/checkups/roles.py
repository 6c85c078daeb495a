"""The roles: whether those of the worker and the Lambda are there and may do what their work needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.dispatcher import functions
from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.checkup import Finding, ok, problem
from cloudkon.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_Needs = Mapping[str, Sequence[str]]
"""Actions by the ARN of what they are done to."""


def check_roles(subject: Subject) -> Iterator[Finding]:
    """Let IAM simulate each role's policies; raise what translated raises where it can't."""
    client = subject.session.iam()
    yield from _check(client, subject.names.worker_role, _of_worker(subject), _up(subject))
    with translated("find the Lambda's role"):
        found = subject.session.functions().get_function_configuration(FunctionName=functions(subject)[0])
    yield from _check(client, found["Role"].rsplit("/", 1)[-1], _of_lambda(subject), _deploy(subject))


def _up(subject: Subject) -> str:
    return f"cloudkon-cli stack up --stage {subject.names.stage}"


def _deploy(subject: Subject) -> str:
    return f"cloudkon-cli deploy --stage {subject.names.stage}"


def _of_worker(subject: Subject) -> _Needs:
    names = subject.names
    return {
        subject.arn("sqs", names.task_queue): (
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
        ),
        subject.arn("sqs", names.process_queue): ("sqs:SendMessage",),
        subject.arn("sqs", names.dead_letter_queue): ("sqs:SendMessage",),
        subject.arn("dynamodb", f"table/{names.ledger_table}"): (
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ),
        f"arn:{subject.partition}:s3:::{names.results_bucket}/outputs/any": ("s3:PutObject",),
    }


def _of_lambda(subject: Subject) -> _Needs:
    names = subject.names
    return {
        f"arn:{subject.partition}:s3:::{names.workloads_bucket}/any": ("s3:GetObject", "s3:GetObjectVersion"),
        f"arn:{subject.partition}:s3:::{names.results_bucket}/rejects/any": ("s3:PutObject",),
        subject.arn("sqs", names.task_queue): ("sqs:SendMessage",),
        subject.arn("sqs", names.range_queue): ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"),
        subject.arn("dynamodb", f"table/{names.ledger_table}"): (
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        ),
    }


def _check(client: "IAMClient", role: str, needs: _Needs, remedy: str) -> Iterator[Finding]:
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
