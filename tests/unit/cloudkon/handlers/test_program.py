"""Programs that handlers run, and the tasks that are programs."""

from functools import partial
from pathlib import Path

import pytest

from cloudkon.handlers.deadline import TimedOutError, deadline, remaining_s
from cloudkon.handlers.program import MAX_OUTPUT_BYTES, run_program
from cloudkon.handlers.registry import Registry, UnknownTaskError
from cloudkon.handlers.shell import CommandFailedError, shell
from cloudkon.workload.task_line import Task
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
