"""Puts into moto's AWS what a stage may leave behind."""

import io
import json
import zipfile
from typing import Any

from cloudkon.aws.session import Session
from cloudkon.stage.names import Names

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ALLOWED = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}
)
DIGEST = "0123456789ab"


def leave_machines(session: Session, names: Names) -> set[str]:
    """A build that failed, a worker that nobody hears of, a loose volume and a snapshot; return their ids."""
    ec2 = session.ec2()
    builder = instance(ec2, names, **{"cloudkon:build": "f00", "cloudkon:artifacts": "ffffffffffff"})
    worker = instance(ec2, names)
    return {builder, worker, volume(ec2, names), snapshot(ec2, names)}


def instance(ec2: Any, names: Names, **more: str) -> str:
    found = ec2.run_instances(
        ImageId="ami-0abcdef0123456789",
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tagged("instance", {"cloudkon:stage": names.stage} | more),
    )
    return str(found["Instances"][0]["InstanceId"])


def volume(ec2: Any, names: Names) -> str:
    found = ec2.create_volume(
        AvailabilityZone=f"{names.region}a",
        Size=10,
        VolumeType="gp3",
        TagSpecifications=tagged("volume", {"cloudkon:stage": names.stage}),
    )
    return str(found["VolumeId"])


def image(ec2: Any, names: Names, digest: str) -> str:
    """A worker's, made from these artifacts."""
    tags = [{"Key": "cloudkon:stage", "Value": names.stage}, {"Key": "cloudkon:artifacts", "Value": digest}]
    found = str(ec2.register_image(Name=f"cloudkon-{names.stage}-{digest}")["ImageId"])
    ec2.create_tags(Resources=[found], Tags=tags)
    return found


def snapshot(ec2: Any, names: Names, **more: str) -> str:
    """Of a volume that is nobody's; with the tags that an image's snapshot has, unless others are given."""
    of = ec2.create_volume(AvailabilityZone=f"{names.region}a", Size=8)["VolumeId"]
    tags = {"cloudkon:stage": names.stage} | (more or {"cloudkon:artifacts": DIGEST})
    return str(ec2.create_snapshot(VolumeId=of, TagSpecifications=tagged("snapshot", tags))["SnapshotId"])


def tagged(kind: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def make_buckets(session: Session, names: Names) -> None:
    for bucket in (names.workloads_bucket, names.results_bucket):
        session.s3().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


def leave_dispatcher(session: Session, names: Names, handler: str = "ingest") -> set[str]:
    """All that stands beside a stack; return what it is called."""
    function = f"cloudkon-{names.stage}-{handler}"
    logs, cloudwatch = session.logs(), session.cloudwatch()
    make_function(session, names, function, make_role(session, function))
    groups = {f"/aws/lambda/{function}", names.worker_log_group}
    for group in groups:
        logs.create_log_group(logGroupName=group)
    session.ssm().put_parameter(Name=names.image_parameter, Value="ami-0", Type="String")
    alarm = f"{names.stack}-dead-letters"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Statistic="Maximum",
        Period=300,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
    )
    cloudwatch.put_dashboard(DashboardName=names.stack, DashboardBody="{}")
    return {function, *groups, names.image_parameter, alarm, names.stack}


def make_role(session: Session, name: str) -> str:
    """As Chalice makes it: with one policy, of its own name; return its ARN."""
    iam = session.iam()
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=ALLOWED)
    return arn


def make_function(
    session: Session, names: Names, function: str, role: str, stage: str | None = None, region: str | None = None
) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    session.functions(region).create_function(
        FunctionName=function,
        Runtime="python3.11",
        Handler="app.ingest",
        Role=role,
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"CLOUDKON_STAGE": names.stage if stage is None else stage}},
    )
