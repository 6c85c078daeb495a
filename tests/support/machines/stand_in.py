"""A local process that stands in for an instance, and does in a folder what the instance's user data says."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers.metadata_server import LIFECYCLE, MetadataServer
from tests.support.worlds.workers import QUICK

UNIT = Path("ec2_worker/ami/cloudkon-worker.service")
# The end of the launch template's user data: the file that tells the machine whose worker it is, and what reads it.
WORKER = re.compile(
    r"cat > /etc/cloudkon/worker\.env <<'END'\n(.*?)\nEND\nsystemctl start cloudkon-worker\.service\n*\Z", re.DOTALL
)
PROVISION = re.compile(r"^bash /root/provision\.sh --stage (\S+) --region (\S+) s3://([^/]+)/(\S+) ", re.MULTILINE)
ROLE = "iam/security-credentials/"
_PATIENCE_S = 30
# What is waited for otherwise: a minute's lull, and a status every 15 s.
SETTINGS = {**QUICK, "CLOUDKON_LULL_S": "1", "CLOUDKON_STATUS_S": "1"}
INHERITED = ("PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE", "no_proxy", "NO_PROXY")

Note = Callable[..., None]


@dataclass(slots=True)
class StandIn:
    """One instance, as far as it can be had on this machine."""

    instance: str
    type: str
    zone: str
    user_data: str
    role: str
    credentials: Mapping[str, Any]
    """Of the role of its instance profile; told by its metadata service alone, as on EC2."""
    folder: Path
    note: Note
    console: str = ""
    metadata: MetadataServer = field(default_factory=MetadataServer)
    _process: subprocess.Popen[bytes] | None = None

    def start(self, endpoints: dict[str, str]) -> None:
        """Bring the worker up that the user data asks for."""
        self.folder.mkdir(parents=True)
        self.metadata.answers = {
            "instance-id": self.instance,
            "instance-type": self.type,
            "placement/availability-zone": self.zone,
            LIFECYCLE: "InService",
            ROLE: self.role,
            ROLE + self.role: self._told_credentials(),
        }
        self.metadata.start()
        told = WORKER.search(self.user_data)
        if told is None:
            raise ValueError(f"{self.instance} can't be stood in for: {self.user_data}")
        settings = environment_file(told[1])
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | SETTINGS | endpoints
        environment |= {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PYTHONPATH": str(Path.cwd()),
            "TMPDIR": str(self.folder),
        }
        with (self.folder / "worker.log").open("wb") as log:
            self._process = subprocess.Popen(
                command(settings), env=environment | settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.note("started", self.instance, environment=settings, pid=self._process.pid)

    def tell_end(self) -> None:
        """Let the metadata service say that the group ends the instance."""
        self.metadata.answers[LIFECYCLE] = "Terminated"

    def await_end(self) -> int:
        """Wait for the worker, which is to end by itself; return its exit code."""
        assert self._process is not None
        return self._process.wait(_PATIENCE_S)

    def power_off(self) -> None:
        """What a machine does that shuts down: its services are told, and what stays is killed."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self.metadata.stop()
        self.note("off", self.instance, code=None if self._process is None else self._process.returncode)

    def _told_credentials(self) -> str:
        keys = {name: self.credentials[name] for name in ("AccessKeyId", "SecretAccessKey")}
        expires = self.credentials["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps({"Code": "Success", **keys, "Token": self.credentials["SessionToken"], "Expiration": expires})


def environment_file(text: str) -> dict[str, str]:
    """What systemd reads from an EnvironmentFile as simple as ours."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


def command(settings: Mapping[str, str]) -> list[str]:
    """What the image's unit starts, by the Python that runs this; systemd splits the options at white space."""
    start = re.search(r"^ExecStart=(\S+) (.+)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    assert start is not None
    words = start[2].replace("$WORKER_OPTIONS", settings["WORKER_OPTIONS"]).split()
    return [sys.executable, *words]
