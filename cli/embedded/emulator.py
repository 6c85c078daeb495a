"""The embedded cloud: one ministack process on loopback, and the file that remembers it."""

import fcntl
import http.client
import json
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree

from cli.system.environment import HOST, child_environment
from cli.system.processes import ProcessId, end, is_alive, start_detached
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError

_START_S = 60.0
_POLL_S = 0.05
_LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Emulator:
    """An embedded cloud as the state file has it."""

    process: ProcessId
    port: int
    stage: str
    auth: bool
    """Whether IAM policies are enforced."""
    ready: bool = False
    """Whether the stack and the Lambda are there; without it, whoever was bringing it up is gone or at work."""

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


class EmbeddedCloud:
    """At most one cloud a home directory; every change is made by one command at a time."""

    def __init__(self, home: Path, clock: Clock, module: str = "ministack") -> None:
        """Module: what Python runs as the emulator."""
        self._home = home
        self._clock = clock
        self._module = module
        self._state = home / "cloud.json"
        self._scratch = home / "cloud"
        self.log = home / "cloud.log"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other commands from starting or stopping the cloud meanwhile."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            file = (self._home / "cloud.lock").open("w")
        except OSError as error:
            raise CloudKonError(
                f"The embedded cloud can't keep its files in {self._home}: {error.strerror}. "
                "Set CLOUDKON_HOME to a folder that you can write to."
            ) from error
        with file as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CloudKonError(
                    "Another command is starting or stopping the embedded cloud; wait for it."
                ) from error
            yield

    def find(self) -> Emulator | None:
        """The cloud that runs; None if none does, or its file can't be read."""
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            cloud = Emulator(**{**state, "process": ProcessId(**state["process"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return cloud if is_alive(cloud.process) else None

    def running(self) -> Emulator:
        """The cloud that is up; raise CloudKonError if none is."""
        cloud = self.find()
        if cloud is None or not cloud.ready:
            raise CloudKonError("The embedded cloud is not up. Start it: cloudkon-cli cloud up")
        return cloud

    def start(self, port: int, stage: str, environment: Mapping[str, str], *, auth: bool) -> Emulator:
        """Start ministack and wait until it answers; port 0 takes a free one. Whoever calls this stops it."""
        if find_spec("ministack") is None:
            raise CloudKonError("The embedded cloud needs ministack: pip install 'cloudkon[cloud]'")
        port = _free_port(port)
        rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        self.log.write_bytes(b"")
        settings = {
            "AUTH": "true" if auth else "false",
            "BIND_HOST": HOST,  # it runs code that is uploaded to it
            "GATEWAY_PORT": str(port),
            "LAMBDA_EXECUTOR": "local",
            "S3_DATA_DIR": str(self._scratch / "s3"),
            "S3_PERSIST": "1",  # on disk, not in memory: a workload's videos take gigabytes
            "STATE_DIR": str(self._scratch / "state"),
            "TMPDIR": str(self._scratch),
            # Listeners on fixed ports that nothing here needs.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        process = start_detached(
            [sys.executable, "-m", self._module], child_environment(port, stage, environment) | settings, self.log
        )
        cloud = Emulator(process, port, stage, auth)
        self._write(cloud)
        self._await_health(cloud)
        return cloud

    def mark_ready(self, cloud: Emulator) -> Emulator:
        """Remember that the stack and the Lambda are there."""
        ready = replace(cloud, ready=True)
        self._write(ready)
        return ready

    def stop(self) -> bool:
        """End the cloud that runs and forget all it held; tell whether there was one."""
        cloud = self.find()
        if cloud is not None:
            end(cloud.process, self._clock)
        self._state.unlink(missing_ok=True)
        rmtree(self._scratch, ignore_errors=True)
        return cloud is not None

    def _write(self, cloud: Emulator) -> None:
        draft = self._state.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(cloud)), encoding="utf-8")
        draft.replace(self._state)

    def _await_health(self, cloud: Emulator) -> None:
        deadline_s = self._clock.monotonic_s() + _START_S
        while self._clock.monotonic_s() < deadline_s:
            if not is_alive(cloud.process):
                raise CloudKonError(f"The embedded cloud ended at once. It said: {self._last_log_lines()}")
            if _answers(cloud.port):
                return
            self._clock.sleep(_POLL_S)
        raise CloudKonError(f"The embedded cloud did not answer within {_START_S:.0f} s; see {self.log}")

    def _last_log_lines(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " ".join(lines[-_LOG_LINES:]) or "nothing"


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise CloudKonError(f"Port {port} can't be used ({error}). --port 0 takes a free one.") from error
        taken: int = probe.getsockname()[1]
        return taken


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)  # no proxy stands between
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
