"""What is started, and ended again, where AWS does only half of what it was asked for."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from cloudkon.aws.machines.ami_builder import Build, ImageBuilder, ProvisioningError
from cloudkon.aws.machines.amis import Images
from cloudkon.aws.machines.scaling import Machines
from cloudkon.errors import CloudKonError, UnavailableError
from cloudkon.stage.ami import WorkerAmi
from cloudkon.stage.names import Names
from tests.support.emulators.scripted_aws import ScriptedClient, refusal
from tests.support.still_clock import StillClock

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ssm import SSMClient

NAMES = Names("dev", "123456789012", "eu-central-1")
SUBNETS = "subnet-a,subnet-b"
IDS = [f"i-{number:02}" for number in range(21)]


def running(**_: Any) -> Any:
    return {"Reservations": [{"Instances": [{"InstanceId": id_, "State": {"Name": "running"}} for id_ in IDS]}]}


def started(**_: Any) -> Any:
    return {"Instances": [{"InstanceId": id_} for id_ in IDS]}


class Cloud:
    """A group of two subnets, and EC2, as a test scripts them."""

    def __init__(self, ec2: dict[str, Any] | None = None, autoscaling: dict[str, Any] | None = None) -> None:
        usual: dict[str, Any] = {
            "run_instances": started,
            "describe_instances": running,
            "describe_launch_template_versions": {"LaunchTemplateVersions": [{"LaunchTemplateData": {}}]},
            "terminate_instances": {},
        }
        self.ec2 = ScriptedClient(usual | (ec2 or {}))
        groups: Any = {"AutoScalingGroups": [{"VPCZoneIdentifier": SUBNETS}]}
        grouped: dict[str, Any] = {
            "describe_auto_scaling_groups": groups,
            "attach_instances": {},
            "terminate_instance_in_auto_scaling_group": {},
        }
        self.autoscaling = ScriptedClient(grouped | (autoscaling or {}))
        self.machines = Machines(
            cast("AutoScalingClient", self.autoscaling), cast("EC2Client", self.ec2), NAMES, StillClock()
        )

    def asked(self, verb: str) -> list[dict[str, Any]]:
        return [arguments for called, arguments in (*self.ec2.calls, *self.autoscaling.calls) if called == verb]


def test_machines_start_where_their_group_is() -> None:
    """A machine that is to join the group starts in a subnet of it: elsewhere the group would not take it."""
    cloud = Cloud()
    assert cloud.machines.launch(len(IDS), "c7i.large", spot=False) == IDS
    assert [order["SubnetId"] for order in cloud.asked("run_instances")] == ["subnet-a"]
    assert [len(batch["InstanceIds"]) for batch in cloud.asked("attach_instances")] == [20, 1]


def test_machines_without_public_addresses_start_without() -> None:
    """A template that names its interface has it named again for each subnet: EC2 takes no subnet beside it."""
    data = {"NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Groups": ["sg-1"]}]}
    cloud = Cloud({"describe_launch_template_versions": {"LaunchTemplateVersions": [{"LaunchTemplateData": data}]}})
    cloud.machines.launch(len(IDS), "c7i.large", spot=False)
    (order,) = cloud.asked("run_instances")
    assert order["NetworkInterfaces"] == [data["NetworkInterfaces"][0] | {"SubnetId": "subnet-a"}]
    assert "SubnetId" not in order


def test_a_zone_without_the_type() -> None:
    """Where the first subnet's zone has no such machine, the next one is asked."""

    def only_there(SubnetId: str, **_: Any) -> Any:  # noqa: N803 (boto3's name)
        return started() if SubnetId == "subnet-b" else refusal("InsufficientInstanceCapacity", 500)

    cloud = Cloud({"run_instances": only_there})
    assert cloud.machines.launch(len(IDS), "c7i.large", spot=True) == IDS
    nowhere = Cloud({"run_instances": refusal("InsufficientInstanceCapacity", 500)})
    with pytest.raises(UnavailableError, match="InsufficientInstanceCapacity"):
        nowhere.machines.launch(1, None, spot=True)
    assert len(nowhere.asked("run_instances")) == 2


def test_what_the_group_refuses_is_ended() -> None:
    """What has joined the group leaves it again, and no other comes for it; the rest EC2 ends."""

    def twenty(InstanceIds: list[str], **_: Any) -> Any:  # noqa: N803 (boto3's name)
        return {} if len(InstanceIds) == 20 else refusal("ValidationError")

    cloud = Cloud(autoscaling={"attach_instances": twenty})
    with pytest.raises(CloudKonError, match="put the instances into the group"):
        cloud.machines.launch(len(IDS), None, spot=True)
    left = cloud.asked("terminate_instance_in_auto_scaling_group")
    assert [(one["InstanceId"], one["ShouldDecrementDesiredCapacity"]) for one in left] == [
        (id_, True) for id_ in IDS[:20]
    ]
    assert cloud.asked("terminate_instances") == [{"InstanceIds": IDS[20:]}]


def test_what_can_not_be_ended_is_told_beside_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The first error is the one that is raised; that the machines go on is said too."""
    cloud = Cloud(
        {"terminate_instances": refusal("RequestLimitExceeded", 503)}, {"attach_instances": refusal("ValidationError")}
    )
    with pytest.raises(CloudKonError, match="put the instances into the group"):
        cloud.machines.launch(len(IDS), None, spot=True)
    assert IDS[0] in caplog.text


def test_a_snapshot_that_is_in_use_is_told() -> None:
    """A snapshot that another image is made of stays, and nobody is told that it went."""
    ec2 = ScriptedClient({"deregister_image": refusal("InvalidAMIID.Unavailable"), "delete_snapshot": {}})
    image = WorkerAmi("ami-1", "d", "b", "amd64", "", 8, "available", ("snap-1",))
    images = Images(cast("EC2Client", ec2), cast("SSMClient", ScriptedClient({})), NAMES)
    images.remove(image)
    assert ec2.calls[-1] == ("delete_snapshot", {"SnapshotId": "snap-1"})
    ec2 = ScriptedClient({"deregister_image": {}, "delete_snapshot": refusal("InvalidSnapshot.InUse")})
    with pytest.raises(CloudKonError, match="InUse"):
        Images(cast("EC2Client", ec2), cast("SSMClient", ScriptedClient({})), NAMES).remove(image)


def test_a_build_ends_an_instance_that_aws_does_not_list_yet() -> None:
    """An instance whose id is known is terminated whether or not EC2 finds it by its tag already."""
    ec2 = ScriptedClient(
        {
            "run_instances": {"Instances": [{"InstanceId": "i-1"}]},
            "describe_instances": {"Reservations": []},
            "get_console_output": {"Output": "cloudkon-image: failed: install packages\n"},
            "terminate_instances": {},
        }
    )
    client = cast("EC2Client", ec2)
    images = Images(client, cast("SSMClient", ScriptedClient({})), NAMES)
    builder = ImageBuilder(client, images, NAMES, StillClock(), lambda _: None)
    with pytest.raises(ProvisioningError):
        builder.build(Build("token", "digest", "amd64", "ami-base", "t3.small", "", "sg-1", None))
    assert ("terminate_instances", {"InstanceIds": ["i-1"]}) in ec2.calls
