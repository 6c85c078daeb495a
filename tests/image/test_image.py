"""The image for real: a Debian tree that provisions itself from user data, boots as a worker, and works.

systemd runs the unit, in its confinement; the AWS that it meets is the embedded cloud. Minutes: make test-image.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.fleet.artifacts import built
from cloudkon.stage.ami import ARTIFACTS_PREFIX, Console, user_data
from tests.support.data.pixels import BLUE, RED, encoded, stripes
from tests.support.machines.debian import Debian, debian, missing, package_environment
from tests.support.servers.picture_server import picture_server
from tests.support.waiting import eventually
from tests.support.worlds.embedded_aws import STAGE, EmbeddedAws, embedded_aws
from tests.support.worlds.jobs import JobDesk
from tests.support.worlds.workers import QUICK

pytestmark = [
    pytest.mark.image,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(missing() is not None, reason=missing() or "nothing is missing"),
]
PROVISION = Path("ec2_worker/ami/provision.sh")
UNITS = ("/etc/systemd/system/cloudkon-worker.service", "/etc/systemd/system/cloudkon-check.service")
WORKER_LOG = "/var/log/cloudkon/worker.log"
STEPS = [f"step {name}" for name in ("packages", "artifacts", "worker", "service", "agents", "proof", "seal")]
# What a launch template's user data does: write the settings, start the unit.
LAUNCH = """\
#!/bin/bash
install -d -m 755 /etc/cloudkon
cat >/etc/cloudkon/worker.env <<'END_OF_SETTINGS'
{settings}
END_OF_SETTINGS
systemctl start --no-block cloudkon-worker.service
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    with embedded_aws(tmp_path_factory.mktemp("cloud"), auth=True) as running:
        yield running


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    with debian(tmp_path_factory.mktemp("debian")) as made:
        yield made


@pytest.fixture(scope="module")
def source(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the artifacts of this checkout are, as workers image build puts them."""
    artifacts = built(Path.cwd(), tmp_path_factory.mktemp("wheel"), ())
    prefix = f"{ARTIFACTS_PREFIX}/{artifacts.digest}"
    for file in artifacts.files:
        aws.client("s3").upload_file(str(file), aws.names.results_bucket, f"{prefix}/{file.name}")
    return f"s3://{aws.names.results_bucket}/{prefix}"


def role(aws: EmbeddedAws) -> dict[str, str]:
    """What an instance profile would give, and where the embedded cloud is."""
    return {name: value for name, value in aws.environment.items() if name.startswith("AWS_")}


@pytest.fixture(scope="module")
def provisioned(aws: EmbeddedAws, tree: Debian, source: str) -> Console:
    """What the console shows of the first boot, at the end of which the machine shuts itself down."""
    return provision(aws, tree, source)


def provision(aws: EmbeddedAws, tree: Debian, source: str) -> Console:
    told = user_data(PROVISION.read_text(encoding="utf-8"), source, STAGE, aws.names.region)
    with tree.boot(told, role(aws) | package_environment(tree)) as running:
        running.await_end(900)
        return Console(running.said())


def test_a_fresh_debian_becomes_a_workers_machine(provisioned: Console, tree: Debian) -> None:
    """Every step succeeds and is told; nothing is left of what copies must not share."""
    assert (provisioned.ready, provisioned.failure) == (True, None), provisioned.text[-3000:]
    assert [said for said in provisioned.said if said.startswith("step ")] == STEPS
    assert "ok       video" in provisioned.text
    assert tree.file("/etc/machine-id").read_bytes() == b""
    assert "boto3==" in tree.file("/etc/cloudkon/image.txt").read_text(encoding="utf-8")
    assert not tree.file("/etc/cloudkon/worker.env").exists()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="apt-get install shellcheck")
def test_the_script_is_sound() -> None:
    """shellcheck finds nothing in provision.sh."""
    checked = subprocess.run(["shellcheck", str(PROVISION)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_units_are_sound_and_confined(provisioned: Console, tree: Debian) -> None:
    """systemd finds nothing wrong with the units, and little that a worker could do to its machine."""
    checked = tree.run("systemd-analyze", "--man=no", "verify", *UNITS)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    confined = tree.run("systemd-analyze", "--no-pager", "security", "--offline=yes", "--threshold=20", *UNITS)
    assert confined.returncode == 0, confined.stdout[-2000:]
    assert tree.run("systemctl", "is-enabled", "cloudkon-worker.service").stdout == "enabled\n"


def test_provisioning_again_changes_nothing(provisioned: Console, aws: EmbeddedAws, tree: Debian, source: str) -> None:
    """A machine that is one already becomes one again."""
    before = tree.file("/etc/cloudkon/image.txt").read_bytes()
    assert provision(aws, tree, source).ready
    assert tree.file("/etc/cloudkon/image.txt").read_bytes() == before


def test_artifacts_that_are_not_there(provisioned: Console, aws: EmbeddedAws, tree: Debian, source: str) -> None:
    """What fails is told by its step, and the machine shuts down all the same."""
    console = provision(aws, tree, f"{source}-missing")
    assert (console.ready, console.failure) == (False, "artifacts")


def test_the_image_boots_as_a_worker(provisioned: Console, aws: EmbeddedAws, tree: Debian) -> None:
    """Told whose worker it is, it makes videos, runs commands in its confinement, and drains when it is shut down."""
    settings = role(aws) | QUICK | {"CLOUDKON_STAGE": STAGE, "CLOUDKON_ANIMOTO_ALLOW": "127.0.0.0/8"}
    settings |= {"WORKER_OPTIONS": "--processes 1 --threads 2 --allow shell"}
    told = LAUNCH.format(settings="\n".join(f"{name}={value}" for name, value in settings.items()))
    desk = JobDesk(aws)
    with picture_server() as pictures, tree.boot(told, {}) as running:
        urls = [
            pictures.serve(f"{number}.jpg", encoded(stripes(640, 360, colour), "JPEG"))
            for number, colour in enumerate((RED, BLUE))
        ]
        video = desk.drop("video.txt", f"animoto {' '.join(urls)}\n".encode())
        shell = desk.drop(
            "shell.txt",
            b'shell id -un\nshell "touch /etc/mine 2>&1 || true"\nshell "mktemp >/dev/null && echo written"\n'
            b'shell "unshare --user true 2>&1 || true"\nshell "ls /root 2>&1 || true"\n',
        )
        assert desk.finish(video)["tasks"]["succeeded"] == 1
        assert desk.finish(shell)["tasks"]["succeeded"] == 5
        made = desk.results(video)[0]
        assert aws.client("s3").head_object(Bucket=aws.names.results_bucket, Key=made["output"])["ContentLength"] > 1000
        values = [result["value"] for result in desk.results(shell)]
        assert (values[0], values[2]) == ("cloudkon", "written")
        assert "Read-only file system" in values[1]
        assert "Operation not permitted" in values[3]
        assert "ermission denied" in values[4]

        slow = desk.drop("slow.txt", b"sleep 200\n" * 600)
        log = tree.file(WORKER_LOG)
        eventually(lambda: desk.stats(slow)["tasks"]["succeeded"] > 0)
        running.shut_down()
    said = log.read_text(encoding="utf-8")
    assert "draining" in said
    assert "ended with exit code 0" in said.splitlines()[-1]
    assert "Failed to stop" not in running.said()
    assert 0 < desk.stats(slow)["tasks"]["succeeded"] < 600
