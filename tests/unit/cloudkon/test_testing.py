"""cloudkon.testing, and by it what the worker records of a task."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from cloudkon import Permanent, context, remaining_s, task
from cloudkon.errors import InputError
from cloudkon.testing import TaskOutcome, run, run_workload, task_context


@task
def greet(name: str, times: int = 1) -> list[str]:
    return [f"Hello, {name}"] * times


@task("report")
def report(name: str) -> None:
    context().store("report.txt", f"All is well, {name}".encode())


SHARED: dict[str, Any] = {"count": 0}


@task
def tally() -> dict[str, Any]:
    SHARED["count"] += 1
    return SHARED


@task
def spoils() -> dict[str, Any]:
    SHARED["set"] = {1}
    return SHARED


@task
def raw() -> bytes:
    return b"\x00\xff"


@task
def nothing_good() -> object:
    return object()


class OddError(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


@task
def odd() -> None:
    raise OddError


def _looked_up(found: dict[str, int], key: str) -> int:
    return found[key]


@task
def buggy(word: str) -> int:
    sys.stdout.write(f"looking for {word}\n")
    logging.getLogger("mine").warning("not sure")
    try:
        return _looked_up({}, word)
    except KeyError as error:
        raise ValueError(f"no {word} here") from error


@task
def permanent() -> None:
    raise Permanent("never")


@task("again", retries=2)
def again() -> int:
    SHARED["count"] += 1
    if SHARED["count"] < 3:
        raise ValueError("not yet")
    return int(SHARED["count"])


@task
async def waits() -> str:
    return f"{context().job} {remaining_s()}"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    SHARED.clear()
    SHARED["count"] = 0


def test_a_handler_in_a_context(tmp_path: Path) -> None:
    """context() works in the block, files lie in the folder, and time is known if it is given."""
    with task_context(tmp_path, timeout_s=60) as here:
        report("Ada")
        left_s = remaining_s()
    assert (tmp_path / here.outputs[0]).read_bytes() == b"All is well, Ada"
    assert left_s is not None
    assert 0 < left_s <= 60
    with pytest.raises(RuntimeError, match="no worker runs a task here"):
        context()


def test_one_line_is_run_as_a_worker_would() -> None:
    """A line is read, converted, run, and its value recorded."""
    assert run(greet, "greet Ada 2") == TaskOutcome(1, "succeeded", ["Hello, Ada", "Hello, Ada"])
    assert run(greet, '{"task": "greet", "args": ["Ada"], "times": "1"}').value == ["Hello, Ada"]
    assert run(waits, "waits").value.endswith(" None")


def test_arguments_that_do_not_fit_are_rejected_without_a_run() -> None:
    """The handler is not called, and no try is used up, however many there are."""
    outcome = run_workload("#cloudkon: retries=5\ngreet Ada often\ngreet\nGreet Ada\n", [greet])
    assert [each.state for each in outcome] == ["rejected"] * 3
    assert outcome[0].error == "argument times: a whole number was expected, not 'often'"
    assert outcome[1].error == "argument name is missing: it takes name [times]"
    assert outcome[2].error is not None
    assert "Did you mean 'greet'?" in outcome[2].error


def test_a_small_workload(tmp_path: Path) -> None:
    """A workload's text is run with its header, comments and JSON; files and rejects come with their lines."""
    outcomes = run_workload("# comment\ngreet Ada\nreport Bob\ngreet 'open\n", [greet, report], folder=tmp_path)
    assert [(each.line, each.state) for each in outcomes] == [(2, "succeeded"), (3, "succeeded"), (4, "rejected")]
    assert outcomes[1].output is not None
    assert outcomes[1].output.read_bytes() == b"All is well, Bob"


def test_modules_and_what_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules are named as for --tasks, and shell has to be allowed."""
    (tmp_path / "for_testing.py").write_text("from cloudkon import task\n@task\ndef hi(): return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [each.value for each in run_workload("hi\nshell echo a\n", ["for_testing"], allow=["shell"])] == [1, "a"]
    assert run_workload("shell echo a", [])[0].state == "rejected"
    with pytest.raises(InputError, match="no module named 'nosuch'"):
        run_workload("hi", ["nosuch"])


def test_values_are_as_they_were_when_the_handler_returned() -> None:
    """An object that a handler goes on using is recorded as it was, each time."""
    outcomes = run_workload("#cloudkon: bundle=8\ntally\ntally\nspoils\ntally\n", [tally, spoils])
    assert [each.value for each in outcomes] == [
        {"count": 1},
        {"count": 2},
        {"count": 2, "set": [1]},
        {"count": 3, "set": [1]},
    ]


def test_bytes_are_stored(tmp_path: Path) -> None:
    """Bytes that a handler returns become the task's file."""
    outcome = run(raw, "raw", folder=tmp_path)
    assert outcome.output is not None
    assert outcome.output.name == "value.bin"
    assert outcome.output.read_bytes() == b"\x00\xff"


def test_what_can_not_be_recorded_fails_at_once() -> None:
    """The task fails, and is not tried again: it would return the same."""
    outcome = run_workload("#cloudkon: retries=5\nnothing_good\n", [nothing_good])[0]
    assert (outcome.state, outcome.error) == ("failed", "returned an object, which can't be recorded")


def test_an_error_whose_words_exit_is_its_tasks(tmp_path: Path) -> None:
    """Whatever an error's methods do, its task fails and the others run."""
    outcomes = run_workload("odd\ngreet Ada\n", [odd, greet])
    assert [each.state for each in outcomes] == ["failed", "succeeded"]
    assert outcomes[0].error == "OddError: (its message can't be shown)"


def test_the_log_of_a_failure_has_everything() -> None:
    """What was printed and logged, the handler's own frames, and the cause are kept; frames of ours are not."""
    log = run(buggy, "buggy treasure").log
    assert log is not None
    assert log.index("looking for treasure\n") < log.index("Traceback (most recent call last)")
    assert "return _looked_up({}, word)" in log
    assert "KeyError: 'treasure'" in log
    assert "The above exception was the direct cause" in log
    assert log.rstrip().endswith("ValueError: no treasure here")
    assert "task_runner.py" not in log


def test_what_succeeded_has_no_log() -> None:
    """A task that ended well leaves nothing of what it said."""
    assert run(greet, "greet Ada").log is None


def test_retries_are_made_without_waits() -> None:
    """What a header or a handler asks for is tried again."""
    assert run(again, "again").value == 3
    assert run(permanent, "permanent").error == "never"


def test_a_command_that_failed_keeps_both_streams(tmp_path: Path) -> None:
    """The whole of stdout and stderr is in the log of a command that failed, in the store if it is long."""
    command = "shell seq 20000; echo why >&2; exit 1"
    outcome = run_workload(command, [], allow=["shell"], folder=tmp_path)[0]
    assert outcome.error == "exit code 1: why"
    assert outcome.log is not None
    assert outcome.log.splitlines() == [*map(str, range(1, 20_001)), "why"]
    assert len(list(tmp_path.rglob("*.log"))) == 1
