from typing import Any

import pytest

from cloudkon.aws.checkups.machine_types import check_disk_key, check_free_plan, check_network
from cloudkon.aws.checkups.subject import Subject
from cloudkon.stage.checkup import Verdict
from tests.support.emulators.checkups import problems, subject, verdicts
from tests.support.emulators.scripted_aws import refusal

ELIGIBLE = frozenset({"t3.micro", "t3.small", "c7i-flex.large", "m7i-flex.large"})
"""Of AWS's, where an account has the Free Plan; eks-workshop-v2 issue 1644, karpenter PR 9004 of that plan."""
KEY = "arn:aws:kms:eu-central-1:123456789012:key/mine"
ROLE = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


def types(InstanceTypes: list[str]) -> Any:  # noqa: N803 (boto3's name)
    return {"InstanceTypes": [{"InstanceType": one, "FreeTierEligible": one in ELIGIBLE} for one in InstanceTypes]}


def account(parameters: dict[str, str] | None = None, **services: Any) -> Subject:
    """One whose stage's stack was given these parameters."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()]
    stack = {"StackId": "arn", "StackStatus": "CREATE_COMPLETE", "Parameters": given}
    return subject(cloudformation={"describe_stacks": {"Stacks": [stack]}}, **services)


@pytest.mark.parametrize("plan", [{"accountPlanType": "PAID"}, refusal("AccessDeniedException", 403)])
def test_an_account_that_pays_may_start_what_it_likes(plan: Any) -> None:
    """Nothing is said of the types, nor where the plan can't be asked for."""
    found = account(freetier={"get_account_plan_state": plan}, ec2={"describe_instance_types": types})
    assert list(check_free_plan(found)) == []


def test_the_free_plan_starts_few_types() -> None:
    """In a new account the types by default would never start: the doctor says so, and which would."""
    plan = {"get_account_plan_state": {"accountPlanType": "FREE"}}
    found = list(check_free_plan(account(freetier=plan, ec2={"describe_instance_types": types})))
    assert "starts no c6i.large and no c5.large and no m5.large" in problems(found)
    assert found[0].remedy.startswith("cloudkon-cli deploy --stage dev --parameter InstanceType=c7i-flex.large")
    fit = {"InstanceType": "c7i-flex.large", "SecondInstanceType": "m7i-flex.large", "ThirdInstanceType": ""}
    assert verdicts(check_free_plan(account(fit, freetier=plan, ec2={"describe_instance_types": types}))) == [
        Verdict.OK
    ]


@pytest.mark.parametrize(
    ("parameters", "vpcs", "is_problem"),
    [({}, [], True), ({}, [{}], False), ({"VpcId": "vpc-1"}, [], False), ({"Fleet": "no"}, [], False)],
)
def test_an_account_without_a_default_network_is_told_what_to_give(
    parameters: dict[str, str], vpcs: list[Any], *, is_problem: bool
) -> None:
    """Before anything is deployed the doctor says that a VPC has to be named, by a command that takes it."""
    found = list(check_network(account(parameters, ec2={"describe_vpcs": {"Vpcs": vpcs}})))
    assert [each.remedy.split(" --parameter")[0] for each in found] == ["cloudkon-cli deploy --stage dev"] * is_problem


@pytest.mark.parametrize(
    ("default", "parameters", "grants", "expected"),
    [
        ("arn:aws:kms:eu-central-1:123456789012:alias/aws/ebs", {}, [], []),
        (KEY, {}, [], [Verdict.PROBLEM]),
        (KEY, {}, [{"GranteePrincipal": ROLE}], [Verdict.OK]),
        ("alias/aws/ebs", {"KmsKeyArn": KEY}, [], [Verdict.PROBLEM]),
    ],
)
def test_a_key_of_the_accounts_own_needs_a_grant(
    default: str, parameters: dict[str, str], grants: list[Any], expected: list[Verdict]
) -> None:
    """Machines whose disks Auto Scaling can't encrypt die as they start: the command that helps is told."""
    found = list(
        check_disk_key(
            account(
                parameters,
                ec2={"get_ebs_default_kms_key_id": {"KmsKeyId": default}},
                kms={"list_grants": {"Grants": grants}},
            )
        )
    )
    assert verdicts(found) == expected
    assert all(f"--grantee-principal {ROLE}" in each.remedy for each in found if each.verdict is Verdict.PROBLEM)
