import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.embedded.deploying import find_project
from tests.support.data.clones import clone
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws

OTHER = "arn:aws:sns:us-east-1:000000000000:somebody-elses"


def deployed(aws: EmbeddedAws) -> dict[str, Any]:
    """What a deploy could change: the packages, their settings, and the stack's last change."""
    functions = aws.client("lambda").list_functions()["Functions"]
    [stack] = aws.client("cloudformation").describe_stacks(StackName=aws.names.stack)["Stacks"]
    shown = {each["FunctionName"]: (each["CodeSha256"], each["Environment"], each["Timeout"]) for each in functions}
    return shown | {"stack": (stack["StackId"], stack.get("LastUpdatedTime"))}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone of its own: Chalice writes down what it has deployed."""
    here = clone(tmp_path / "cloudkon")
    bytecode = here / "dispatcher/__pycache__/ingest.cpython-311.pyc"  # as any command there leaves it
    bytecode.parent.mkdir(exist_ok=True)
    bytecode.write_bytes(b"of no interest")
    return find_project(here, STAGE)


def test_a_second_deploy_changes_nothing(embedded_cloud: EmbeddedAws, repository: Path) -> None:
    """Deployed again, from another clone without a record, everything stays, what others subscribed to too."""
    s3, bucket = embedded_cloud.client("s3"), embedded_cloud.names.workloads_bucket
    embedded_cloud.client("sns").create_topic(Name="somebody-elses")
    before = s3.get_bucket_notification_configuration(Bucket=bucket)
    before.pop("ResponseMetadata")
    other = {"Id": "other", "TopicArn": OTHER, "Events": ["s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=before | {"TopicConfigurations": [other]}
    )
    environment = {**embedded_cloud.environment, "PYTHONPATH": str(repository), "PATH": os.environ["PATH"]}
    try:
        once = deployed(embedded_cloud)
        deploy(repository, environment)
        assert deployed(embedded_cloud) == once
        after = s3.get_bucket_notification_configuration(Bucket=bucket)
        assert [each["TopicArn"] for each in after["TopicConfigurations"]] == [OTHER]
        assert len(after["LambdaFunctionConfigurations"]) == 1
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=before)


def deploy(repository: Path, environment: dict[str, str]) -> None:
    """Deploy, and end with the doctor, who finds no problem."""
    command = [sys.executable, "-m", "cli.main", "deploy", "--stage", STAGE]
    answer = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    assert "Resources deployed" in answer.stderr, answer.stderr
    assert answer.returncode == 0, answer.stdout
    lines = answer.stdout.splitlines()
    assert f"ok       stack          cloudkon-{STAGE}: CREATE_COMPLETE" in lines
    assert any(line.startswith("ok       notification") for line in lines)
    assert sum(line.startswith("ok       ranges") for line in lines) == 1
