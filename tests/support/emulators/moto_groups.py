"""Auto Scaling as moto does not play it: groups shrink by their hook, leave what is protected, and ask IAM."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isfunction
from types import SimpleNamespace
from typing import Any

import boto3
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from tests.support.emulators.moto_ec2 import play
from tests.support.machines.machines import Machines

_ENDING = "Terminating:Wait"


@dataclass(frozen=True, slots=True)
class PlayedGroups:
    machines: Machines

    def install(self) -> None:
        play(AutoScalingBackend, "create_auto_scaling_group", create_group)
        play(AutoScalingBackend, "terminate_instance", self.terminate_member)
        play(AutoScalingBackend, "set_instance_protection", self.protect)
        play(FakeAutoScalingGroup, "set_desired_capacity", self.set_desired_capacity)
        play(AutoScalingResponse, "complete_lifecycle_action", self.complete_lifecycle_action)
        for name, method in list(vars(AutoScalingResponse).items()):
            if isfunction(method) and not name.startswith("_") and name != "call_action":
                play(AutoScalingResponse, name, self.answer_if_allowed)

    def answer_if_allowed(self, before: Callable[[Any], Any], response: Any) -> Any:
        """Ask IAM whether an instance may do what it asks of its group; who else asks, may."""
        machine = self.machines.with_key(response.access_key)
        if machine is None:
            return before(response)
        group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
        iam, action = boto3.client("iam"), f"autoscaling:{response._get_action()}"
        role = iam.get_role(RoleName=machine.role)["Role"]["Arn"]
        asked: Any = {"PolicySourceArn": role, "ActionNames": [action], "ResourceArns": [group.arn]}
        decision = iam.simulate_principal_policy(**asked)["EvaluationResults"][0]["EvalDecision"]
        self.machines.note("asked", machine.instance, action=action, decision=decision)
        if decision != "allowed":
            error = AutoscalingClientError(f"{role} is not authorized to perform: {action}")
            error.code = "AccessDenied"
            raise error
        return before(response)

    def set_desired_capacity(self, _: object, group: Any, new_capacity: int | None) -> None:
        group.desired_capacity = group.min_size if new_capacity is None else new_capacity
        self.settle(group)

    def settle(self, group: Any) -> None:
        """Let the group have as many members as it wants; those that are protected stay."""
        with self.machines.lock:
            members = [state for state in group.instance_states if state.lifecycle_state == "InService"]
            more = (group.desired_capacity or 0) - len(members)
            if more > 0:
                group.replace_autoscaling_group_instances(more, group.get_propagated_tags())
            elif more < 0:
                free = [state for state in members if not state.protected_from_scale_in]
                for state in free[:-more]:
                    self.begin_end(state)

    def begin_end(self, state: Any) -> None:
        """Begin the end of a member: the hook holds it up until its worker has drained."""
        state.lifecycle_state = _ENDING
        self.machines.note("ending", state.instance_id, protected=bool(state.protected_from_scale_in))
        self.machines.known[state.instance_id].tell_end()

    def finish_end(self, group: Any, state: Any) -> None:
        """The end of a member whose hook was completed: its worker ends by itself."""
        code = self.machines.known[state.instance_id].await_end()
        self.machines.note("ended", state.instance_id, code=code)
        with self.machines.lock:
            group.instance_states.remove(state)
            group.ec2_backend.terminate_instances([state.instance_id])
        self.machines.note("gone", state.instance_id)

    def terminate_member(self, _: object, backend: Any, instance_id: str, should_decrement: object) -> Any:
        assert should_decrement, "nobody asks for another in its place"
        with self.machines.lock:
            for group in backend.autoscaling_groups.values():
                for state in group.instance_states:
                    if state.instance_id == instance_id:
                        if state.lifecycle_state == "InService":
                            group.desired_capacity -= 1
                            self.begin_end(state)
                        return SimpleNamespace(activity_id="end", auto_scaling_group_name=group.name)
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")

    def protect(
        self, before: Callable[..., Any], backend: Any, group_name: str, instance_ids: list[str], protected: object
    ) -> None:
        group = backend.autoscaling_groups[group_name]
        with self.machines.lock:
            inside = {state.instance_id for state in group.instance_states if state.lifecycle_state == "InService"}
            strangers = set(instance_ids) - inside
            # Auto Scaling notes that a machine is in service some time after its worker has begun to ask.
            pending = {name for name in instance_ids if not self.machines.journalled("too early", name)}
            for name in pending:
                self.machines.note("too early", name)
            if strangers or pending:
                raise ValidationError(
                    f"The instance {min(strangers | pending)} is not in InService or EnteringStandby or Standby."
                )
            before(backend, group_name, instance_ids, protected)
            self.machines.note("protected" if protected else "exposed", instance_ids[0])
            self.settle(group)

    def complete_lifecycle_action(self, _: object, response: Any) -> Any:
        asked = response._get_param
        name, instance, backend = asked("AutoScalingGroupName"), asked("InstanceId"), response.autoscaling_backend
        group = backend.autoscaling_groups[name]
        with self.machines.lock:
            state = next((each for each in group.instance_states if each.instance_id == instance), None)
            hooks = backend.describe_lifecycle_hooks(name, [asked("LifecycleHookName")])
            if not hooks or state is None or state.lifecycle_state != _ENDING:
                raise ValidationError(f"No active Lifecycle Action found with instance ID {instance}")
            state.lifecycle_state = "Terminating:Proceed"
        self.machines.note("completed", instance, result=asked("LifecycleActionResult"))
        threading.Thread(target=self.finish_end, args=(group, state), daemon=True).start()
        return EmptyResult()


def create_group(before: Callable[..., Any], backend: Any, *arguments: Any, **options: Any) -> Any:
    """Auto Scaling refuses a launch template whose parameter holds no image."""
    group = before(backend, *arguments, **options)
    if not group.image_id.startswith("ami-"):
        del backend.autoscaling_groups[group.name]
        raise ValidationError(f"You must use a valid fully-formed launch template. {group.image_id} is no image")
    return group
