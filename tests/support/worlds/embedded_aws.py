"""The embedded cloud as a test uses it: brought up and down by the console script, policies enforced."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from cli.embedded.emulator import EmbeddedCloud
from cli.system.environment import child_environment
from cloudkon.clock import SystemClock
from cloudkon.stage.names import Names

STAGE = "dev"
STRICT = Path("tests/support/emulators/strict").absolute()
"""What Python loads at its start where its path has this folder."""


@dataclass(frozen=True, slots=True)
class EmbeddedAws:
    """A running embedded cloud with the stack and the Lambda in it."""

    home: Path
    environment: Mapping[str, str]
    """The whole environment of a process that is to use it."""
    names: Names

    def client(self, service: str, access_key: str = "test", secret_key: str = "test") -> Any:
        make: Callable[..., Any] = boto3.client  # the stubs know it by literal names only
        return make(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the console script against it."""
        return run_cli(self.environment, *arguments)


def run_cli(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)


@contextmanager
def embedded_aws(home: Path, *, auth: bool) -> Iterator[EmbeddedAws]:
    """Bring one up of its own in a home of its own, as strict as AWS, and take it down."""
    outside = {**os.environ, "CLOUDKON_HOME": str(home), "PYTHONPATH": os.pathsep.join((str(STRICT), str(Path.cwd())))}
    try:
        answer = run_cli(outside, "cloud", "up", "--stage", STAGE, *(["--auth"] if auth else []))
        assert answer.returncode == 0, answer.stderr
        found = EmbeddedCloud(home, SystemClock()).running()
        environment = child_environment(found.port, STAGE, outside)
        yield EmbeddedAws(home, environment, Names(STAGE, "000000000000", environment["AWS_REGION"]))
    finally:
        answer = run_cli(outside, "cloud", "down")
        assert answer.returncode == 0, answer.stderr
