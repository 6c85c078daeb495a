"""What stands in for the instances of a moto, and what has happened to them."""

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

from tests.support.machines.stand_in import PROVISION, StandIn


@dataclass(slots=True)
class Machines:
    """Of one account, in one region."""

    folder: Path
    endpoints: dict[str, str]
    """Where their workers find AWS."""
    known: dict[str, StandIn] = field(default_factory=dict)
    """Those that are on, by their instances' ids."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def note(self, event: str, instance: str, **more: Any) -> None:
        with self.lock, (self.folder / "journal").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"event": event, "instance": instance, "at": time.time(), **more}) + "\n")

    def journalled(self, event: str, instance: str) -> bool:
        journal = self.folder / "journal"
        lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
        return any((told["event"], told["instance"]) == (event, instance) for told in map(json.loads, lines))

    def begin(self, instance: Any, profile: str) -> None:
        """Let an instance that has just been started do what its user data says, with the role of its profile."""
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
        self.known[instance.id] = machine
        if PROVISION.search(machine.user_data):
            threading.Thread(target=provision, args=(machine, instance), daemon=True).start()
        else:
            machine.start(self.endpoints)

    def power_off(self, instance: str) -> None:
        machine = self.known.pop(instance, None)
        if machine is not None:
            machine.power_off()

    def end(self) -> None:
        for name in list(self.known):
            self.power_off(name)

    def console(self, instance: str) -> str:
        machine = self.known.get(instance)
        return "" if machine is None else machine.console

    def with_key(self, access_key: str) -> StandIn | None:
        """The machine that signs so, if it is one of ours."""
        own = (each for each in self.known.values() if each.credentials["AccessKeyId"] == access_key)
        return next(own, None)


def profile_of(name_or_arn: str) -> Any:
    """An instance profile of the account, with its roles; raises if there is none."""
    found = boto3.client("iam").get_instance_profile(InstanceProfileName=name_or_arn.rpartition("/")[2])
    profile = found["InstanceProfile"]
    roles = [role["RoleName"] for role in profile["Roles"]]
    return SimpleNamespace(arn=profile["Arn"], id=profile["InstanceProfileId"], roles=roles)


def provision(machine: StandIn, instance: Any) -> None:
    """In place of provision.sh, which make test-image runs: find what it would, with its role, and say how it went."""
    told = PROVISION.search(machine.user_data)
    assert told is not None
    bucket, prefix = told[3], told[4]
    keys = machine.credentials
    s3 = boto3.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    try:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/").get("Contents", [])
        files = {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}
        wheels = [key for key in files if "/cloudkon-" in key and key.endswith(".whl") and files[key][:2] == b"PK"]
        complete = len(wheels) == 1 and f"{prefix}/constraints.txt" in files
        machine.console = f"cloudkon-image: {'ready' if complete else 'failed: artifacts'}\n"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is said, as the script would)
        machine.console = f"{error!r}\ncloudkon-image: failed: artifacts\n"
    instance.stop()
