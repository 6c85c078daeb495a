"""A stage is deployed and taken down from wherever, on an embedded cloud that is as strict as AWS about it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cloudkon.stage.names import Names
from tests.support.data.clones import clone
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws, embedded_aws

OTHER_REGION = "eu-west-1"
SMALL = ("--parameter", "Fleet=no", "--parameter", "Alarms=no")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """One whose stage these tests may take down."""
    with embedded_aws(tmp_path_factory.mktemp("undeploy"), auth=False) as found:
        yield found


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which Chalice has no record of anything."""
    return clone(tmp_path_factory.mktemp("clone") / "cloudkon")


def run(aws: EmbeddedAws, folder: Path, region: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**aws.environment, "AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    environment["PYTHONPATH"] = str(folder if (folder / "cli").exists() else Path.cwd())
    arguments = [sys.executable, "-m", "cli.main", *command, "--stage", STAGE]
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def deploy(aws: EmbeddedAws, folder: Path, region: str) -> None:
    answer = run(aws, folder, region, "deploy", *SMALL)
    assert "Resources deployed" in answer.stderr, answer.stderr


def client(aws: EmbeddedAws, service: str, region: str) -> Any:
    make: Any = boto3.client
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return make(service, endpoint_url=aws.environment["AWS_ENDPOINT_URL"], region_name=region, **keys)


def standing(aws: EmbeddedAws, region: str) -> set[str]:
    """The names of all of the stage that stands in a region."""
    functions = client(aws, "lambda", region)
    stacks = client(aws, "cloudformation", region).describe_stacks()["Stacks"]
    buckets = [each["Name"] for each in client(aws, "s3", region).list_buckets()["Buckets"]]
    return {
        *(each["FunctionName"] for each in functions.list_functions()["Functions"]),
        *(each["EventSourceArn"] for each in functions.list_event_source_mappings()["EventSourceMappings"]),
        *(each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"),
        *client(aws, "sqs", region).list_queues().get("QueueUrls", []),
        *client(aws, "dynamodb", region).list_tables()["TableNames"],
        *(bucket for bucket in buckets if bucket.endswith(region)),
    }


def roles(aws: EmbeddedAws) -> set[str]:
    return {each["RoleName"] for each in aws.client("iam").list_roles()["Roles"] if "cloudkon" in each["RoleName"]}


def test_a_deploy_that_was_cut_off_is_gone_on_with_elsewhere(aws: EmbeddedAws, repository: Path) -> None:
    """One function stands and nothing wakes the other: a deploy from another clone makes the stage whole."""
    functions, names = aws.client("lambda"), aws.names
    for each in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=each["UUID"])
    functions.delete_function(FunctionName=names.functions[1])
    deploy(aws, repository, names.region)
    assert {each["FunctionName"] for each in functions.list_functions()["Functions"]} == set(names.functions)
    assert len(functions.list_event_source_mappings()["EventSourceMappings"]) == 1


def test_a_second_region_is_deployed_and_taken_down_without_the_first(
    aws: EmbeddedAws, repository: Path, tmp_path: Path
) -> None:
    """From one checkout to two regions, and back to an empty account from a folder that is no checkout."""
    names = aws.names
    first = standing(aws, names.region)
    deploy(aws, repository, OTHER_REGION)
    assert standing(aws, names.region) == first
    assert len(standing(aws, OTHER_REGION)) == len(first)
    shared = roles(aws)

    answer = run(aws, tmp_path, OTHER_REGION, "undeploy")
    assert answer.returncode == 0, answer.stderr
    assert standing(aws, OTHER_REGION) == set()
    assert standing(aws, names.region) == first
    assert set(names.functions) <= roles(aws) < shared

    answer = run(aws, tmp_path, names.region, "undeploy")
    assert answer.returncode == 0, answer.stderr
    assert (standing(aws, names.region), roles(aws)) == (set(), set())
    again = run(aws, tmp_path, names.region, "undeploy")
    assert again.returncode == 0, again.stderr


def test_a_stage_that_holds_something_stays_whole(aws: EmbeddedAws, repository: Path) -> None:
    """Before anything is taken away it is asked whether anybody may still want it."""
    names: Names = aws.names
    deploy(aws, repository, names.region)
    aws.client("s3").put_object(Bucket=names.results_bucket, Key="outputs/a", Body=b"a")
    before = standing(aws, names.region)
    answer = run(aws, repository, names.region, "undeploy")
    assert (answer.returncode, standing(aws, names.region)) == (1, before)
    assert f"The bucket {names.results_bucket} holds objects; nothing was deleted" in answer.stderr
    answer = run(aws, repository, names.region, "undeploy", "--delete-data")
    assert (answer.returncode, standing(aws, names.region)) == (0, set())
    assert not (repository / ".chalice/deployed" / f"{STAGE}.json").exists()
