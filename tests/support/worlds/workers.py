"""Worker processes as a test uses them: started as a person would, with leases and polls short enough to wait for."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import eventually

# A takeover after 6 s instead of 150, a drain of an idle worker after 1 s instead of 20.
QUICK = {
    "CLOUDKON_LEASE_S": "6",
    "CLOUDKON_GUARD_S": "1",
    "CLOUDKON_CHECKPOINT_S": "0.5",
    "CLOUDKON_VISIBILITY_MARGIN_S": "2",
    "CLOUDKON_POLL_S": "1",
    "CLOUDKON_REPORT_S": "1",
}
_PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker, running or not."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_said(self, words: str) -> None:
        """Wait until the worker has logged these words; fails if it ends before."""

        def look() -> bool:
            return words in self.said() or self.process.poll() is not None

        eventually(look)
        assert words in self.said(), self.said()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        assert self.process.wait(_PATIENCE_S) == -signal.SIGKILL

    def terminate(self) -> None:
        self.process.terminate()

    def exit_code(self) -> int:
        """Wait for its end."""
        return self.process.wait(_PATIENCE_S)


@contextmanager
def worker(
    environment: Mapping[str, str], folder: Path, *arguments: str, settings: Mapping[str, str] = QUICK
) -> Iterator[WorkerProcess]:
    """Start a worker, and kill it in the end if the test has not ended it; it has to have started without complaint."""
    log = folder / f"worker-{len(list(folder.glob('worker-*.log')))}.log"
    command = [sys.executable, "-m", "ec2_worker", *arguments]
    path = os.pathsep.join(filter(None, [str(folder), str(Path.cwd()), environment.get("PYTHONPATH")]))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**environment, **settings, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    started = WorkerProcess(process, log)
    try:
        yield started
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in started.said(), started.said()
