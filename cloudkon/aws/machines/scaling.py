"""The machines of a stage: started, counted and ended through their auto scaling group."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.aws.machines.instances import described, is_there
from cloudkon.aws.tags import of_stage
from cloudkon.clock import Clock, epoch_ms, poll
from cloudkon.errors import CloudKonError, InputError, NotFoundError
from cloudkon.stage.machine import Capacity, Machine
from cloudkon.stage.names import DRAIN_HOOK, Names

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_autoscaling.type_defs import InstanceTypeDef as MemberTypeDef
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

log = logging.getLogger(__name__)

_MOST_ATTACHED = 20
"""The "maximum length of 19" that the page has too is, by botocore's model, that of an id.
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachInstances.html"""
# What another zone may have: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
_NOT_HERE = frozenset({"InsufficientFreeAddressesInSubnet", "InsufficientInstanceCapacity", "Unsupported"})
_START_S = 300.0
_POLL_S = 3.0


class Machines:
    """Capacity and launch raise NotFoundError where there is no group: no image has been built yet."""

    def __init__(self, autoscaling: "AutoScalingClient", ec2: "EC2Client", names: Names, clock: Clock) -> None:
        self._autoscaling = autoscaling
        self._ec2 = ec2
        self._names = names
        self._clock = clock

    def capacity(self) -> Capacity:
        group = self._group()
        return Capacity(group["MinSize"], group["DesiredCapacity"], group["MaxSize"])

    def all(self) -> list[Machine]:
        """The machines that bear the stage's tag and have not ended, oldest first; without a group too."""
        members = {each["InstanceId"]: each for each in self._members()}
        found = filter(is_there, described(self._ec2, of_stage(self._names)))
        machines = [_machine(each, members.get(each["InstanceId"])) for each in found]
        return sorted(machines, key=lambda machine: (machine.launched_ms, machine.id))

    def count(self) -> int:
        """How many machines the group has, those included that come or go; 0 if there is no group."""
        return len(self._members())

    def want(self, count: int) -> None:
        """Let the group have this many machines, at once."""
        with translated(f"set the capacity of the group {self._names.worker_group}"):
            self._autoscaling.set_desired_capacity(
                AutoScalingGroupName=self._names.worker_group, DesiredCapacity=count, HonorCooldown=False
            )

    def bound(self, least: int, most: int) -> None:
        with translated(f"set the bounds of the group {self._names.worker_group}"):
            self._autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=self._names.worker_group, MinSize=least, MaxSize=most
            )

    def launch(self, count: int, kind: str | None, *, spot: bool) -> list[str]:
        """Start machines of one type, on demand or spot, and put them into the group; return their ids.

        What was started is ended again if it can't be put into the group.
        """
        subnets = [subnet for subnet in self._group().get("VPCZoneIdentifier", "").split(",") if subnet]
        ids = self._start(count, kind, subnets, spot=spot)
        joined: list[str] = []
        try:
            self._await_running(ids)
            for batch in (ids[at : at + _MOST_ATTACHED] for at in range(0, count, _MOST_ATTACHED)):
                with translated("put the instances into the group"):
                    self._autoscaling.attach_instances(AutoScalingGroupName=self._names.worker_group, InstanceIds=batch)
                joined += batch
        except BaseException:
            self._take_back(joined, [machine for machine in ids if machine not in joined])
            raise
        return ids

    def end(self, machine: str) -> None:
        """Let a machine go for good, and no other come for it; one that is in no group is ended by EC2."""
        with translated(f"end {machine}"):
            try:
                self._autoscaling.terminate_instance_in_auto_scaling_group(
                    InstanceId=machine, ShouldDecrementDesiredCapacity=True
                )
            except ClientError as error:
                if error_code(error) != "ValidationError" or "not found" not in str(error):
                    raise
                self._ec2.terminate_instances(InstanceIds=[machine])

    def end_all(self) -> None:
        """Terminate the group's machines, busy or not, and delete it; return when it is gone. Fine if there is none.

        CloudFormation can't: it asks the group to shrink, and machines that are protected from that stay.
        """
        name = self._names.worker_group
        if self._find() is None:
            return
        with translated(f"delete the group {name}"):
            self._autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        for _ in poll(self._clock, _POLL_S):
            if self._find() is None:
                return

    def hurry(self, machine: str) -> None:
        """Let a machine that is being ended go without its drain, once its group waits for that; fine before."""
        with translated(f"end {machine} at once"):
            try:
                self._autoscaling.complete_lifecycle_action(
                    LifecycleHookName=DRAIN_HOOK,
                    AutoScalingGroupName=self._names.worker_group,
                    InstanceId=machine,
                    LifecycleActionResult="CONTINUE",
                )
            except ClientError as error:
                if error_code(error) != "ValidationError":
                    raise

    def trouble(self, since_ms: int) -> str:
        """Why the group could not start a machine since then; empty if nothing failed."""
        name = self._names.worker_group
        with translated(f"read what the group {name} has tried"):
            answer = self._autoscaling.describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=10)
        for activity in answer["Activities"]:
            failed = activity["StatusCode"] in ("Failed", "Cancelled")
            if failed and epoch_ms(activity["StartTime"]) >= since_ms:
                return activity.get("StatusMessage") or activity.get("Description") or "no reason given"
        return ""

    def _start(self, count: int, kind: str | None, subnets: Sequence[str], *, spot: bool) -> list[str]:
        """In the first subnet of the group's that has so many; elsewhere the group would not take them."""
        order: Any = {
            "MinCount": count,
            "MaxCount": count,
            "LaunchTemplate": {"LaunchTemplateName": self._names.launch_template, "Version": "$Latest"},
        }
        order |= {"InstanceType": kind} if kind else {}
        order |= {"InstanceMarketOptions": {"MarketType": "spot"}} if spot else {}
        places = self._places(subnets)
        with translated(f"start {count} instances"):
            for place in places:
                try:
                    return [each["InstanceId"] for each in self._ec2.run_instances(**order, **place)["Instances"]]
                except ClientError as error:
                    if error_code(error) in _NOT_HERE and place is not places[-1]:
                        continue
                    if kind and "eligible for Free Tier" in str(error):
                        raise InputError(f"The account has AWS's Free Plan, which starts no {kind}: {error}") from error
                    if error_code(error) in ("InvalidInstanceType", "InvalidParameterValue") and kind:
                        raise InputError(
                            f"EC2 has no instance type {kind!r} here, or not for this image: {error}"
                        ) from error
                    raise
        raise AssertionError("unreachable: the last place returns or raises")

    def _places(self, subnets: Sequence[str]) -> list[Any]:
        """What to ask for to start in each of the subnets: a template that names its interfaces wants them named again.

        EC2 takes a subnet of the instance, or interfaces, and not both:
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
        """
        name = self._names.launch_template
        with translated(f"read the launch template {name}"):
            versions = self._ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
        data: Any = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        wanted = ("DeviceIndex", "AssociatePublicIpAddress", "Groups")
        told = [{key: each[key] for key in wanted if key in each} for each in data.get("NetworkInterfaces", [])]
        if told:
            return [{"NetworkInterfaces": [each | {"SubnetId": subnet} for each in told]} for subnet in subnets] or [{}]
        return [{"SubnetId": subnet} for subnet in subnets] or [{}]

    def _take_back(self, joined: Sequence[str], others: Sequence[str]) -> None:
        """End what is of no use; whatever comes of that, the reason for it is what is raised."""
        try:
            for machine in joined:
                self.end(machine)
            if others:
                with translated(f"end {', '.join(others)}"):
                    self._ec2.terminate_instances(InstanceIds=list(others))
        except CloudKonError as error:
            log.warning("%s They go on costing money: cloudkon-cli gc finds them.", error)

    def _await_running(self, ids: Sequence[str]) -> None:
        """A machine can be put into a group once it runs."""
        for _ in poll(self._clock, _POLL_S, _START_S):
            found = described(self._ec2, {"Name": "instance-id", "Values": list(ids)})
            states = {each["InstanceId"]: each["State"]["Name"] for each in found}
            if len(states) == len(ids) and set(states.values()) == {"running"}:
                return
            if lost := [f"{id_} is {state}" for id_, state in states.items() if state not in ("pending", "running")]:
                raise CloudKonError(f"The instances did not start: {', '.join(lost)}.")
        raise CloudKonError(f"The instances did not start within {_START_S:.0f} s.")

    def _members(self) -> "Sequence[MemberTypeDef]":
        group = self._find()
        return [] if group is None else group["Instances"]

    def _group(self) -> "AutoScalingGroupTypeDef":
        found = self._find()
        if found is None:
            name, stage = self._names.worker_group, self._names.stage
            raise NotFoundError(
                f"There is no group {name} in {self._names.region}: it comes with the workers' image. Build one: "
                f"cloudkon-cli workers image build --stage {stage}, then: cloudkon-cli stack up --stage {stage}"
            )
        return found

    def _find(self) -> "AutoScalingGroupTypeDef | None":
        name = self._names.worker_group
        with translated(f"describe the group {name}"):
            found = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return found[0] if found else None


def _machine(found: "InstanceTypeDef", member: "MemberTypeDef | None") -> Machine:
    state: str = found["State"]["Name"]
    if member is not None and member["LifecycleState"] != "InService":
        state = member["LifecycleState"].lower()
    return Machine(
        id=found["InstanceId"],
        type=found.get("InstanceType", ""),
        zone=found.get("Placement", {}).get("AvailabilityZone", ""),
        state=state,
        spot=found.get("InstanceLifecycle") == "spot",
        launched_ms=epoch_ms(found["LaunchTime"]),
        image=found.get("ImageId", ""),
    )
