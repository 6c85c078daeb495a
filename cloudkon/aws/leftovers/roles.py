"""The roles of a stage's functions, as Chalice makes them, of a stage that is gone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.aws.leftovers.functions import functions_of, is_ours
from cloudkon.clock import epoch_ms
from cloudkon.stage.leftovers import FREE_USD, Kind, Leftover, is_function


def find_roles(subject: Subject) -> Iterator[Leftover]:
    """Those that no function has, wherever: a role is of no region, and the stage may stand in another one."""
    with translated("list the roles"):
        pages = subject.session.iam().get_paginator("list_roles").paginate()
        found = [each for page in pages for each in page["Roles"]]
    ours = [
        each
        for each in found
        if is_function(subject.names.stage, each["RoleName"]) and _is_for_lambda(each.get("AssumeRolePolicyDocument"))
    ]
    used = _used_roles(subject) if ours else frozenset()
    for each in ours:
        if each["Arn"] not in used:
            yield Leftover(
                Kind.ROLE, each["RoleName"], "its function is gone, or goes", epoch_ms(each["CreateDate"]), FREE_USD
            )


def remove_role(subject: Subject, leftover: Leftover) -> None:
    """IAM deletes only a role without policies."""
    client, role = subject.session.iam(), leftover.id
    with translated(f"delete the role {role}"):
        for inline in client.get_paginator("list_role_policies").paginate(RoleName=role):
            for name in inline["PolicyNames"]:
                client.delete_role_policy(RoleName=role, PolicyName=name)
        for attached in client.get_paginator("list_attached_role_policies").paginate(RoleName=role):
            for policy in attached["AttachedPolicies"]:
                client.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
        client.delete_role(RoleName=role)


def _used_roles(subject: Subject) -> frozenset[str]:
    """The roles of all functions of the account, those left out that are left over themselves."""
    here = [each["Role"] for each in functions_of(subject) if not is_ours(subject, each)]
    elsewhere = [each["Role"] for region in _other_regions(subject) for each in functions_of(subject, region)]
    return frozenset((*here, *elsewhere))


def _other_regions(subject: Subject) -> Sequence[str]:
    """Those that the account has enabled."""
    with translated("list the regions of the account"):
        found = subject.session.ec2().describe_regions()["Regions"]
    return [each["RegionName"] for each in found if each["RegionName"] != subject.names.region]


def _is_for_lambda(trust: Any) -> bool:
    """Whether Lambda may take the role, as its trust policy says."""
    statements = trust.get("Statement", []) if isinstance(trust, Mapping) else []
    principals = [each.get("Principal", {}) for each in statements if isinstance(each, Mapping)]
    return any(isinstance(each, Mapping) and each.get("Service") == "lambda.amazonaws.com" for each in principals)
