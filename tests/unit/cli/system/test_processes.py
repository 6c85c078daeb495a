"""Commands that other commands run in sight of a person."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from cli.system.processes import identify, run_visibly
from tests.support.waiting import eventually

HELD = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"


def test_its_exit_code_is_told(tmp_path: Path) -> None:
    """The command runs where it is told to, and its exit code comes back."""
    command = [sys.executable, "-c", "import pathlib; pathlib.Path('ran').touch(); raise SystemExit(3)"]
    assert run_visibly(command, os.environ, tmp_path) == 3
    assert (tmp_path / "ran").exists()


def test_ctrl_c_ends_it_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """At Ctrl-C it is gone before we go on, without a traceback of its own."""

    def interrupt() -> None:
        eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run_visibly([sys.executable, "-c", HELD], os.environ, tmp_path)
    assert identify(int((tmp_path / "pid").read_text())) is None
    assert capfd.readouterr().err == ""
