import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

from cloudkon.names import Names
from cloudkon.settings import QUEUE_RETENTION_DAYS, Settings

TEMPLATE = Path("infrastructure/stack.yaml")
NAMES = Names("dev", "123456789012", "eu-central-1")


def resources() -> dict[str, Any]:
    loaded: dict[str, Any] = load(str(TEMPLATE))["Resources"]
    return loaded


def filled(text: Any) -> str:
    known = {"Stage": NAMES.stage, "AWS::AccountId": NAMES.account, "AWS::Region": NAMES.region}
    return re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text["Fn::Sub"])


def test_cfn_lint_finds_nothing() -> None:
    """The template passes cfn-lint with all its rules, the informational ones included."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--", str(TEMPLATE)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


def test_names_are_those_that_everybody_looks_for() -> None:
    """The stack calls its resources as Names does, by which everybody finds them."""
    found = resources()
    named = {
        "WorkloadsBucket": ("BucketName", NAMES.workloads_bucket),
        "ResultsBucket": ("BucketName", NAMES.results_bucket),
        "TaskQueue": ("QueueName", NAMES.task_queue),
        "RangeQueue": ("QueueName", NAMES.range_queue),
        "ProcessQueue": ("QueueName", NAMES.process_queue),
        "DeadLetterQueue": ("QueueName", NAMES.dead_letter_queue),
        "Ledger": ("TableName", NAMES.ledger_table),
    }
    assert {name: filled(found[name]["Properties"][key]) for name, (key, _) in named.items()} == {
        name: expected for name, (_, expected) in named.items()
    }


def test_queues_agree_with_the_settings() -> None:
    """Retention and visibility of the queues are those that the settings reckon with."""
    queues = [r["Properties"] for r in resources().values() if r["Type"] == "AWS::SQS::Queue"]
    assert {queue["MessageRetentionPeriod"] for queue in queues} == {QUEUE_RETENTION_DAYS * 86_400}
    assert resources()["TaskQueue"]["Properties"]["VisibilityTimeout"] == Settings().visibility_s
    longest_s = json.loads(Path(".chalice/config.json").read_text(encoding="utf-8"))["lambda_timeout"]
    assert resources()["RangeQueue"]["Properties"]["VisibilityTimeout"] == 6 * longest_s


def test_buckets_are_closed() -> None:
    """Every bucket is encrypted, closed to the public, and refuses whatever comes over a network without TLS."""
    found = resources()
    buckets = {name: r["Properties"] for name, r in found.items() if r["Type"] == "AWS::S3::Bucket"}
    assert len(buckets) == 2
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
    policies = [r["Properties"] for r in found.values() if r["Type"] == "AWS::S3::BucketPolicy"]
    assert {policy["Bucket"]["Ref"] for policy in policies} == set(buckets)
    for policy in policies:
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
        assert statement["Condition"]["Bool"] == {"aws:SecureTransport": "false"}
