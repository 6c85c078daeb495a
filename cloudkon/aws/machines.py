"""The machines of a stage: started, counted and ended through their auto scaling group."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cloudkon.aws.errors import error_code, translated
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, InputError, NotFoundError
from cloudkon.machine import Capacity, Machine
from cloudkon.names import DRAIN_HOOK, STAGE_TAG, Names

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

_GONE = frozenset({"shutting-down", "terminated"})
_MOST_ATTACHED = 20
"""https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AttachInstances.html"""
_START_S = 300.0
_POLL_S = 3.0


class Machines:
    """Every verb raises NotFoundError where there is no group: no image has been built yet."""

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
        try:
            members = {each["InstanceId"]: each for each in self._group().get("Instances", [])}
        except NotFoundError:
            members = {}
        filters: Any = [{"Name": f"tag:{STAGE_TAG}", "Values": [self._names.stage]}]
        with translated("list the instances of the stage"):
            pages = self._ec2.get_paginator("describe_instances").paginate(Filters=filters)
            found = [
                each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]
            ]
        machines = [
            _machine(each, members.get(each["InstanceId"])) for each in found if each["State"]["Name"] not in _GONE
        ]
        return sorted(machines, key=lambda machine: (machine.launched_ms, machine.id))

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
        self._group()
        with translated(f"start {count} instances"):
            try:
                started = self._ec2.run_instances(**self._order(count, kind, spot=spot))["Instances"]
            except ClientError as error:
                if error_code(error) in ("InvalidInstanceType", "InvalidParameterValue") and kind:
                    raise InputError(
                        f"EC2 has no instance type {kind!r} here, or not for this image: {error}"
                    ) from error
                raise
        ids = [each["InstanceId"] for each in started]
        try:
            self._await_running(ids)
            for first in range(0, len(ids), _MOST_ATTACHED):
                with translated("put the instances into the group"):
                    self._autoscaling.attach_instances(
                        AutoScalingGroupName=self._names.worker_group, InstanceIds=ids[first : first + _MOST_ATTACHED]
                    )
        except BaseException:
            self._ec2.terminate_instances(InstanceIds=ids)
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
            found = self._autoscaling.describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=10)[
                "Activities"
            ]
        for activity in found:
            if (
                activity["StatusCode"] in ("Failed", "Cancelled")
                and activity["StartTime"].timestamp() * 1000 >= since_ms
            ):
                return activity.get("StatusMessage") or activity.get("Description") or "no reason given"
        return ""

    def _order(self, count: int, kind: str | None, *, spot: bool) -> dict[str, Any]:
        order: dict[str, Any] = {
            "MinCount": count,
            "MaxCount": count,
            "LaunchTemplate": {"LaunchTemplateName": self._names.launch_template, "Version": "$Latest"},
        }
        if kind:
            order["InstanceType"] = kind
        if spot:
            order["InstanceMarketOptions"] = {"MarketType": "spot"}
        return order

    def _await_running(self, ids: Sequence[str]) -> None:
        """A machine can be put into a group once it runs."""
        until_s = self._clock.monotonic_s() + _START_S
        while True:
            states = dict(self._states(ids))
            if len(states) == len(ids) and set(states.values()) == {"running"}:
                return
            lost = [f"{machine} is {state}" for machine, state in states.items() if state not in ("pending", "running")]
            if lost or self._clock.monotonic_s() >= until_s:
                raise CloudKonError(
                    f"The instances did not start: {', '.join(lost) or f'not within {_START_S:.0f} s'}."
                )
            self._clock.sleep(_POLL_S)

    def _states(self, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Those that AWS does not know yet are left out."""
        filters: Any = [{"Name": "instance-id", "Values": list(ids)}]
        with translated("look at the new instances"):
            for page in self._ec2.get_paginator("describe_instances").paginate(Filters=filters):
                for reservation in page["Reservations"]:
                    for each in reservation["Instances"]:
                        yield each["InstanceId"], each["State"]["Name"]

    def _group(self) -> "AutoScalingGroupTypeDef":
        name = self._names.worker_group
        with translated(f"describe the group {name}"):
            found = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        if not found:
            stage = self._names.stage
            raise NotFoundError(
                f"There is no group {name} in {self._names.region}: it comes with the workers' image. Build one: "
                f"cloudkon-cli workers image build --stage {stage}, then: cloudkon-cli stack up --stage {stage}"
            )
        return found[0]


def _machine(found: "InstanceTypeDef", member: Mapping[str, Any] | None) -> Machine:
    state: str = found["State"]["Name"]
    if member is not None and member["LifecycleState"] != "InService":
        state = str(member["LifecycleState"]).lower()
    launched = found.get("LaunchTime")
    return Machine(
        id=found["InstanceId"],
        type=found.get("InstanceType", ""),
        zone=found.get("Placement", {}).get("AvailabilityZone", ""),
        state=state,
        spot=found.get("InstanceLifecycle") == "spot",
        launched_ms=round(launched.timestamp() * 1000) if isinstance(launched, datetime) else 0,
        image=found.get("ImageId", ""),
        protected=bool(member and member.get("ProtectedFromScaleIn")),
    )
