"""What an image is made by and proves, as far as no machine is needed to tell."""

import configparser
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli.fleet.artifacts import Artifacts, _copy_project, built, given
from cloudkon.errors import CloudKonError, InputError, NotFoundError
from cloudkon.settings import Settings
from cloudkon.stage.ami import Console, user_data
from cloudkon.stage.checkup import Verdict
from cloudkon.stage.names import Names
from ec2_worker.__main__ import _SHUTDOWN_S
from ec2_worker.handlers import handlers
from ec2_worker.lifecycle.exits import Exit
from ec2_worker.selftest import check
from tests.support.still_clock import StillClock

AMI = Path("ec2_worker/ami")
PROVISION = (AMI / "provision.sh").read_text(encoding="utf-8")
SOURCE = "s3://cloudkon-abcdefghijkl-results-123456789012-ap-southeast-2/artifacts/0123456789ab"
FUTURE_MS = 4_000_000_000_000


def unit(*names: str) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign] # its documented way to keep capitals
    parsed.read([AMI / name for name in names], encoding="utf-8")
    return parsed


WORKER = unit("confinement.conf", "cloudkon-worker.service")


def bash(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", *arguments], input=script, capture_output=True, text=True, check=False)


def test_user_data_that_does_not_fit_is_refused() -> None:
    """A script that EC2 would refuse is refused before a machine is asked for."""
    with pytest.raises(CloudKonError, match="more than 16,384 bytes"):
        user_data("#" * 16_384, SOURCE, "dev", "eu-central-1")


def test_user_data_fits() -> None:
    """EC2 takes user data of 16 KiB, and bash understands all of it."""
    script = user_data(PROVISION, SOURCE, "abcdefghijkl", "ap-southeast-2")
    assert len(script.encode()) < 16 * 1024
    assert bash(script, "-n").returncode == 0
    assert f"--stage abcdefghijkl --region ap-southeast-2 {SOURCE}" in script


VERIFY = PROVISION[PROVISION.index("verify_artifacts() {") : PROVISION.index("add_user() {")]


@pytest.mark.parametrize(
    ("changed", "code"),
    [({}, 0), ({"a.whl": "other"}, 1), ({"b.whl": "one more"}, 1)],
    ids=["as told", "changed", "one more"],
)
def test_a_machine_installs_only_what_it_was_told_of(tmp_path: Path, changed: dict[str, str], code: int) -> None:
    """A wheel that differs from its sum in the user data, or has none there, ends the build."""
    work, files = tmp_path / "work", {"a.whl": "wheel", "constraints.txt": "boto3==1\n"}
    work.mkdir()
    sums = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
    for name, content in (files | changed).items():
        (work / name).write_text(content, encoding="utf-8")
    told = user_data("", SOURCE, "dev", "eu-central-1", sums)
    listed = told.partition("artifacts.sha256 <<'")[2].partition("\n")[2].splitlines()[: len(sums)]
    (tmp_path / "sums").write_text("\n".join([*listed, ""]), encoding="utf-8")
    script = f"work={work} SUMS={tmp_path / 'sums'} source=there\n{VERIFY}verify_artifacts"
    assert bash(script).returncode == code


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--stage: which one?"),
        (("--stage", "Dev", "/wheels"), "--stage: which one?"),
        (("--stage", "dev"), "where is the wheel?"),
        (("--stage",), "--stage needs a name"),
        (("--stage", "dev", "s3://bucket/artifacts"), "--region: where is that bucket?"),
        (("--stage", "dev", "--quickly", "/wheels"), "there is no option --quickly"),
    ],
)
def test_provisioning_refuses_before_anything_is_done(arguments: tuple[str, ...], reason: str) -> None:
    """What it can't be told by is refused before anything is done, and the verdict is given all the same."""
    answer = bash(PROVISION, "-s", "--", *arguments)
    assert answer.returncode == 2
    assert reason in answer.stderr
    assert answer.stdout == "cloudkon-image: failed: arguments\n"


def test_lines_of_the_provisioning_are_found_in_the_console() -> None:
    """What provision.sh says is found among all else, once, in order."""
    text = "[ 1.0] boot\r\n[ 2.0] cloud-init[5]: cloudkon-image: step packages\r\nSetting up\r\n"
    begun = Console(text)
    assert (begun.said, begun.ready, begun.failure) == (("step packages",), False, None)
    failed = Console(text + "cloudkon-image: failed: packages\r\ncloudkon-image: step packages\r\n\r\n")
    assert (failed.said, failed.failure) == (("step packages", "failed: packages"), "packages")
    assert failed.last_lines(2) == ["cloudkon-image: failed: packages", "cloudkon-image: step packages"]
    assert Console("cloudkon-image: ready").ready
    assert not Console("cloudkon-image: already").ready


def test_the_unit_gives_a_drain_its_time() -> None:
    """systemd waits for longer than a receive, a drain and the last words of a worker's processes take."""
    settings = Settings()
    assert int(WORKER["Service"]["TimeoutStopSec"]) > settings.poll_s + settings.drain_s + _SHUTDOWN_S
    assert WORKER["Service"]["KillMode"] == "mixed"


def test_the_unit_knows_the_exit_codes() -> None:
    """A worker that was refused is not started again; one that failed is, however often."""
    assert int(WORKER["Service"]["RestartPreventExitStatus"]) == Exit.REFUSED
    assert (WORKER["Service"]["Restart"], WORKER["Unit"]["StartLimitIntervalSec"]) == ("on-failure", "0")


def test_the_log_of_the_unit_is_the_one_rotated_and_shipped() -> None:
    """What the unit writes is what is rotated and shipped, to the group that the stage's names say."""
    (shipped,) = json.loads((AMI / "agent.json").read_text(encoding="utf-8").replace("@STAGE@", "dev"))["logs"][
        "logs_collected"
    ]["files"]["collect_list"]
    assert WORKER["Service"]["StandardOutput"] == f"append:{shipped['file_path']}"
    assert shipped["log_group_name"] == Names("dev", "1", "eu-central-1").worker_log_group
    assert Path(shipped["file_path"]).match((AMI / "logrotate.conf").read_text(encoding="utf-8").splitlines()[1][:-2])


def test_everything_is_in_the_wheel() -> None:
    """What provision.sh takes from the wheel is there to be taken."""
    assert {name for name in re.findall(r"\$kept/([\w.-]+)", PROVISION) if not (AMI / name).is_file()} == set()
    packed = Path("pyproject.toml").read_text(encoding="utf-8")
    assert 'ec2_worker = ["ami/*"]' in packed


def test_this_machine_can_be_a_worker() -> None:
    """Each check is good where the tests run: a video is made, too."""
    found = list(check(handlers([], []), Settings(), StillClock(FUTURE_MS)))
    assert [finding.subject for finding in found] == ["python", "tasks", "disk", "certificates", "clock", "video"]
    assert [str(finding) for finding in found if finding.verdict is not Verdict.OK] == []


def test_what_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a clock that is behind and a missing library are each a line, and none hides another."""
    monkeypatch.setattr("ec2_worker.handlers._VIDEOS_NEED", ("no_such_library",))
    found = list(check(handlers([], []), Settings(free_disk_mb=10**9), StillClock(0)))
    assert [finding.subject for finding in found if finding.verdict is not Verdict.OK] == ["disk", "clock", "video"]
    assert str(found[-1]).startswith("problem  video          this worker can't make any")


@pytest.mark.parametrize(("free_mb", "code"), [("0", 0), ("1000000000", 1)])
def test_the_check_ends_as_it_found(free_mb: str, code: int) -> None:
    """The exit code says whether all is good."""
    environment = {**os.environ, "CLOUDKON_FREE_DISK_MB": free_mb}
    command = [sys.executable, "-m", "ec2_worker", "--check"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (code, "")
    assert len(answer.stdout.splitlines()) == 6


def wheel(path: Path, *, content: str = "", day: int = 1) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("cloudkon/ledger/job.py", (2025, 1, day, 0, 0, 0)), content)
    return path


def test_the_digest_is_of_content(tmp_path: Path) -> None:
    """When a wheel was built tells nothing; what is in it, in the lock and in the user's wheels does."""
    lock = tmp_path / "constraints.txt"
    lock.write_text("boto3==1.43.106\n", encoding="utf-8")
    path, own = tmp_path / "cloudkon-0.1.0-py3-none-any.whl", wheel(tmp_path / "mine-1-py3-none-any.whl")
    first = Artifacts(wheel(path), lock).digest
    assert Artifacts(wheel(path, day=2), lock).digest == first
    digests = {first, Artifacts(path, lock, (own,)).digest, Artifacts(wheel(path, content="1"), lock).digest}
    lock.write_text("boto3==1.43.107\n", encoding="utf-8")
    assert len(digests | {Artifacts(wheel(path), lock).digest}) == 4


def test_what_is_built_is_what_is_packed(tmp_path: Path) -> None:
    """The project is copied as pyproject.toml packs it, without tests and caches."""
    _copy_project(Path.cwd(), tmp_path / "source")
    copied = {path.relative_to(tmp_path / "source").as_posix() for path in (tmp_path / "source").rglob("*")}
    assert {"pyproject.toml", "cloudkon/aws/machines/amis.py", "ec2_worker/ami/provision.sh"} <= copied
    assert not any(path.startswith("tests") or "__pycache__" in path for path in copied)


def test_where_nothing_can_be_built(tmp_path: Path) -> None:
    """Elsewhere than in the repository it is said what to do."""
    with pytest.raises(NotFoundError, match="--wheel"):
        built(tmp_path, tmp_path, ())


def test_wheels_that_are_none(tmp_path: Path) -> None:
    """What can't be installed on the instance is refused here."""
    good = wheel(tmp_path / "cloudkon-0.1.0-py3-none-any.whl")
    with pytest.raises(InputError, match=r"no constraints\.txt beside"):
        given(good, ())
    (tmp_path / "constraints.txt").touch()
    assert given(good, ()).files == (good, tmp_path / "constraints.txt")
    text = tmp_path / "mine.whl"
    text.touch()
    for bad, own in ((good, (text,)), (good, (good,)), (wheel(tmp_path / "mine-1.whl"), ())):
        with pytest.raises(InputError):
            given(bad, own)
