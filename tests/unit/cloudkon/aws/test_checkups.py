from collections.abc import Callable
from email.utils import formatdate
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cloudkon.aws.checkups.account import check_account
from cloudkon.aws.checkups.ami import check_image
from cloudkon.aws.checkups.formation import check_drift, check_stack
from cloudkon.aws.checkups.quotas import check_concurrency, check_vcpus
from cloudkon.aws.checkups.roles import Needs, check_roles, needs_of_lambda, needs_of_worker
from cloudkon.aws.checkups.stage import examine
from cloudkon.aws.checkups.table import check_table
from cloudkon.aws.session import Session
from cloudkon.errors import DeniedError
from cloudkon.stage.checkup import Verdict
from cloudkon.stage.names import Names
from tests.support.emulators.checkups import NAMES, problems, subject, verdicts
from tests.support.emulators.policies import grants
from tests.support.emulators.scripted_aws import ScriptedSession, refusal
from tests.support.still_clock import StillClock


def identity(date: str | None) -> dict[str, Any]:
    headers = {} if date is None else {"date": date}
    return {"Arn": "arn:me", "Account": NAMES.account, "ResponseMetadata": {"HTTPHeaders": headers}}


@pytest.mark.parametrize(
    ("apart_s", "verdict"), [(0, Verdict.OK), (-2, Verdict.OK), (60, Verdict.PROBLEM), (-60, Verdict.PROBLEM)]
)
def test_a_clock_too_far_from_that_of_aws_is_a_problem(apart_s: int, verdict: Verdict) -> None:
    """A clock that is further from AWS's than leases allow for is a problem, whichever way."""
    clock = StillClock()
    answer = identity(formatdate(clock.now_ms() / 1000 + apart_s, usegmt=True))
    session = ScriptedSession(identity={"get_caller_identity": answer})
    session.clients["identity"].meta = SimpleNamespace(region_name="eu-central-1", endpoint_url="https://sts")  # type: ignore[attr-defined]
    found = list(check_account(cast("Session", session), clock, 2_000))
    assert [finding.subject for finding in found] == ["credentials", "region", "clock"]
    assert found[-1].verdict is verdict


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("CREATE_COMPLETE", Verdict.OK), ("UPDATE_ROLLBACK_FAILED", Verdict.PROBLEM), (None, Verdict.PROBLEM)],
)
def test_a_missing_or_broken_stack_is_a_problem(status: str | None, verdict: Verdict) -> None:
    """A stack that is missing or broken is a problem."""
    answer: Any = {"Stacks": [{"StackStatus": status}] if status else []}
    assert verdicts(check_stack(subject(cloudformation={"describe_stacks": answer}))) == [verdict]


def test_what_was_changed_by_hand_is_named() -> None:
    """What was changed by hand is named."""
    changed = {"LogicalResourceId": "TaskQueue", "StackResourceDriftStatus": "MODIFIED"}
    answers = {
        "detect_stack_drift": {"StackDriftDetectionId": "1"},
        "describe_stack_drift_detection_status": {
            "DetectionStatus": "DETECTION_COMPLETE",
            "StackDriftStatus": "DRIFTED",
        },
        "describe_stack_resource_drifts": {"StackResourceDrifts": [changed]},
    }
    assert "TaskQueue (modified)" in problems(check_drift(subject(cloudformation=answers)))


def test_bounds_that_workers_scale_has_set_are_no_drift() -> None:
    """Bounds of the group that workers scale has set are not called a change by hand; a tag is."""
    written = {"LogicalResourceId": "Group", "StackResourceDriftStatus": "MODIFIED"}
    answers: dict[str, Any] = {
        "detect_stack_drift": {"StackDriftDetectionId": "1"},
        "describe_stack_drift_detection_status": {
            "DetectionStatus": "DETECTION_COMPLETE",
            "StackDriftStatus": "DRIFTED",
        },
        "describe_stack_resource_drifts": {
            "StackResourceDrifts": [written | {"PropertyDifferences": [{"PropertyPath": "/MaxSize"}]}]
        },
    }
    assert verdicts(check_drift(subject(cloudformation=answers))) == [Verdict.OK]
    answers["describe_stack_resource_drifts"] = {
        "StackResourceDrifts": [
            written | {"PropertyDifferences": [{"PropertyPath": "/MaxSize"}, {"PropertyPath": "/Tags/0"}]}
        ]
    }
    assert "Group (modified)" in problems(check_drift(subject(cloudformation=answers)))


def test_drift_that_takes_too_long() -> None:
    """AWS is not waited for without end."""
    answers = {
        "detect_stack_drift": {"StackDriftDetectionId": "1"},
        "describe_stack_drift_detection_status": {"DetectionStatus": "DETECTION_IN_PROGRESS"},
    }
    assert verdicts(check_drift(subject(cloudformation=answers))) == [Verdict.UNKNOWN]


def table(
    ttl: str = "ENABLED", attribute: str = "expires_at", recovery: str = "ENABLED", *, protected: bool = True
) -> dict[str, Any]:
    point = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": recovery}}
    return {
        "describe_table": {"Table": {"TableStatus": "ACTIVE", "DeletionProtectionEnabled": protected}},
        "describe_time_to_live": {"TimeToLiveDescription": {"TimeToLiveStatus": ttl, "AttributeName": attribute}},
        "describe_continuous_backups": {"ContinuousBackupsDescription": point},
    }


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (table(), ""),
        (table(ttl="DISABLED"), "never expire"),
        (table(attribute="expires"), "never expire"),
        (table(recovery="DISABLED"), "earlier moment"),
        (table(protected=False), "delete cloudkon-dev-ledger by mistake"),
        (
            table() | {"describe_table": {"Table": {"TableStatus": "DELETING", "DeletionProtectionEnabled": True}}},
            "is DELETING",
        ),
    ],
)
def test_the_table_must_expire_rows_and_allow_recovery(answers: dict[str, Any], said: str) -> None:
    """The ledger forgets what has expired and can be put back."""
    found = problems(check_table(subject(dynamodb=answers)))
    assert said in found
    assert bool(said) == bool(found)


def simulated(refused: str) -> Any:
    def simulate(ActionNames: list[str], **_: Any) -> Any:  # noqa: N803 (boto3's name)
        return {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": "implicitDeny" if action == refused else "allowed"}
                for action in ActionNames
            ]
        }

    return simulate


@pytest.mark.parametrize(
    ("refused", "verdict"),
    [("", Verdict.OK), ("dynamodb:UpdateItem", Verdict.PROBLEM), ("s3:GetObjectVersion", Verdict.PROBLEM)],
)
def test_a_permission_that_a_role_lacks_is_named(refused: str, verdict: Verdict) -> None:
    """A permission that a role lacks is named."""
    iam = {"get_role": {"Role": {"Arn": "arn:role"}}, "simulate_principal_policy": simulated(refused)}
    found = list(check_roles(subject(iam=iam, functions=LAMBDAS)))
    assert verdict in verdicts(found)
    assert refused in problems(found)


LAMBDAS = {"get_function_configuration": lambda FunctionName: {"Role": f"arn:aws:iam::1:role/{FunctionName}"}}  # noqa: N803 (boto3's name)


def test_roles_of_both_functions() -> None:
    """Each function has a role of its own, and one that lacks something is named."""

    def described(RoleName: str) -> Any:  # noqa: N803 (boto3's name)
        return {"Role": {"Arn": f"arn:aws:iam::1:role/{RoleName}"}}

    def simulate(PolicySourceArn: str, ActionNames: list[str], **_: Any) -> Any:  # noqa: N803 (boto3's names)
        refused = "s3:GetObject" if PolicySourceArn.endswith("dispatch_range") else ""
        return simulated(refused)(ActionNames)

    iam = {"get_role": described, "simulate_principal_policy": simulate}
    found = list(check_roles(subject(iam=iam, functions=LAMBDAS)))
    assert verdicts(found) == [Verdict.OK, Verdict.OK, Verdict.PROBLEM]
    assert "cloudkon-dev-dispatch_range may not s3:GetObject" in problems(found)


def test_roles_of_functions_that_are_not_there() -> None:
    """That a function is missing is told by the check of the functions, and by no other."""
    iam = {"get_role": {"Role": {"Arn": "arn:role"}}, "simulate_principal_policy": simulated("")}
    missing = {"get_function_configuration": refusal("ResourceNotFoundException", 404)}
    assert verdicts(check_roles(subject(iam=iam, functions=missing))) == [Verdict.OK]


@pytest.mark.parametrize(("role", "needs"), [("worker", needs_of_worker), ("Lambda", needs_of_lambda)])
def test_what_roles_need_is_what_they_are_given(role: str, needs: Callable[[Names], Needs]) -> None:
    """The examination asks for what the policies give, resource by resource, and leaves out nothing of it."""
    given = {(grant.action, grant.resource) for grant in grants(NAMES) if grant.role == role}
    asked = {(action, resource) for resource, actions in needs(NAMES).items() for action in actions}

    def fits(one: tuple[str, str], other: tuple[str, str]) -> bool:
        return all(map(fnmatchcase, one, other))

    assert [one for one in asked if not any(fits(one, other) for other in given)] == []
    left = [other for other in given if not any(fits(one, other) for one in asked)]
    assert all("my-pictures" in resource or ":kms:" in resource for _, resource in left)


@pytest.mark.parametrize(
    ("value", "images", "verdict"),
    [
        ("ami-1", [{"State": "available"}], Verdict.OK),
        ("ami-1", [{"State": "pending"}], Verdict.PROBLEM),
        ("ami-1", [], Verdict.PROBLEM),
        ("no-image-yet", [], Verdict.ABSENT),
    ],
)
def test_the_parameter_must_name_an_image_that_can_be_started(
    value: str, images: list[dict[str, str]], verdict: Verdict
) -> None:
    """The parameter has to name an image that can be started from."""
    images = [{"ImageId": value, "Architecture": "x86_64"} | image for image in images]
    found = check_image(
        subject(ssm={"get_parameter": {"Parameter": {"Value": value}}}, ec2={"describe_images": {"Images": images}})
    )
    assert verdicts(found) == [verdict]


@pytest.mark.parametrize(("most", "verdict"), [(100.0, Verdict.OK), (10.0, Verdict.PROBLEM)])
def test_a_quota_that_is_four_fifths_used_is_told(most: float, verdict: Verdict) -> None:
    """A quota of which four fifths are in use is told; instances of other families do not count."""
    running = [
        {"InstanceType": "c7i.large", "CpuOptions": {"CoreCount": 4, "ThreadsPerCore": 2}},
        {"InstanceType": "p5.48xlarge", "CpuOptions": {"CoreCount": 96, "ThreadsPerCore": 2}},
    ]
    found = list(
        check_vcpus(
            subject(
                ec2={"describe_instances": {"Reservations": [{"Instances": running}]}},
                quotas={"get_service_quota": {"Quota": {"Value": most}}},
            )
        )
    )
    assert verdicts(found) == [verdict, Verdict.OK]
    assert "8 of" in found[0].says


def test_a_lambda_without_free_concurrency_is_a_problem() -> None:
    """Lambdas that others have reserved can't dispatch."""
    limit = {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 2}}
    assert "2 of 10" in problems(check_concurrency(subject(functions={"get_account_settings": limit})))


def test_one_refusal_stops_nothing() -> None:
    """Where the credentials may ask nothing, every check says so, and none ends the examination."""
    found = list(examine(subject()))
    assert len({finding.subject for finding in found}) >= 10
    assert set(verdicts(found)) == {Verdict.UNKNOWN}


def test_without_a_stack_deploying_is_the_one_remedy() -> None:
    """Where there is no stack, that is the one problem, and deploying the one remedy."""
    found = list(examine(subject(cloudformation={"describe_stacks": {"Stacks": []}})))
    assert problems(found) == "There is no stack cloudkon-dev in eu-central-1, and so nothing else of the stage."
    assert {finding.subject for finding in found} == {"stack", "quotas", "network", "disks"}


def test_who_asks_must_be_known() -> None:
    """Refused credentials end the examination of an account: nothing else can be asked."""
    with pytest.raises(DeniedError):
        list(check_account(cast("Session", ScriptedSession()), StillClock(), 2_000))
