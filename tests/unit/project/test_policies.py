"""The policies of the template and of the Lambda: whoever calls AWS may, and nobody may what nobody calls."""

import json
import re
from pathlib import Path

import pytest

from cloudkon.stage.names import Names
from tests.support.emulators.calls import BY_OTHERS, CALLS, DEPLOYER, calls
from tests.support.emulators.policies import (
    KEY,
    LAMBDA,
    ROLES,
    Grant,
    document,
    grants,
    resolved,
    resources,
    statements,
)

NAMES = Names("dev", "123456789012", "eu-central-1")
GRANTS = grants(NAMES)
GRANTED = {(grant.role, grant.action) for grant in GRANTS}
CALLED = {
    (role, action) for actions, roles in CALLS.values() for role in roles if role != DEPLOYER for action in actions
}
# Where the service has no resources to name.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
NAMELESS = re.compile(r"(xray:Put|ssmmessages:|autoscaling:Describe|ec2:Describe|pricing:Get).*")
# A batch counts as its single action on AWS, and not everywhere else.
STARRED = {"sqs:ChangeMessageVisibility*", "sqs:DeleteMessage*", "sqs:SendMessage*"}
LONGEST_CHARACTERS = {"managed": 6_144, "inline": 10_240}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def test_every_call_is_known() -> None:
    """Whatever cloudkon/aws/ calls is in the table that says which permission it needs, and of whom."""
    assert calls() - CALLS.keys() == set()
    assert CALLS.keys() - calls() == set()


def test_nothing_is_missing() -> None:
    """Each role may do what is called with its permissions."""
    assert set() == CALLED - GRANTED


def test_nothing_is_too_much() -> None:
    """No role may do what nothing calls with its permissions."""
    assert GRANTED - CALLED - BY_OTHERS.keys() == set()
    assert BY_OTHERS.keys() - GRANTED == set()


@pytest.mark.parametrize("role", [LAMBDA, *ROLES])
def test_statements_have_names_of_their_own(role: str) -> None:
    """IAM refuses a policy of which two statements have one name."""
    sids = [statement["Sid"] for statement in statements(role, NAMES)]
    assert sorted(set(sids)) == sorted(sids)


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_resources_are_named(grant: Grant) -> None:
    """A permission is for resources of this stage, account and region, where AWS can tell them apart."""
    assert "*" not in grant.action or grant.action in STARRED
    if grant.resource == "*":
        assert NAMELESS.fullmatch(grant.action)
        assert grant.condition or "Describe" not in grant.action
    elif ":image/" in grant.resource or ":snapshot/" in grant.resource or ":ec2:" in grant.resource:
        assert grant.resource.startswith("arn:aws:ec2:eu-central-1:")
    elif ":kms:" in grant.resource:  # the parameter's key; for the Lambda, whatever key its services ask for
        assert (grant.role == LAMBDA) == ("kms:ViaService" in grant.condition)
        assert grant.role == LAMBDA or grant.resource.endswith(f":key/{KEY}")
    elif grant.resource.startswith("arn:aws:ssm:eu-central-1::"):
        assert grant.resource == "arn:aws:ssm:eu-central-1::parameter/aws/service/debian/*"
    elif "my-pictures" not in grant.resource:
        assert "dev" in grant.resource.split(":", 5)[5]
        # Chalice's file is the same for every account and region: see docs/adr/0013.
        wanted = ("*", "*") if grant.role == LAMBDA else (NAMES.region, NAMES.account)
        place = tuple(grant.resource.split(":")[3:5])
        assert place in {wanted, ("", ""), ("", NAMES.account)}  # a bucket's name, and a role's ARN, need no more


def test_instances_are_told_apart_by_their_tags() -> None:
    """What ends, or makes, an instance or an image does so only to those with the stage's tag."""
    touched = [g for g in GRANTS if re.match(r"ec2:(Terminate|Deregister|Delete|GetConsole|CreateImage)", g.action)]
    touched += [g for g in GRANTS if g.action == "ec2:RunInstances" and re.search(r":(instance|volume)/", g.resource)]
    assert len(touched) >= 8
    assert {json.loads(g.condition)["StringEquals"].popitem()[1] for g in touched} == {"dev"}


@pytest.mark.parametrize("role", ROLES)
def test_a_policy_stays_below_the_size_limit_of_iam(role: str) -> None:
    """A policy stays below the size that IAM takes, for the longest names too."""
    names = Names("a-stage-12ch", "123456789012", "ap-southeast-1")
    properties = resources()[ROLES[role]]["Properties"]
    kind = "managed" if "PolicyDocument" in properties else "inline"
    policies = (
        [properties["PolicyDocument"]] if kind == "managed" else [p["PolicyDocument"] for p in properties["Policies"]]
    )
    told = json.dumps(resolved(policies, names), separators=(",", ":"))
    assert len(told) < LONGEST_CHARACTERS[kind]


def test_the_page_tells_all() -> None:
    """docs/security.md has every permission, with its resource and a reason, and no other."""
    page = Path("docs/security.md").read_text(encoding="utf-8")
    told = set()
    for role in (LAMBDA, *ROLES):
        (table,) = re.findall(rf"^### {role}\n\n[^|]*?((?:\|.*\n)+)", page + "\n", re.MULTILINE | re.IGNORECASE)
        for row in table.splitlines()[2:]:
            action, resource, why = (cell.strip() for cell in row.strip("|").split("|"))
            assert why, row
            told.add((role, action.strip("`"), resource.strip("`")))
    account = f"{NAMES.account}-{NAMES.region}"
    assert told == {(g.role, g.action, g.shown.replace(account, "…").replace(NAMES.region, "…")) for g in GRANTS}


def test_documents_are_policies() -> None:
    """What the tests hand to an emulator is what the template says."""
    one = next(grant for grant in GRANTS if grant.condition)
    assert json.loads(document([one]))["Statement"][0]["Condition"] == json.loads(one.condition)
