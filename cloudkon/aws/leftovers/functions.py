"""The Lambda of a stage that is gone."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.errors import translated
from cloudkon.clock import epoch_ms
from cloudkon.stage.leftovers import FREE_USD, Kind, Leftover, is_function

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef


def name_of(arn: str) -> str:
    """Of the function that an ARN names, with or without a version."""
    return arn.partition(":function:")[2].partition(":")[0]


def find_functions(subject: Subject) -> Iterator[Leftover]:
    """Of a stage that is gone."""
    for each in functions_of(subject):
        if is_ours(subject, each):
            changed = datetime.fromisoformat(each["LastModified"])
            yield Leftover(Kind.FUNCTION, each["FunctionName"], "its stage is gone", epoch_ms(changed), FREE_USD)


def remove_function(subject: Subject, leftover: Leftover) -> None:
    with translated(f"delete the function {leftover.id}"):
        subject.session.functions().delete_function(FunctionName=leftover.id)


def is_ours(subject: Subject, function: "FunctionConfigurationTypeDef") -> bool:
    """By its name, and by the stage that it says it works for, as every function that Chalice deploys here does."""
    stage = subject.names.stage
    told = function.get("Environment", {}).get("Variables", {}).get("CLOUDKON_STAGE")
    return is_function(stage, function["FunctionName"]) and told == stage


def functions_of(subject: Subject, region: str | None = None) -> "Sequence[FunctionConfigurationTypeDef]":
    client = subject.session.functions(region)
    with translated(f"list the functions in {region or subject.names.region}"):
        pages = client.get_paginator("list_functions").paginate()
        return [each for page in pages for each in page["Functions"]]
