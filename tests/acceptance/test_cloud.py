import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.embedded.emulator import EmbeddedCloud
from cli.system.processes import is_alive
from cloudkon.clock import SystemClock
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import EmbeddedAws


def test_up_again_says_so(embedded_cloud: EmbeddedAws) -> None:
    """Bringing up what is up starts nothing, says so, and prints the environment once more."""
    before = EmbeddedCloud(embedded_cloud.home, SystemClock()).running()
    answer = embedded_cloud.run("cloud", "up")
    assert answer.returncode == 0
    assert "already up" in answer.stderr
    assert answer.stdout == embedded_cloud.run("cloud", "env").stdout
    assert EmbeddedCloud(embedded_cloud.home, SystemClock()).running() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_interrupted_up_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """An up that is interrupted takes down what it had started and forgets it."""
    embedded = EmbeddedCloud(tmp_path, SystemClock())
    command = [sys.executable, "-m", "cli.main", "cloud", "up"]
    environment = {**os.environ, "CLOUDKON_HOME": str(tmp_path)}
    try:
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as bringing_up:
            started = eventually(embedded.find)
            assert started
            bringing_up.send_signal(number)
            _, said = bringing_up.communicate(timeout=120)
        assert (bringing_up.returncode, "Traceback" in said) == (code, False)
        assert not is_alive(started.process)
        assert {path.name for path in tmp_path.iterdir()} == {"cloud.lock", "cloud.log"}
    finally:
        embedded.stop()


def test_stack_comes_and_goes(embedded_cloud: EmbeddedAws) -> None:
    """A stage is created, left alone when nothing changes, and deleted with its data only when told to."""
    small = ("--parameter", "Fleet=no", "--parameter", "Alarms=no")
    assert embedded_cloud.run("stack", "up", "--stage", "other", *small).returncode == 0
    again = embedded_cloud.run("stack", "up", "--stage", "other", "--json")
    assert (again.returncode, again.stderr) == (0, "")
    bucket = f"cloudkon-other-workloads-{embedded_cloud.names.account}-{embedded_cloud.names.region}"
    s3 = embedded_cloud.client("s3")
    s3.put_object(Bucket=bucket, Key="tasks.txt", Body=b"")
    s3.delete_object(Bucket=bucket, Key="tasks.txt")
    refused = embedded_cloud.run("stack", "down", "--stage", "other")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"Error: The bucket {bucket} holds objects; nothing was deleted.")
    assert embedded_cloud.run("stack", "down", "--stage", "other", "--delete-data").returncode == 0
    missing = embedded_cloud.run("stack", "status", "--stage", "other")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "There is no stack cloudkon-other" in missing.stderr
