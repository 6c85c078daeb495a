"""moto, whose instances have processes that stand in for them: python -m tests.support.machine_park PORT FOLDER.

EC2, Auto Scaling and CloudWatch of one account; the rest of it is at the endpoint that AWS_ENDPOINT_URL names. What is
patched is what moto does not play: instances do what their user data says, a launch template reads its image from a
parameter, a group shrinks by its hook and leaves what is protected, an image of an instance has a tagged snapshot.
It ends with its standard input, and every process of it too. What happens is written to FOLDER/journal.
"""

import base64
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isfunction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import EC2Backend, iam_instance_profile
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.responses import instances as instance_responses
from moto.ec2.responses.general import General
from moto.server import ThreadedMotoServer

from tests.support.image_world import create_image
from tests.support.stand_in import PROVISION, StandIn

_RESOLVED = "resolve:ssm:"
_ENDING = "Terminating:Wait"

run_untouched = EC2Backend.run_instances
terminate_untouched = EC2Backend.terminate_instances
create_group_untouched = AutoScalingBackend.create_auto_scaling_group
protect_untouched = AutoScalingBackend.set_instance_protection
register_untouched = EC2Backend.register_image


@dataclass(slots=True)
class MachinePark:
    """The instances and what stands in for them."""

    folder: Path
    endpoints: dict[str, str]
    machines: dict[str, StandIn] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def note(self, event: str, instance: str, **more: Any) -> None:
        with self.lock, (self.folder / "journal").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"event": event, "instance": instance, "at": time.time(), **more}) + "\n")

    def begin(self, instance: Any, profile: str) -> None:
        """Let an instance that has just been started do what its user data says."""
        role = profile_of(profile).roles[0]
        arn = f"arn:aws:iam::{instance.owner_id}:role/{role}"
        credentials = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName=instance.id)["Credentials"]
        machine = StandIn(
            instance.id,
            instance.instance_type,
            instance.placement.zone,
            instance.user_data.decode(),
            role,
            credentials,
            self.folder / instance.id,
            self.note,
        )
        self.machines[instance.id] = machine
        if PROVISION.search(machine.user_data):
            threading.Thread(target=provision, args=(machine, instance), daemon=True).start()
        else:
            machine.start(self.endpoints)

    def power_off(self, instance: str) -> None:
        machine = self.machines.pop(instance, None)
        if machine is not None:
            machine.power_off()

    def end(self) -> None:
        for name in list(self.machines):
            self.power_off(name)

    def let_go(self, group: Any, state: Any) -> None:
        """Begin the end of a member: the hook holds it up until its worker has drained."""
        state.lifecycle_state = _ENDING
        self.note("ending", state.instance_id, protected=bool(state.protected_from_scale_in))
        self.machines[state.instance_id].tell_end()

    def finish(self, group: Any, state: Any) -> None:
        """The end of a member whose hook was completed: its worker is to end by itself."""
        code = self.machines[state.instance_id].await_end()
        self.note("ended", state.instance_id, code=code)
        with self.lock:
            group.instance_states.remove(state)
            group.ec2_backend.terminate_instances([state.instance_id])
        self.note("gone", state.instance_id)

    def refuse_strangers(self, response: Any) -> None:
        """Ask IAM whether an instance may do what it asks of its group; others may."""
        own = (each for each in self.machines.values() if each.credentials["AccessKeyId"] == response.access_key)
        machine = next(own, None)
        if machine is None:
            return
        group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
        iam, action = boto3.client("iam"), f"autoscaling:{response._get_action()}"
        role = iam.get_role(RoleName=machine.role)["Role"]["Arn"]
        asked = {"PolicySourceArn": role, "ActionNames": [action], "ResourceArns": [group.arn]}
        decision = iam.simulate_principal_policy(**asked)["EvaluationResults"][0]["EvalDecision"]
        self.note("asked", machine.instance, action=action, decision=decision)
        if decision != "allowed":
            error = AutoscalingClientError(f"{role} is not authorized to perform: {action}")
            error.code = "AccessDenied"
            raise error

    def settle(self, group: Any) -> None:
        """Let the group have as many members as it wants; those that are protected stay."""
        with self.lock:
            members = [state for state in group.instance_states if state.lifecycle_state == "InService"]
            more = (group.desired_capacity or 0) - len(members)
            if more > 0:
                group.replace_autoscaling_group_instances(more, group.get_propagated_tags())
            elif more < 0:
                free = [state for state in members if not state.protected_from_scale_in]
                for state in free[:-more]:
                    self.let_go(group, state)


def provision(machine: StandIn, instance: Any) -> None:
    """In place of provision.sh, which is run for real elsewhere: find what it would, with its role, and say how it went."""
    told = PROVISION.search(machine.user_data)
    assert told is not None
    keys = machine.credentials
    s3 = boto3.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    try:
        listed = s3.list_objects_v2(Bucket=told[3], Prefix=f"{told[4]}/").get("Contents", [])
        files = {each["Key"]: s3.get_object(Bucket=told[3], Key=each["Key"])["Body"].read() for each in listed}
        wheels = [key for key in files if "/cloudkon-" in key and key.endswith(".whl") and files[key][:2] == b"PK"]
        complete = len(wheels) == 1 and f"{told[4]}/constraints.txt" in files
        machine.console = f"cloudkon-image: {'ready' if complete else 'failed: artifacts'}\n"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is said, as the script would)
        machine.console = f"{error!r}\ncloudkon-image: failed: artifacts\n"
    instance.stop()


def profile_of(name_or_arn: str) -> Any:
    """An instance profile of the account, with its roles; raises if there is none."""
    found = boto3.client("iam").get_instance_profile(InstanceProfileName=name_or_arn.rpartition("/")[2])
    profile = found["InstanceProfile"]
    roles = [role["RoleName"] for role in profile["Roles"]]
    return SimpleNamespace(arn=profile["Arn"], id=profile["InstanceProfileId"], roles=roles)


def image_of(version: Any) -> str:
    """The image of a launch template, read from the parameter that it names."""
    image = version.data.get("ImageId", "")
    if image.startswith(_RESOLVED):
        value: str = boto3.client("ssm").get_parameter(Name=image.removeprefix(_RESOLVED))["Parameter"]["Value"]
        return value
    return str(image)


def asked_first(park: MachinePark, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def answer(response: Any) -> Any:
        park.refuse_strangers(response)
        return method(response)

    return answer


def patch(park: MachinePark) -> None:
    """Let moto play what it does not."""

    def run_instances(backend: Any, image_id: str, *arguments: Any, **options: Any) -> Any:
        profile = options.get("iam_instance_profile_name") or options.get("iam_instance_profile_arn")
        if template := options.get("launch_template"):
            version = backend._get_template_from_args(template)
            image_id = image_id or version.image_id
            profile = profile or version.data["IamInstanceProfile"]["Arn"]
        backend.describe_images(ami_ids=[image_id])  # raises if there is none
        reservation = run_untouched(backend, image_id, *arguments, **options)
        for instance in reservation.instances:
            park.begin(instance, profile)
        return reservation

    def register_image(backend: Any, *arguments: Any, **options: Any) -> Any:
        image = register_untouched(backend, *arguments, **options)
        image.architecture = "x86_64"  # moto does not take it down
        return image

    def terminate_instances(backend: Any, instance_ids: list[str]) -> Any:
        for name in instance_ids:
            park.power_off(name)
        return terminate_untouched(backend, instance_ids)

    def create_group(backend: Any, *arguments: Any, **options: Any) -> Any:
        group = create_group_untouched(backend, *arguments, **options)
        if not group.image_id.startswith("ami-"):
            del backend.autoscaling_groups[group.name]
            raise ValidationError(f"You must use a valid fully-formed launch template. {group.image_id} is no image")
        return group

    def terminate_member(backend: Any, instance_id: str, should_decrement: bool) -> Any:  # noqa: FBT001 (moto's own)
        for group in backend.autoscaling_groups.values():
            for state in group.instance_states:
                if state.instance_id == instance_id:
                    assert should_decrement, "nobody asks for another in its place"
                    with park.lock:
                        if state.lifecycle_state != _ENDING:
                            group.desired_capacity -= 1
                            park.let_go(group, state)
                    return SimpleNamespace(
                        activity_id="end", auto_scaling_group_name=group.name, status_code="InProgress"
                    )
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")

    def set_desired_capacity(group: Any, new_capacity: int | None) -> None:
        group.desired_capacity = group.min_size if new_capacity is None else new_capacity
        park.settle(group)

    def set_protection(backend: Any, group_name: str, instance_ids: list[str], protected_from_scale_in: Any) -> None:
        group = backend.autoscaling_groups[group_name]
        known = {state.instance_id for state in group.instance_states if state.lifecycle_state == "InService"}
        if set(instance_ids) - known:
            raise ValidationError(f"The instance {instance_ids[0]} is not in InService or EnteringStandby or Standby.")
        protect_untouched(backend, group_name, instance_ids, protected_from_scale_in)
        park.note("protected" if protected_from_scale_in else "exposed", instance_ids[0])
        park.settle(group)

    def complete_lifecycle_action(response: Any) -> Any:
        name, instance = response._get_param("AutoScalingGroupName"), response._get_param("InstanceId")
        backend = response.autoscaling_backend
        hooks = backend.describe_lifecycle_hooks(name, [response._get_param("LifecycleHookName")])
        group = backend.autoscaling_groups[name]
        with park.lock:
            state = next((each for each in group.instance_states if each.instance_id == instance), None)
            if not hooks or state is None or state.lifecycle_state != _ENDING:
                raise ValidationError(f"No active Lifecycle Action found with instance ID {instance}")
            state.lifecycle_state = "Terminating:Proceed"
        park.note("completed", instance, result=response._get_param("LifecycleActionResult"))
        threading.Thread(target=park.finish, args=(group, state), daemon=True).start()
        return EmptyResult()

    def get_console_output(response: Any) -> Any:
        instance = response._get_param("InstanceId")
        machine = park.machines.get(instance)
        said = "" if machine is None else machine.console
        output = {"Output": base64.b64encode(said.encode()).decode()} if said else {}
        return ActionResult({"InstanceId": instance, **output})

    def find_profile(
        *_: object, iam_instance_profile_arn: str = "", iam_instance_profile_name: str = "", **__: object
    ) -> Any:
        return profile_of(iam_instance_profile_arn or iam_instance_profile_name)

    EC2Backend.run_instances = run_instances
    EC2Backend.register_image = register_image
    EC2Backend.terminate_instances = terminate_instances
    EC2Backend.create_image = create_image
    LaunchTemplateVersion.image_id = property(image_of)
    General.get_console_output = get_console_output
    for module in (instance_responses, iam_instance_profile):
        module.filter_iam_instance_profiles = find_profile
    AutoScalingBackend.create_auto_scaling_group = create_group
    AutoScalingBackend.terminate_instance = terminate_member
    AutoScalingBackend.set_instance_protection = set_protection
    FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity
    AutoScalingResponse.complete_lifecycle_action = complete_lifecycle_action
    for name, method in list(vars(AutoScalingResponse).items()):
        if not name.startswith("_") and isfunction(method) and name != "call_action":
            setattr(AutoScalingResponse, name, asked_first(park, method))


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    here = f"http://127.0.0.1:{port}"
    account = str(boto3.client("sts").meta.endpoint_url)
    park = MachinePark(folder, {"AWS_ENDPOINT_URL": account, "AWS_ENDPOINT_URL_AUTO_SCALING": here})
    patch(park)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    sys.stdin.read()
    park.end()


if __name__ == "__main__":
    main()
