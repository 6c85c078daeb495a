"""Whether the account lets workers' machines start: the types, the network and the key that their disks take."""

from collections.abc import Iterator, Mapping
from typing import Any

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.stack.failures import FREE_PLAN
from cloudkon.aws.stack.stack import Stack
from cloudkon.errors import CloudKonError
from cloudkon.stage.checkup import CheckResult, ok, problem

_TYPES = {"InstanceType": "c6i.large", "SecondInstanceType": "c5.large", "ThirdInstanceType": "m5.large"}
"""As infrastructure/stack.yaml has them by default."""
_SCALING_ROLE = "AWSServiceRoleForAutoScaling"


def check_free_plan(subject: Subject) -> Iterator[CheckResult]:
    """An account with the Free Plan, as new ones are offered, starts a few types of machines only."""
    given = _parameters(subject)
    if given.get("Fleet") == "no" or not _has_free_plan(subject):
        return
    wanted = [name for name in (given.get(key, usual) for key, usual in _TYPES.items()) if name]
    with translated(f"describe the instance types {', '.join(wanted)}"):
        found = subject.session.ec2().describe_instance_types(InstanceTypes=wanted)  # type: ignore[arg-type] # more than the stubs know
    refused = [each["InstanceType"] for each in found["InstanceTypes"] if not each.get("FreeTierEligible")]
    if refused:
        says = f"The account has AWS's Free Plan, which starts no {' and no '.join(refused)}."
        yield problem("machine types", says, f"cloudkon-cli deploy --stage {subject.names.stage} {FREE_PLAN}")
    else:
        yield ok("machine types", f"{', '.join(wanted)}, as the Free Plan has them")


def _has_free_plan(subject: Subject) -> bool:
    """Where that can't be asked (older accounts, other partitions) there is none."""
    try:
        with translated("ask for the account's plan"):
            plan: str = subject.session.freetier().get_account_plan_state().get("accountPlanType", "")
    except CloudKonError:
        return False
    return plan == "FREE"


def check_network(subject: Subject) -> Iterator[CheckResult]:
    """Accounts of an organization often have no default VPC."""
    given = _parameters(subject)
    if given.get("Fleet") == "no" or given.get("VpcId"):
        return
    with translated("look for the default VPC"):
        found = subject.session.ec2().describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not found:
        yield problem(
            "network",
            f"There is no default VPC in {subject.names.region} for workers to run in.",
            f"cloudkon-cli deploy --stage {subject.names.stage} --parameter VpcId=vpc-... --parameter "
            "SubnetIds=subnet-...,subnet-..., or --parameter Fleet=no",
        )


def check_disk_key(subject: Subject) -> Iterator[CheckResult]:
    """Auto Scaling starts machines by a role of its own, which has to be let use a key that is not AWS's."""
    given = _parameters(subject)
    if given.get("Fleet") == "no":
        return
    client = subject.session.ec2()
    with translated("ask for the default key of disks"):
        key = given.get("KmsKeyArn") or client.get_ebs_default_kms_key_id()["KmsKeyId"]
    if key.endswith("alias/aws/ebs"):
        return
    with translated(f"list the grants of {key}"):
        pages = subject.session.kms().get_paginator("list_grants").paginate(KeyId=key)
        grants: list[Any] = [grant for page in pages for grant in page["Grants"]]
    if any(_SCALING_ROLE in each.get("GranteePrincipal", "") for each in grants):
        yield ok("disks", f"Auto Scaling may use {key}")
    else:
        role = f"role/aws-service-role/autoscaling.amazonaws.com/{_SCALING_ROLE}"
        principal = subject.names.arn("iam", role).replace(f":{subject.names.region}:", "::")
        yield problem(
            "disks",
            f"Disks are encrypted by {key}, which Auto Scaling has no grant for: machines may end as they start.",
            f"aws kms create-grant --key-id {key} --grantee-principal {principal} --operations Encrypt Decrypt "
            "ReEncryptFrom ReEncryptTo GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant (its policy may do too)",
        )


def _parameters(subject: Subject) -> Mapping[str, str]:
    return Stack(subject.session.cloudformation(), subject.names.stack, subject.clock).parameters()
