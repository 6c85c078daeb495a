import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.embedded import emulator as module
from cli.embedded.deploying import find_project
from cli.embedded.emulator import EmbeddedCloud, Emulator
from cli.main import cloudkon_cli
from cli.system.paths import state_folder
from cli.system.processes import ProcessId, end, identify, is_alive, run_to_end, start_detached
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, InputError, NotFoundError

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[ProcessId]:
    process = start_detached(FOREVER, os.environ, tmp_path / "log")
    yield process
    end(process, SystemClock())


@pytest.fixture
def embedded(tmp_path: Path) -> EmbeddedCloud:
    return EmbeddedCloud(tmp_path, SystemClock())


def remember(embedded: EmbeddedCloud, process: ProcessId, *, ready: bool = True) -> Emulator:
    cloud = Emulator(process, 4566, "dev", auth=False, ready=ready)
    embedded._write(cloud)
    return cloud


def test_the_file_remembers(embedded: EmbeddedCloud, sleeper: ProcessId) -> None:
    """A cloud that one command started is found by the next, as it was written down."""
    assert remember(embedded, sleeper) == embedded.find() == embedded.running()


def test_a_pid_that_is_used_again_is_not_ours(embedded: EmbeddedCloud, sleeper: ProcessId) -> None:
    """A process that has the pid but began at another time is neither found nor ended."""
    remember(embedded, replace(sleeper, started="1"))
    assert embedded.find() is None
    assert not embedded.stop()
    assert is_alive(sleeper)


def test_stop_ends_the_process_and_forgets(embedded: EmbeddedCloud, sleeper: ProcessId, tmp_path: Path) -> None:
    """Stopping ends the process and leaves no state; a second time there is nothing to do."""
    remember(embedded, sleeper)
    assert embedded.stop()
    assert not is_alive(sleeper)
    assert not (tmp_path / "cloud.json").exists()
    assert not embedded.stop()


def test_a_cloud_that_never_got_ready_is_not_up(embedded: EmbeddedCloud, sleeper: ProcessId) -> None:
    """A cloud without stack and Lambda is not offered for use."""
    remember(embedded, sleeper, ready=False)
    with pytest.raises(CloudKonError, match=r"not up. Start it: cloudkon-cli cloud up"):
        embedded.running()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"process": 1}', '{"process": {"pid": 1, "started": "0"}}'])
def test_a_broken_file_is_no_cloud(embedded: EmbeddedCloud, tmp_path: Path, text: str) -> None:
    """A state file that was cut off or edited counts as none."""
    (tmp_path / "cloud.json").write_text(text)
    assert embedded.find() is None


def test_one_command_at_a_time(embedded: EmbeddedCloud, tmp_path: Path) -> None:
    """While one command starts or stops the cloud, another one says so and changes nothing."""
    with embedded.changing(), pytest.raises(CloudKonError, match="Another command"):  # noqa: SIM117 (the order matters)
        with EmbeddedCloud(tmp_path, SystemClock()).changing():
            pass


def test_missing_ministack_is_told_with_how_to_install_it(
    embedded: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ministack the error says how to install it."""
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(CloudKonError, match=r"pip install 'cloudkon\[cloud\]'"):
        embedded.start(0, "dev", {}, auth=False)


def test_a_port_that_is_taken(embedded: EmbeddedCloud) -> None:
    """A port that somebody listens on is refused before anything is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CloudKonError, match=r"can't be used .* --port 0"):
            embedded.start(other.getsockname()[1], "dev", {}, auth=False)
    assert embedded.find() is None


def test_a_cloud_that_ends_at_once(embedded: EmbeddedCloud) -> None:
    """If ministack can't start, its last words are told."""
    with pytest.raises(CloudKonError, match=r"ended at once. It said: .*EDGE"):
        embedded.start(0, "dev", os.environ | {"PYTHONHOME": "/EDGE"}, auth=False)
    embedded.stop()


def test_children_of_an_interrupted_command_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is interrupted while it waits for a child takes the child with it."""
    started: list[int] = []

    def interrupted(child: subprocess.Popen[str]) -> None:
        started.append(child.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_to_end(FOREVER, os.environ, tmp_path)
    assert identify(started[0]) is None


def test_project_is_found_from_below(tmp_path: Path) -> None:
    """The repository is the nearest folder above that Chalice is configured in."""
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice/config.json").write_text('{"stages": {"dev": {}}}')
    below = tmp_path / "docs" / "deep"
    below.mkdir(parents=True)
    assert find_project(below, "dev") == tmp_path
    with pytest.raises(InputError, match=r"no stage 'prod'. Use one of: dev"):
        find_project(below, "prod")


def test_outside_a_repository_the_error_says_where_to_go(tmp_path: Path) -> None:
    """Outside of a repository the error says where to go."""
    with pytest.raises(NotFoundError, match="Run this in CloudKon's repository"):
        find_project(tmp_path, "dev")


def test_the_folder_of_the_state_is_where_home_or_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """CLOUDKON_HOME names the state's folder; otherwise it is where XDG says."""
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "own"))
    assert state_folder() == tmp_path / "own"
    monkeypatch.delenv("CLOUDKON_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "cloudkon"


@pytest.mark.parametrize("command", ["env", "status"])
def test_commands_without_a_cloud(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Asking for a cloud that is not up fails with the command that starts one, and prints nothing to evaluate."""
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path))
    result = CliRunner().invoke(cloudkon_cli, ["cloud", command])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: The embedded cloud is not up. Start it: cloudkon-cli cloud up\n"


def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    """Where the files of the cloud can't be kept, the error names the folder and CLOUDKON_HOME."""
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    cloud = EmbeddedCloud(file / "home", SystemClock())
    with pytest.raises(CloudKonError, match=r"file/home: Not a directory\. Set CLOUDKON_HOME"), cloud.changing():
        pass
