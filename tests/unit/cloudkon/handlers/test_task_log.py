import asyncio
import contextvars
import io
import logging
import sys
import threading
from pathlib import Path

import pytest

from cloudkon.handlers.context import log_of_task
from cloudkon.handlers.task_log import MAX_HEAD_CHARACTERS, MAX_TAIL_CHARACTERS, TaskLog, capturing
from cloudkon.testing import task_context

LOG = logging.getLogger("mine")


def test_what_a_task_prints_and_logs_is_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """stdout, stderr and logging of a task go into its log and to stderr, and nothing goes to stdout."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with capturing(log_of_task):
        with task_context(tmp_path) as here:
            sys.stdout.write("out\n")
            sys.stderr.write("err\n")
            LOG.info("%d things", 3)
            LOG.debug("not this")
        sys.stdout.write("of no task\n")
    assert here.said == "out\nerr\nINFO mine: 3 things\n"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("out\nerr\n")
    assert captured.err.endswith("of no task\n")


def test_tasks_of_several_threads_are_told_apart(tmp_path: Path) -> None:
    """Each thread's text goes into the log of its task, and coroutines and copied contexts belong to it."""
    said = {}
    together = threading.Barrier(3)

    async def later(name: str) -> None:
        await asyncio.sleep(0)
        sys.stdout.write(f"{name} later\n")

    def run(name: str) -> None:
        with task_context(tmp_path) as here:
            together.wait()
            sys.stdout.write(f"{name}\n")
            asyncio.run(later(name))
            helper = threading.Thread(
                target=contextvars.copy_context().run, args=(sys.stdout.write, f"{name} helper\n")
            )
            helper.start()
            helper.join()
        said[name] = here.said

    threads = [threading.Thread(target=run, args=(name,)) for name in "abc"]
    with capturing(log_of_task):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == {name: f"{name}\n{name} later\n{name} helper\n" for name in "abc"}


def test_lines_of_several_tasks_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed in pieces is shown as whole lines."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with capturing(log_of_task):
        with task_context(tmp_path) as first:
            sys.stdout.write("first, ")
        with task_context(tmp_path):
            sys.stdout.write("second\n")
        assert first.last_words() == "first, \n"
        assert first.last_words() == ""
    assert shown.getvalue() == "second\n"


def test_much_text_keeps_its_beginning_and_its_end() -> None:
    """A log is bounded; what is left out of its middle is counted."""
    log = TaskLog()
    for n in range(200_000):
        log.write(f"line {n}\n")
    text = log.text
    assert text.startswith("line 0\nline 1\n")
    assert text.endswith("line 199999\n")
    assert "characters are left out ...]" in text
    assert len(text) < MAX_HEAD_CHARACTERS + 2 * MAX_TAIL_CHARACTERS
    whole = TaskLog()
    whole.write("x" * (MAX_HEAD_CHARACTERS + MAX_TAIL_CHARACTERS))
    assert len(whole.text) == MAX_HEAD_CHARACTERS + MAX_TAIL_CHARACTERS


def test_a_stderr_that_is_gone_costs_no_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task goes on printing where nobody can hear it, and its log has it."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    with capturing(log_of_task), task_context(tmp_path) as here:
        print("heard by nobody", flush=True)  # noqa: T201 (as a handler does)
        LOG.warning("nor this")
    assert here.said == "heard by nobody\nWARNING mine: nor this\n"


def test_a_level_that_was_chosen_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where logging is set up already, its level decides what a task's log gets, and nothing new is shown."""
    shown = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(shown)])
    monkeypatch.setattr(root, "level", logging.WARNING)
    with capturing(log_of_task), task_context(tmp_path) as here:
        LOG.info("too little")
        LOG.warning("enough")
    assert here.said == "WARNING mine: enough\n"
    assert shown.getvalue() == "enough\n"


def test_without_any_handler_warnings_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has set logging up, stderr gets what Python would have shown, and the log more."""
    shown = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(sys, "stderr", shown)
    with capturing(log_of_task), task_context(tmp_path) as here:
        LOG.info("for the log")
        LOG.warning("for all")
    assert here.said == "INFO mine: for the log\nWARNING mine: for all\n"
    assert shown.getvalue() == "for all\n"


def test_everything_is_put_back(tmp_path: Path) -> None:
    """After the block streams and the root logger are as they were."""
    before = sys.stdout, sys.stderr, list(logging.getLogger().handlers), logging.getLogger().level
    with capturing(log_of_task):
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr, list(logging.getLogger().handlers), logging.getLogger().level) == before


@pytest.mark.parametrize("data", [b"", b"some"])
def test_bytes_are_no_text_to_a_captured_stream(data: bytes) -> None:
    """A library that tries which of the two a stream takes, as click does, is told by the same error as anywhere."""
    with capturing(log_of_task), pytest.raises(TypeError, match="must be str, not bytes"):
        sys.stderr.write(data)  # type: ignore[arg-type]
