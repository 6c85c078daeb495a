import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

from cloudkon.aws.stack.template import MOST_BYTES, template
from cloudkon.settings import QUEUE_RETENTION_DAYS, Settings
from cloudkon.stage.names import METRIC_NAMESPACE, Names

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


REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2", "cn-north-1", "us-gov-west-1", "us-gov-east-1")
"""Six, of three partitions."""


def test_every_property_is_one_of_each_partition() -> None:
    """The schemas of commercial regions, of China and of GovCloud know all that is asked for."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", *REGIONS, "--", str(TEMPLATE)]
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
        "ParkedQueue": ("QueueName", NAMES.parked_queue),
        "DeadLetterQueue": ("QueueName", NAMES.dead_letter_queue),
        "Ledger": ("TableName", NAMES.ledger_table),
        "IngestLog": ("LogGroupName", f"/aws/lambda/{NAMES.functions[0]}"),
        "DispatchRangeLog": ("LogGroupName", f"/aws/lambda/{NAMES.functions[1]}"),
        "WorkerLog": ("LogGroupName", NAMES.worker_log_group),
        "WorkerRole": ("RoleName", NAMES.worker_role),
        "ImageBuilderRole": ("RoleName", NAMES.image_builder_role),
        "OperatorPolicy": ("ManagedPolicyName", NAMES.operator_policy),
        "ImagePolicy": ("ManagedPolicyName", NAMES.image_policy),
        "LaunchTemplate": ("LaunchTemplateName", NAMES.launch_template),
        "Group": ("AutoScalingGroupName", NAMES.worker_group),
    }
    assert {name: filled(found[name]["Properties"][key]) for name, (key, _) in named.items()} == {
        name: expected for name, (_, expected) in named.items()
    }


def test_queues_agree_with_the_settings() -> None:
    """Retention and visibility of the queues are those that the settings, and Lambda's longest run, reckon with."""
    queues = [r["Properties"] for r in resources().values() if r["Type"] == "AWS::SQS::Queue"]
    assert {queue["MessageRetentionPeriod"] for queue in queues} == {QUEUE_RETENTION_DAYS * 86_400}
    assert resources()["TaskQueue"]["Properties"]["VisibilityTimeout"] == Settings().visibility_s
    timeout_s = json.loads(Path(".chalice/config.json").read_text(encoding="utf-8"))["lambda_timeout"]
    assert resources()["RangeQueue"]["Properties"]["VisibilityTimeout"] == 6 * timeout_s


def test_queues_are_closed() -> None:
    """Every queue is encrypted, and refuses whatever comes over a network without TLS."""
    found = resources()
    queues = {name: r["Properties"] for name, r in found.items() if r["Type"] == "AWS::SQS::Queue"}
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())
    policies = [r["Properties"] for r in found.values() if r["Type"] == "AWS::SQS::QueuePolicy"]
    assert {queue["Ref"] for policy in policies for queue in policy["Queues"]} == set(queues)
    for policy in policies:
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
        assert statement["Condition"]["Bool"] == {"aws:SecureTransport": "false"}
        assert statement["Resource"] == "*"  # in a queue's own policy: the queue


def test_it_can_be_sent_as_it_is() -> None:
    """What is sent is small enough for CloudFormation without a bucket, which there is not yet.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    """
    assert len(template().encode()) <= MOST_BYTES


def test_what_is_sent_says_what_was_written(tmp_path: Path) -> None:
    """Only comments are left out; an emulator on loopback is spoken to without TLS, and AWS is told nothing of it."""
    sent = tmp_path / "sent.yaml"
    sent.write_text(template("https://cloudformation.eu-central-1.amazonaws.com"), encoding="utf-8")
    assert json.dumps(load(str(sent))) == json.dumps(load(str(TEMPLATE)))
    assert "127.0.0" not in sent.read_text(encoding="utf-8")
    for endpoint in ("http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:4566"):
        sent.write_text(template(endpoint), encoding="utf-8")
        policies = [
            r["Properties"]["PolicyDocument"]
            for r in load(str(sent))["Resources"].values()
            if r["Type"].endswith(("BucketPolicy", "QueuePolicy"))
        ]
        conditions = [s["Condition"] for p in policies for s in p["Statement"] if s["Sid"] == "TlsOnly"]
        assert (
            conditions
            == [{"Bool": {"aws:SecureTransport": "false"}, "NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}] * 3
        )


def test_alarms_reach_who_is_to_be_told() -> None:
    """Every alarm that is no scaling's goes to the topic and to the address that were given."""
    found = resources()
    alarms = [
        r["Properties"]
        for r in found.values()
        if r["Type"] == "AWS::CloudWatch::Alarm" and r["Condition"] == "HasAlarms"
    ]
    assert len(alarms) == 5
    none = {"Ref": "AWS::NoValue"}
    assert {json.dumps(alarm["AlarmActions"]) for alarm in alarms} == {
        json.dumps(
            [
                {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, none]},
                {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, none]},
            ]
        )
    }
    assert found["AlarmTopic"]["Properties"]["Subscription"] == [
        {"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}
    ]


def test_a_key_of_yours_encrypts_all_that_is_kept() -> None:
    """Buckets, queues, the ledger and the workers' disks take the key, and each role that reads them may use it."""
    found = resources()
    data = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::EC2::LaunchTemplate")
    for name, resource in found.items():
        assert (resource["Type"] in data) <= ("KmsKeyArn" in json.dumps(resource)), name
    for name in ("WorkerRole", "ImageBuilderRole", "OperatorPolicy", "ImagePolicy"):
        assert "kms:Decrypt" in json.dumps(found[name]), name


def test_every_role_takes_the_boundary() -> None:
    """Where an account demands a permissions boundary, no role is made without."""
    roles = [r["Properties"] for r in resources().values() if r["Type"] == "AWS::IAM::Role"]
    assert {role["PermissionsBoundary"]["Fn::If"][1]["Ref"] for role in roles} == {"PermissionsBoundaryArn"}


def test_machines_are_closed() -> None:
    """Nobody calls a worker, its credentials are IMDSv2's and one hop away, and its disk is encrypted."""
    found = resources()
    assert not {name for name, r in found.items() if r["Type"] == "AWS::EC2::SecurityGroupIngress"}
    assert "SecurityGroupIngress" not in found["SecurityGroup"]["Properties"]
    data = found["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert [disk["Ebs"]["Encrypted"] for disk in data["BlockDeviceMappings"]] == [True]


def test_the_template_waits_for_an_image() -> None:
    """Nothing of the stack needs the image's parameter before there is one, or writes over it afterwards."""
    found = resources()
    assert {name for name, r in found.items() if r["Type"] == "AWS::SSM::Parameter"} == set()
    naming = {name for name, r in found.items() if "resolve:ssm:" in json.dumps(r)}
    assert {name: found[name]["Condition"] for name in naming} == {"LaunchTemplate": "HasGroup"}
    image = found["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["ImageId"]
    assert filled(image) == f"resolve:ssm:{NAMES.image_parameter}"


def test_a_machine_is_told_whose_worker_it_is(tmp_path: Path) -> None:
    """The user data writes what the image's unit reads, each line a variable, and starts the unit."""
    data = resources()["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    text = data["UserData"]["Fn::Base64"]["Fn::Sub"]
    known = {
        "Stage": "dev",
        "AWS::Region": "eu-central-1",
        "Threads": "2",
        "Processes": "1",
        "WorkerOptions": "--allow shell",
    }
    script = re.sub(r"\$\{([^}]+)\}", lambda found: known[found[1]], text).replace("/etc/cloudkon", str(tmp_path))
    tool = tmp_path / "systemctl"
    tool.write_text(f"#!/bin/sh\necho $* > {tmp_path}/started\n", encoding="utf-8")
    tool.chmod(0o755)
    subprocess.run(["/bin/sh", "-c", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    assert (tmp_path / "worker.env").read_text(encoding="utf-8").splitlines() == [
        "CLOUDKON_STAGE=dev",
        "AWS_DEFAULT_REGION=eu-central-1",
        "CLOUDKON_METRICS=emf",
        "CLOUDKON_TRACING=xray",
        'WORKER_OPTIONS="--threads 2 --processes 1 --allow shell"',
    ]
    assert (tmp_path / "started").read_text(encoding="utf-8") == "start cloudkon-worker.service\n"


def test_machines_come_and_go_with_the_work() -> None:
    """The group can be empty, keeps those that are busy, and its sizes are left alone by updates."""
    group = resources()["Group"]["Properties"]
    assert (group["MinSize"], "DesiredCapacity" in group) == ("0", False)
    assert "NewInstancesProtectedFromScaleIn" not in group  # who holds work protects itself; nobody could for another
    measured = set(group["MetricsCollection"][0]["Metrics"])
    told = json.dumps([resources()[name] for name in ("FromZeroAlarm", "ToZeroAlarm", "BacklogPolicy")])
    assert set(re.findall(r"\bGroup[A-Z]\w+", told)) == measured
    assert (
        resources()["FromZeroPolicy"]["Properties"]["AdjustmentType"] == "ChangeInCapacity"
    )  # it never takes any away
    heartbeat_s = resources()["DrainHook"]["Properties"]["HeartbeatTimeout"]
    assert heartbeat_s > Settings().poll_s + Settings().drain_s + 30  # and a supervised process's last words


def test_what_is_measured_is_what_workers_tell() -> None:
    """Alarms and the dashboard read our own metrics from the namespace, and by the dimension, that workers use."""
    found = resources()
    alarms = [found[name]["Properties"] for name in ("SickWorkersAlarm", "FailingTasksAlarm")]
    told = [alarms[0], *(m["MetricStat"]["Metric"] for m in alarms[1]["Metrics"] if "MetricStat" in m)]
    assert {one["Namespace"] for one in told} == {METRIC_NAMESPACE}
    assert [one["Dimensions"] for one in told] == [[{"Name": "Stage", "Value": {"Ref": "Stage"}}]] * 3
    body = json.loads(re.sub(r"\$\{[^}]+\}", "x", found["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]))
    assert len(body["widgets"]) == 5
    assert f'["{METRIC_NAMESPACE}", "TasksSucceeded", "Stage"' in json.dumps(body)


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
