"""The policies of a stage as AWS would read them: the template's, resolved for one stage, and the Lambda's."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

from cloudkon.stage.names import Names

TEMPLATE = Path("infrastructure/stack.yaml")
ROLES = {
    "worker": "WorkerRole",
    "shell": "ShellPolicy",
    "image builder": "ImageBuilderRole",
    "operator": "OperatorPolicy",
    "images": "ImagePolicy",
}
"""Who may do something, by the name in docs/security.md, and the resource of the template that says what."""
LAMBDA = "Lambda"
PICTURES = "my-pictures"
KEY = "my-key"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One thing that one role may do to one resource."""

    role: str
    sid: str
    action: str
    resource: str
    condition: str = ""
    """As JSON; empty for none."""

    @property
    def shown(self) -> str:
        """The resource as docs/security.md has it: without what is the same everywhere, or is AWS's choice."""
        return re.sub(r"^arn:[^:]*:([^:]*):[^:]*:[^:]*:", r"\1: ", self.resource).replace("s3: ", "")

    def statement(self) -> dict[str, Any]:
        told = {"Effect": "Allow", "Action": self.action, "Resource": self.resource}
        return told | ({"Condition": json.loads(self.condition)} if self.condition else {})


def resources() -> dict[str, Any]:
    loaded: dict[str, Any] = load(str(TEMPLATE))["Resources"]
    return loaded


def grants(names: Names) -> list[Grant]:
    """Everything that anybody may do, a line a resource."""
    return [grant for role in (*ROLES, LAMBDA) for grant in _of(role, statements(role, names))]


def statements(role: str, names: Names) -> list[Any]:
    """What the policies of a role say, resolved."""
    if role == LAMBDA:
        policy = json.loads(Path(f".chalice/policy-{names.stage}.json").read_text(encoding="utf-8"))
        return list(policy["Statement"])
    return list(resolved(_statements(ROLES[role]), names))


def document(allowed: list[Grant]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [grant.statement() for grant in allowed]})


def resolved(value: Any, names: Names) -> Any:  # noqa: PLR0911 (a function of the template each)
    """What CloudFormation would make of a part of the template, every condition taken to hold."""
    match value:
        case {"Ref": what}:
            return _ref(what, names)
        case {"Fn::GetAtt": [what, _]} if not isinstance(what, list):
            return _arn(what, names)
        case {"Fn::Sub": [text, known]}:
            inner = {key: resolved(each, names) for key, each in known.items()}
            return _filled(text, names, inner)
        case {"Fn::Sub": text}:
            return _filled(text, names, {})
        case {"Fn::Join": [between, parts]}:
            return between.join(resolved(parts, names))
        case {"Fn::Split": [between, text]}:
            return resolved(text, names).split(between)
        case {"Fn::If": [_, then, _]}:
            return resolved(then, names)
        case Mapping():
            return {key: resolved(each, names) for key, each in value.items()}
        case list():
            return [resolved(each, names) for each in value]
        case _:
            return value


def _statements(resource: str) -> list[Any]:
    properties = resources()[resource]["Properties"]
    if "PolicyDocument" in properties:
        return list(properties["PolicyDocument"]["Statement"])
    return [statement for policy in properties["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def _of(role: str, said: list[Any]) -> Iterator[Grant]:
    for statement in said:
        condition = json.dumps(statement["Condition"], sort_keys=True) if "Condition" in statement else ""
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Grant(role, statement["Sid"], action, resource, condition)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _ref(what: str, names: Names) -> Any:
    known: dict[str, Any] = {
        "Stage": names.stage,
        "AWS::AccountId": names.account,
        "AWS::Region": names.region,
        "AWS::Partition": "aws",
        "KmsKeyArn": f"arn:aws:kms:{names.region}:{names.account}:key/{KEY}",
        "PictureBuckets": [PICTURES],
        "LaunchTemplate": "lt-0123456789abcdef0",
    }
    return known[what]


def _filled(text: str, names: Names, inner: Mapping[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in inner:
            return str(inner[name])
        return _arn(name.removesuffix(".Arn"), names) if name.endswith(".Arn") else str(_ref(name, names))

    return re.sub(r"\$\{([^}]+)\}", value, text)


def _arn(what: str, names: Names) -> str:
    place = f"{names.region}:{names.account}"
    known = {
        "WorkloadsBucket": f"arn:aws:s3:::{names.workloads_bucket}",
        "ResultsBucket": f"arn:aws:s3:::{names.results_bucket}",
        "TaskQueue": f"arn:aws:sqs:{place}:{names.task_queue}",
        "RangeQueue": f"arn:aws:sqs:{place}:{names.range_queue}",
        "ProcessQueue": f"arn:aws:sqs:{place}:{names.process_queue}",
        "ParkedQueue": f"arn:aws:sqs:{place}:{names.parked_queue}",
        "DeadLetterQueue": f"arn:aws:sqs:{place}:{names.dead_letter_queue}",
        "Ledger": f"arn:aws:dynamodb:{place}:table/{names.ledger_table}",
        "WorkerRole": f"arn:aws:iam::{names.account}:role/{names.worker_role}",
        "ImageBuilderRole": f"arn:aws:iam::{names.account}:role/{names.image_builder_role}",
    }
    return known[what]
