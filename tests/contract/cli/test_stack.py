"""The stack group, against CloudFormation as moto plays it; which leaves out what it does not know, and says so."""

import itertools
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from cli.main import cloudkon_cli
from cloudkon.aws.machines.scaling import Machines
from cloudkon.aws.session import Session
from cloudkon.clock import SystemClock
from cloudkon.ledger.job import Job, Source
from cloudkon.settings import Settings
from cloudkon.stage.names import Names
from cloudkon.wiring import cloud
from tests.support.emulators.moto_aws import AwsLab, enter
from tests.support.emulators.strict_moto.accounts import delete_default_vpc
from tests.support.still_clock import StillClock

NUMBERS = itertools.count(1)
SMALL = ("--parameter", "Fleet=no", "--parameter", "Alarms=no")


@pytest.fixture
def names(aws: AwsLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """Of a stage of the test's own, with nothing in it; whatever the test leaves is taken down."""
    enter(monkeypatch, aws.environment)
    stage = f"cli-{next(NUMBERS)}"
    monkeypatch.setenv("CLOUDKON_STAGE", stage)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tried to parse AWS::")
        yield aws.session.names(stage)
        run("down", "--force", "--delete-data")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cloudkon_cli, ["stack", *arguments])


def status() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("status", "--json").stdout)
    return told


def test_up_is_told_and_found(names: Names) -> None:
    """What up made is printed by its names, and status has it with its parameters and resources."""
    answer = run("up", "--json", *SMALL)
    told = status()
    assert json.loads(answer.stdout) == told["names"]
    assert told["names"]["range_queue"] == names.range_queue
    assert (told["stack"], told["status"], told["stands"], told["image"]) == (
        names.stack,
        "CREATE_COMPLETE",
        True,
        None,
    )
    assert (told["parameters"]["Fleet"], told["defaults"]["Fleet"]) == ("no", "yes")
    assert {"Ledger", "WorkerRole"} < {one["name"] for one in told["resources"]}
    assert "LaunchTemplate" not in {one["name"] for one in told["resources"]}
    plain = run("status").stdout
    assert f"{names.stack}: CREATE_COMPLETE" in plain
    assert any(line.split() == ["Fleet", "no", "set"] for line in plain.splitlines())


def test_the_ledger_is_not_deleted_by_mistake(names: Names, aws: AwsLab) -> None:
    """Whatever was switched off by hand is on again after up; only down takes the protection away."""
    run("up", *SMALL)
    dynamodb, table = aws.dynamodb, names.ledger_table
    for again in (False, True):
        if again:
            dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
            run("up")
        with pytest.raises(ClientError, match="can't be deleted"):
            dynamodb.delete_table(TableName=table)
        assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    assert run("down").exit_code == 0
    assert table not in dynamodb.list_tables()["TableNames"]


def test_workers_get_the_default_network(names: Names, aws: AwsLab) -> None:
    """Nobody has to name a network: workers run in the default VPC, in its subnets in zones that have their types."""
    answer = run("up")
    assert answer.exit_code == 0, answer.output
    parameters, ec2 = status()["parameters"], aws.session.ec2()
    default = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    assert parameters["VpcId"] == default
    assert len(parameters["SubnetIds"].split(",")) == 3
    assert "There is no image of the workers yet" in answer.stderr


def test_an_account_without_a_default_network_is_told_what_to_give(
    names: Names, aws: AwsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Control Tower has deleted the default VPC nothing is made until another network is named."""
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    ec2 = Session().ec2()
    delete_default_vpc(ec2)
    answer = run("up")
    assert (answer.exit_code, status_code()) == (2, 1), answer.output
    assert "cloudkon-cli deploy --parameter VpcId=vpc-... --parameter SubnetIds=subnet-..." in answer.stderr
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    answer = run("up", "--parameter", f"VpcId={vpc}", "--parameter", f"SubnetIds={subnet}")
    assert answer.exit_code == 0, answer.output
    assert status()["parameters"]["VpcId"] == vpc
    assert run("down", "--force", "--delete-data").exit_code == 0


def status_code() -> int:
    return run("status").exit_code


def test_parameters_are_kept(names: Names) -> None:
    """A parameter that was set once stays when up comes without it."""
    run("up", *SMALL, "--parameter", "LogDays=7")
    assert run("up").exit_code == 0
    assert status()["parameters"]["LogDays"] == "7"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("LogDay=7", "no parameter LogDay"),
        ("LogDays", "say what it is to be"),
        ("Stage=other", "use --stage"),
        ("VpcId=vpc-12345678", "given together"),
    ],
)
def test_parameters_that_can_not_be(names: Names, asked: str, said: str) -> None:
    """A parameter that can't be used is a misuse that says how to use it, and nothing is created."""
    answer = run("up", "--parameter", asked)
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert run("status").exit_code == 1


def test_status_of_nothing(names: Names) -> None:
    """Where there is no stack, status fails and says how to create one."""
    answer = run("status")
    assert answer.exit_code == 1
    assert f"cloudkon-cli stack up --stage {names.stage}" in answer.stderr


def test_down_refuses_while_a_job_runs(names: Names) -> None:
    """A job that has not ended keeps the stack up, unless --force says that it may be lost."""
    run("up", *SMALL)
    ledger = cloud(names.stage, Settings()).ledger
    now_ms = SystemClock().now_ms()
    source = Source(names.workloads_bucket, "a.txt", "v1", now_ms)
    job = ledger.open(Job("a-job", source, 10, 1, 1, 1, 1, now_ms))
    answer = run("down")
    assert answer.exit_code == 1
    assert f"The job {job.id} has not ended; nothing was deleted" in answer.stderr
    assert status()["stands"]
    assert run("down", "--force").exit_code == 0
    assert run("status").exit_code == 1


def test_down_refuses_while_a_bucket_holds_objects(names: Names, aws: AwsLab) -> None:
    """What a bucket holds is deleted only by those who say so."""
    run("up", *SMALL)
    aws.s3.put_object(Bucket=names.results_bucket, Key="outputs/a", Body=b"a")
    answer = run("down", "--force")
    assert answer.exit_code == 1
    assert f"The bucket {names.results_bucket} holds objects" in answer.stderr
    answer = run("down", "--delete-data", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["results_bucket"]) == (0, names.results_bucket)
    assert "1 object versions deleted" in answer.stderr


def test_down_refuses_while_there_are_machines(names: Names, aws: AwsLab) -> None:
    """Machines keep the stack up, unless --force says that they may be terminated, busy or not."""
    group, autoscaling, ec2 = names.worker_group, aws.session.autoscaling(), aws.session.ec2()
    run("up", *SMALL)
    image = ec2.register_image(Name=names.stage)["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName=group, LaunchTemplateData={"ImageId": image, "InstanceType": "c5.large"}
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=group,
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=2,
        LaunchTemplate={"LaunchTemplateName": group},
        AvailabilityZones=["eu-central-1a"],
        NewInstancesProtectedFromScaleIn=True,
    )
    answer = run("down")
    assert answer.exit_code == 1
    assert f"The group {group} has 2 machines; nothing was deleted" in answer.stderr
    assert run("down", "--force").exit_code == 0
    machines = Machines(autoscaling, ec2, names, StillClock())
    assert machines.count() == 0
    machines.end_all()  # which is fine when there is none
