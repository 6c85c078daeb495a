"""Programs that handlers run, and the tasks that are programs."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from cloudkon.handlers import spawning
from cloudkon.handlers.deadline import TimedOutError, deadline, remaining_s
from cloudkon.handlers.program import MAX_OUTPUT_BYTES, run_program
from cloudkon.handlers.registry import Registry, UnknownTaskError
from cloudkon.handlers.shell import CommandFailedError, exec_, shell
from cloudkon.workload.task_line import Task, parse_task
from ec2_worker.handlers import handlers
from tests.support.waiting import eventually


def test_what_a_command_says_is_its_value() -> None:
    """Several words are a program and its arguments; nothing in them is interpreted."""
    assert shell("echo", "$HOME", ";", "ls") == "$HOME ; ls"
    assert shell("true") is None


def test_one_word_is_a_line_of_the_shell() -> None:
    """Quoted as a whole, a line may use pipes."""
    assert shell("printf 'b\\na\\n' | sort | head -n 1") == "a"


def test_a_command_that_fails_says_why() -> None:
    """The exit code and the last line of stderr are the reason."""
    with pytest.raises(CommandFailedError, match=r"^exit code 3: no such luck$"):
        shell("echo working; echo no such luck >&2; exit 3")
    with pytest.raises(CommandFailedError, match=r"^killed by signal 11$"):
        shell("kill -SEGV $$")


def test_only_the_end_of_much_output_is_kept() -> None:
    """A chatty program takes no memory."""
    ended = run_program(["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo end"])
    assert len(ended.stdout) == MAX_OUTPUT_BYTES
    assert ended.stdout.endswith("xend\n")


def test_the_whole_process_group_ends_with_the_time(tmp_path: Path) -> None:
    """A timeout kills what the program started, too."""
    pids = tmp_path / "pids"
    with deadline(0.5), pytest.raises(TimedOutError, match=r"timed out after 0\.5 s"):
        shell(f"sleep 300 & echo $! > {pids}; echo $$ >> {pids}; wait")
    for pid in map(int, pids.read_text().split()):
        eventually(partial(_has_ended, pid))


def test_what_a_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    """A program that ends leaves nothing of its group running."""
    pid_file = tmp_path / "pid"
    shell(f"sleep 300 >/dev/null 2>&1 & echo $! > {pid_file}")
    eventually(partial(_has_ended, int(pid_file.read_text())))


def test_time_is_known_within_a_deadline_only() -> None:
    """A handler without a timeout has all the time there is."""
    assert remaining_s() is None
    with deadline(60.0):
        left_s = remaining_s()
        assert left_s is not None
        assert 0 < left_s <= 60
    assert remaining_s() is None


def test_shell_is_refused_unless_allowed() -> None:
    """A worker runs commands only if whoever started it said so; the reason says how."""
    with pytest.raises(UnknownTaskError, match="--allow shell"):
        handlers([], []).run(Task("shell", ("true",)))
    assert handlers([], ["shell"]).run(Task("shell", ("echo", "yes"))) == "yes"
    assert isinstance(handlers([], []), Registry)


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("shell echo a && echo b", "a\nb"),
        ("shell  printf '%s|' \"two words\" 'x'", "two words|x|"),
        ("shell x=3; echo $((x + 1)) > /dev/stderr; echo ok", "ok"),
        ("shell 'echo quoted | tr q Q'", "Quoted"),
        ("'shell' echo 'a b'", "a b"),
        ("shell true", None),
        ("exec echo a && echo $HOME", "a && echo $HOME"),
        ('{"task": "shell", "args": ["echo", "a", "&&", 3]}', "a && 3"),
        ('{"task": "shell", "args": ["echo a && echo b"]}', "a\nb"),
    ],
)
def test_a_line_reaches_the_shell_as_it_stands(line: str, value: str | None) -> None:
    """shell gives the rest of its line to /bin/sh; exec, and lists in JSON, are programs and their arguments."""
    assert Registry([shell, exec_]).run(parse_task(line)) == value


def test_the_last_of_what_a_command_said_is_its_error() -> None:
    """The end of stderr is kept, up to the ledger's bound, or of stdout if it said nothing there."""
    with pytest.raises(CommandFailedError) as caught:
        shell("echo insufficient image data >&2; echo no images defined >&2; exit 1")
    assert str(caught.value) == "exit code 1: insufficient image data\nno images defined"
    with pytest.raises(CommandFailedError, match=r"^exit code 2: on stdout$"):
        shell("echo on stdout; exit 2")
    with pytest.raises(CommandFailedError) as caught:
        shell("seq 10000 >&2; exit 1")
    assert len(str(caught.value)) == 1_000
    assert str(caught.value).endswith("9999\n10000")


def test_a_program_that_left_the_group_does_not_hold_the_task(tmp_path: Path) -> None:
    """A daemon that keeps the streams open lets the task end with its command; what was said before is kept."""
    pid_file = tmp_path / "pid"
    with deadline(60):
        assert shell(f"setsid sh -c 'echo $$ > {pid_file}; exec sleep 600' & sleep 0.2; echo started") == "started"
        left_s = remaining_s()
    assert left_s is not None
    assert left_s > 0
    os.kill(int(pid_file.read_text()), signal.SIGKILL)  # it went on


@pytest.mark.parametrize("missing", ["pidfd_open", "_CAN_SPAWN"])
def test_a_system_without_pidfds_or_without_spawn(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system lacks something, programs run all the same."""
    if missing == "pidfd_open":
        monkeypatch.delattr(os, "pidfd_open")
    else:
        monkeypatch.setattr(spawning, missing, False)
    assert shell("echo out; echo err >&2; sleep 0.05") == "out"
    with pytest.raises(CommandFailedError, match="exit code 3: bye"):
        shell("echo bye >&2; exit 3")
    with deadline(0.1), pytest.raises(TimedOutError):
        shell("sleep 600")


def test_a_program_that_is_not_there() -> None:
    """A program that can't be started is the task's error, in the system's words."""
    with pytest.raises(FileNotFoundError, match="nosuchprogram"):
        exec_("nosuchprogram")
    with pytest.raises(PermissionError):
        exec_("/etc/passwd")


def test_a_program_expects_the_usual_signals() -> None:
    """What Python ignores, a program does not: a reader that goes away ends a pipe's writer."""
    said = shell("grep SigIgn /proc/self/status | cut -f 2")
    assert said is not None
    assert not int(said, 16) & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
