"""A Debian machine as a test uses one: a tree made by debootstrap, booted by systemd-nspawn, on this machine's network.

Whatever is mounted is mounted in namespaces of those two programs, which end with them: nothing of this machine is ever
below the tree.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

RELEASE = "bookworm"
_CERTIFICATES = "/usr/local/share/host-certificates.pem"
_PATIENCE_S = 240
# It stands for cloud-init, which runs an instance's user data late in its first boot.
_USER_DATA = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
EnvironmentFile=/root/user-data.env
ExecStart=/root/user-data
StandardOutput=journal+console
[Install]
WantedBy=default.target
"""


def missing() -> str | None:
    """Why there can't be such a machine here."""
    if os.geteuid() != 0:
        return "only root can make a Debian tree"
    programs = [name for name in ("debootstrap", "systemd-nspawn", "unshare") if shutil.which(name) is None]
    return f"{', '.join(programs)}: apt-get install debootstrap systemd-container" if programs else None


@dataclass(frozen=True, slots=True)
class Running:
    """A machine between its boot and its end."""

    process: subprocess.Popen[bytes]
    console: Path

    def said(self) -> str:
        return self.console.read_text(encoding="utf-8", errors="replace")

    def await_end(self, within_s: float) -> None:
        """Wait until it has shut down by itself."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"It did not shut down within {within_s:.0f} s: {self.said()[-3000:]}")

    def shut_down(self) -> None:
        """Tell it, as EC2 does when an instance is to end."""
        self.process.send_signal(signal.SIGTERM)
        self.await_end(_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Debian:
    """One machine's disk."""

    root: Path
    log: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the tree's while the machine is off."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        called = ["chroot", str(self.root), *command]
        return subprocess.run(called, env=environment, capture_output=True, text=True, check=False)

    def file(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    @contextmanager
    def boot(self, user_data: str, environment: Mapping[str, str]) -> Iterator[Running]:
        """Boot it with this user data, which gets this environment; it is off in the end."""
        script = self.file("/root/user-data")
        script.write_text(user_data, encoding="utf-8")
        script.chmod(0o700)
        lines = "".join(f"{name}={value}\n" for name, value in environment.items())
        self.file("/root/user-data.env").write_text(lines, encoding="utf-8")
        console = self.log / f"console-{len(list(self.log.glob('console-*')))}.log"
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--timezone=off"]
        with console.open("wb") as output:
            process = subprocess.Popen(
                [*command, f"--machine=cloudkon-{os.getpid()}", f"--directory={self.root}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, console)
        try:
            yield running
        finally:
            if process.poll() is None:
                running.shut_down()
            process.kill()
            process.wait()


@contextmanager
def debian(folder: Path) -> Iterator[Debian]:
    """Make a machine's disk, as fresh as an official image's; delete it in the end."""
    root = folder / "tree"
    packages = "ca-certificates,dbus,systemd-sysv"
    made = subprocess.run(
        ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={packages}", RELEASE, str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        assert made.returncode == 0, made.stdout[-2000:]
        _take_over_the_way_to_packages(root)
        unit = root / "etc/systemd/system/user-data.service"
        unit.write_text(_USER_DATA, encoding="utf-8")
        wants = root / "etc/systemd/system/default.target.wants"
        wants.mkdir()
        (wants / unit.name).symlink_to(f"../{unit.name}")
        yield Debian(root, folder)
    finally:
        delete(root)


def delete(root: Path) -> None:
    """Delete a tree; fail rather than touch it while anything is mounted below."""
    mounted = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    below = [line.split()[4] for line in mounted.splitlines() if line.split()[4].startswith(f"{root}/")]
    assert below == [], f"{below} are mounted below {root}: nothing was deleted"
    shutil.rmtree(root)


def _take_over_the_way_to_packages(root: Path) -> None:
    """Let apt, in the tree, look where this machine's looks, if both are of one release; certificates come along."""
    for name in ("SSL_CERT_FILE", "PIP_CERT", "CURL_CA_BUNDLE"):
        if Path(os.environ.get(name, "/nowhere")).is_file():
            shutil.copy(os.environ[name], root / _CERTIFICATES.lstrip("/"))
    if f"={RELEASE}\n" not in Path("/etc/os-release").read_text(encoding="utf-8"):
        return
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    apt = Path("/etc/apt")
    for file in (*apt.glob("sources.list"), *apt.glob("sources.list.d/*.sources"), *apt.glob("sources.list.d/*.list")):
        shutil.copy(file, root / file.relative_to("/"))
    for file in apt.glob("apt.conf.d/*"):
        if "Acquire" in file.read_text(encoding="utf-8"):
            shutil.copy(file, root / file.relative_to("/"))


def package_environment(tree: Debian) -> dict[str, str]:
    """What pip and curl, in the tree, have to be told to get where this machine's get."""
    told = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_") and not value.startswith("/")}
    if tree.file(_CERTIFICATES).exists():
        pip |= dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), _CERTIFICATES)
    return told | pip
