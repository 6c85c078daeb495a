import io
import json
import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudkon.ledger.job import job_id
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws

FUNCTION = f"cloudkon-{STAGE}-ingest"
LOG = f"/aws/lambda/{FUNCTION}"


@pytest.fixture(scope="module")
def lambdas_keys(embedded_cloud: EmbeddedAws) -> tuple[str, str]:
    """The keys of a user who may do what the Lambda's policy allows, and nothing else."""
    iam = embedded_cloud.client("iam")
    iam.create_user(UserName="like-the-lambda")
    policy = Path(f".chalice/policy-{STAGE}.json").read_text(encoding="utf-8")
    iam.put_user_policy(UserName="like-the-lambda", PolicyName="ingest", PolicyDocument=policy)
    key = iam.create_access_key(UserName="like-the-lambda")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_a_put_runs_the_deployed_zip(embedded_cloud: EmbeddedAws) -> None:
    """A workload that is put into the bucket is dispatched by the zip that chalice built, under its own policy."""
    names, key = embedded_cloud.names, "in/my tasks+ü.txt"
    body = b'sleep 0\nsleep 0\nsleep "0\n'
    put = embedded_cloud.client("s3").put_object(Bucket=names.workloads_bucket, Key=key, Body=body)
    job = job_id(names.workloads_bucket, key, put["VersionId"])
    dynamodb = embedded_cloud.client("dynamodb")

    def rows() -> dict[str, Any]:
        """The rows of the job and its range"""
        condition = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": f"job#{job}"}}}
        found = dynamodb.query(TableName=names.ledger_table, **condition)["Items"]
        return {row["sk"]["S"]: row for row in found} if len(found) == 2 else {}

    assert eventually(rows)["range#00000"]["tasks"] == {"N": "2"}
    listed = embedded_cloud.client("s3").list_objects_v2(Bucket=names.results_bucket, Prefix=f"rejects/{job}/")
    assert listed["KeyCount"] == 1
    said = embedded_cloud.client("logs").filter_log_events(logGroupName=LOG, filterPattern=f'"{job}"')["events"]
    assert any("dispatched" in event["message"] for event in said)


def test_the_zip_holds_all_that_it_imports(embedded_cloud: EmbeddedAws, tmp_path: Path) -> None:
    """The package starts by itself, without what else is installed here, and without asking AWS for anything."""
    location = embedded_cloud.client("lambda").get_function(FunctionName=FUNCTION)["Code"]["Location"]
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(location) as package:
        content = package.read()
    assert len(content) < 50_000_000  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import app, cloudkon.aws.xray as xray\n"
        "print(app.app.app_name, *app.__all__, bool(xray.XRayTracer('dev', 1.0)))"
    )
    environment = {"AWS_LAMBDA_FUNCTION_NAME": FUNCTION, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-S", "-c", code]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (answer.stdout, answer.stderr) == ("cloudkon app dispatch_range ingest True\n", "")


def test_the_policy_allows_what_the_lambda_does(embedded_cloud: EmbeddedAws, lambdas_keys: tuple[str, str]) -> None:
    """The Lambda may read workloads, write rejects, send bundles, send and take ranges, and keep the ledger."""
    names = embedded_cloud.names
    version = embedded_cloud.client("s3").put_object(Bucket=names.workloads_bucket, Key="a", Body=b"#\n")["VersionId"]
    s3, sqs, dynamodb = (embedded_cloud.client(service, *lambdas_keys) for service in ("s3", "sqs", "dynamodb"))
    s3.get_object(Bucket=names.workloads_bucket, Key="a")
    s3.head_object(Bucket=names.workloads_bucket, Key="a", VersionId=version)
    s3.put_object(Bucket=names.results_bucket, Key="rejects/job/0", Body=b"")
    url = sqs.get_queue_url(QueueName=names.task_queue)["QueueUrl"]
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "0", "MessageBody": "policy"}])
    embedded_cloud.client("sqs").purge_queue(QueueUrl=url)
    ranges = sqs.get_queue_url(QueueName=names.range_queue)["QueueUrl"]
    sqs.get_queue_attributes(QueueUrl=ranges, AttributeNames=["QueueArn"])
    row = {"pk": {"S": "policy"}, "sk": {"S": "meta"}}
    dynamodb.put_item(TableName=names.ledger_table, Item=row)
    assert dynamodb.get_item(TableName=names.ledger_table, Key=row)["Item"] == row
    embedded_cloud.client("dynamodb").delete_item(TableName=names.ledger_table, Key=row)


@pytest.mark.parametrize(
    ("service", "operation", "asked"),
    [
        ("s3", "put_object", {"Bucket": "{workloads}", "Key": "a", "Body": b""}),
        ("s3", "put_object", {"Bucket": "{results}", "Key": "elsewhere/a", "Body": b""}),
        ("s3", "get_object", {"Bucket": "{results}", "Key": "rejects/job/0"}),
        ("sqs", "receive_message", {"QueueUrl": "{tasks}"}),
        ("sqs", "send_message", {"QueueUrl": "{process}", "MessageBody": "x"}),
        ("sqs", "purge_queue", {"QueueUrl": "{ranges}"}),
        ("dynamodb", "delete_item", {"TableName": "{ledger}", "Key": {"pk": {"S": "a"}, "sk": {"S": "a"}}}),
        ("dynamodb", "scan", {"TableName": "{ledger}"}),
    ],
)
def test_the_policy_allows_no_more(
    embedded_cloud: EmbeddedAws, lambdas_keys: tuple[str, str], service: str, operation: str, asked: dict[str, Any]
) -> None:
    """Whatever is next to what the Lambda does is denied to it."""
    names, sqs = embedded_cloud.names, embedded_cloud.client("sqs")
    known = {
        "{workloads}": names.workloads_bucket,
        "{results}": names.results_bucket,
        "{tasks}": sqs.get_queue_url(QueueName=names.task_queue)["QueueUrl"],
        "{ranges}": sqs.get_queue_url(QueueName=names.range_queue)["QueueUrl"],
        "{process}": sqs.get_queue_url(QueueName=names.process_queue)["QueueUrl"],
        "{ledger}": names.ledger_table,
    }
    filled = {name: known.get(value, value) if isinstance(value, str) else value for name, value in asked.items()}
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        getattr(embedded_cloud.client(service, *lambdas_keys), operation)(**filled)


def test_ranges_are_taken_one_by_one_and_a_few_at_a_time(embedded_cloud: EmbeddedAws) -> None:
    """The queue of ranges calls its function with one message, up to eight functions at a time."""
    function = f"cloudkon-{STAGE}-dispatch_range"
    (source,) = embedded_cloud.client("lambda").list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    assert source["EventSourceArn"].endswith(f":{embedded_cloud.names.range_queue}")
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 8})


def test_stack_status_names_what_is_there(embedded_cloud: EmbeddedAws) -> None:
    """The stack's names, as JSON with exactly these keys, are those of what exists."""
    answer = embedded_cloud.run("stack", "status", "--json")
    names = embedded_cloud.names
    assert json.loads(answer.stdout)["names"] == {
        "workloads_bucket": names.workloads_bucket,
        "results_bucket": names.results_bucket,
        "task_queue": names.task_queue,
        "range_queue": names.range_queue,
        "process_queue": names.process_queue,
        "dead_letter_queue": names.dead_letter_queue,
        "ledger_table": names.ledger_table,
        "worker_group": names.worker_group,
        "operator_policy": names.operator_policy,
        "image_policy": names.image_policy,
    }


def test_deploying_leaves_no_record(embedded_cloud: EmbeddedAws) -> None:
    """Chalice's record of what is deployed on AWS is not overwritten by the embedded cloud's."""
    record = Path(f".chalice/deployed/{STAGE}.json")
    assert not record.exists() or "000000000000" not in record.read_text(encoding="utf-8")
