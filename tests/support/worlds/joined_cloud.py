"""One account on two emulators: ministack, with IAM enforced, and for EC2 a moto whose instances work."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from cli.system.environment import HOST, child_environment
from cloudkon.stage.names import Names
from tests.support.data.clones import clone
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE, STRICT, EmbeddedAws
from tests.support.worlds.handing_on import FLEET_ENDPOINT

ACCOUNT = "000000000000"
# On AWS they are of no account, and policies say so; ministack counts them to whoever asks.
_OWN_PUBLIC = f"arn:aws:ssm:*:{ACCOUNT}:parameter/aws/service/*"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": _OWN_PUBLIC}],
}
FLEET_SERVICES = {
    "autoscaling": "AUTO_SCALING",
    "cloudwatch": "CLOUDWATCH",
    "ec2": "EC2",
    "service-quotas": "SERVICE_QUOTAS",
}
"""What is moto's, by boto3's names; and as boto3 reads their endpoints from the environment."""


@dataclass(frozen=True, slots=True)
class JoinedCloud:
    """The account as a person in a clone of the repository sees it."""

    aws: EmbeddedAws
    """All of it that is ministack's."""
    clone: Path
    folder: Path
    """Of the machines."""

    @property
    def names(self) -> Names:
        return self.aws.names

    def client(self, service: str) -> Any:
        """Of whichever has the service, as the account's root."""
        if service not in FLEET_SERVICES:
            return self.aws.client(service)
        make: Callable[..., Any] = boto3.client  # the stubs know it by literal names only
        endpoint = self.aws.environment[f"AWS_ENDPOINT_URL_{FLEET_SERVICES[service]}"]
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return make(service, endpoint_url=endpoint, region_name=self.names.region, **keys)

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command of the console script, which has to end so; return what it printed."""
        answer = self.ran(sys.executable, "-m", "cli.main", *command)
        assert answer.returncode == code, f"{command}: {answer.stdout}{answer.stderr}{self.logs()}"
        return answer.stdout

    def ran(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=dict(self.aws.environment), cwd=self.clone, capture_output=True, text=True, check=False
        )

    @contextmanager
    def person(self, name: str, *policies: str) -> Iterator["JoinedCloud"]:
        """The same account, as one sees it who may do what these managed policies allow, and nothing else."""
        iam = self.aws.client("iam")
        iam.create_user(UserName=name)
        for policy in policies:
            iam.attach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{policy}")
        iam.put_user_policy(UserName=name, PolicyName="public", PolicyDocument=json.dumps(PUBLIC))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        own = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        yield replace(self, aws=replace(self.aws, environment={**self.aws.environment, **own}))
        for policy in policies:
            iam.detach_user_policy(UserName=name, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{policy}")
        iam.delete_user_policy(UserName=name, PolicyName="public")
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)

    def journal(self, *events: str) -> list[dict[str, Any]]:
        """What has happened to the machines."""
        file = self.folder / "journal"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [told for told in map(json.loads, lines) if not events or told["event"] in events]

    def await_event(self, event: str, instance: str | None = None) -> dict[str, Any]:
        def look() -> list[dict[str, Any]]:
            return [told for told in self.journal(event) if instance in (None, told["instance"])]

        look.__doc__ = f"{event} of {instance or 'any machine'}"
        return eventually(look)[0]

    def logs(self) -> str:
        """What the workers said: for a test that fails."""
        return "".join(f"\n{log}:\n{log.read_text(errors='replace')}" for log in self.folder.glob("*/worker.log"))


@contextmanager
def joined_cloud(home: Path) -> Iterator[JoinedCloud]:
    """Start both, and end both with all their processes."""
    ports, machines = (_free_port(), _free_port()), home / "machines"
    machines.mkdir()
    fleet = f"http://{HOST}:{ports[1]}"
    outside = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1", "CLOUDKON_HOME": str(home)}
    environment = child_environment(ports[0], STAGE, outside)
    joined = {**environment, **{f"AWS_ENDPOINT_URL_{name}": fleet for name in FLEET_SERVICES.values()}}
    with ExitStack() as stack:
        park = environment | {"MOTO_ACCOUNT_ID": ACCOUNT, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
        stack.enter_context(_server("machines.machine_park", ports[1], park, home, str(ports[1]), str(machines)))
        stack.enter_context(
            _server("worlds.handing_on", ports[0], environment | _ministack(ports[0], fleet, home), home)
        )
        names = Names(STAGE, ACCOUNT, environment["AWS_REGION"])
        root = clone(home / "cloudkon")
        joined["PYTHONPATH"] = os.pathsep.join((str(STRICT), str(root)))
        yield JoinedCloud(EmbeddedAws(home, joined, names), root, machines)


def _ministack(port: int, fleet: str, home: Path) -> dict[str, str]:
    """As cli/embedded/emulator.py starts it."""
    return {
        "AUTH": "true",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "LAMBDA_EXECUTOR": "local",
        "S3_DATA_DIR": str(home / "s3"),
        "S3_PERSIST": "1",
        "STATE_DIR": str(home / "state"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        FLEET_ENDPOINT: fleet,
    }


@contextmanager
def _server(module: str, port: int, environment: Mapping[str, str], home: Path, *arguments: str) -> Iterator[None]:
    """Start a server of ours, which says on its port that it is there, and end it."""
    log = home / f"{module}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.support.{module}", *arguments],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def look() -> bool:
        """A server that listens"""
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    try:
        eventually(look)
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        if module != "machines.machine_park":  # which ends with its input
            process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
