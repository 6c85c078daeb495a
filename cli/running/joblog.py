"""The log of a run in the columns of GNU parallel's --joblog, for programs that read it."""

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cloudkon.errors import CloudKonError, InputError
from cloudkon.ledger.results import TaskState
from cloudkon.reports.task_results import ResultJson
from cloudkon.workload.task_line import LineError, parse_task

HEADER = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand"
_EXIT_CODE = re.compile(r"exit code (\d+)")
_SIGNAL = re.compile(r"killed by signal (\d+)")
_COMMANDS = ("shell", "exec")


def check_joblog(path: Path) -> None:
    """Raise InputError for what can't be written, and for a file that holds something else."""
    try:
        with path.open("a+", encoding="utf-8", errors="replace") as file:
            file.seek(0)
            first = file.readline(len(HEADER) + 1).rstrip("\n")
    except OSError as error:
        raise InputError(f"--joblog {path} can't be written: {error.strerror or error}.") from error
    if first not in ("", HEADER):
        raise InputError(f"--joblog {path} holds something else, and would be overwritten. Name another file.")


def write_joblog(path: Path, results: Iterable[ResultJson]) -> None:
    """Write the log of results, which have their lines."""
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in joblog_lines(results))
    except OSError as error:
        raise CloudKonError(f"--joblog {path} can't be written: {error.strerror or error}.") from error


def joblog_lines(results: Iterable[ResultJson]) -> Iterator[str]:
    """The header, and a line for each task that ran; Seq is the number of its line."""
    yield HEADER
    for each in results:
        if not each["runs"]:
            continue
        code, signal = _ending(each)
        start, took = each["start_ms"] / 1000, each["duration_ms"] / 1000
        value = each.get("value")
        received = len(value.encode()) if isinstance(value, str) else 0
        host = str(each["worker"]).rpartition("-")[0] or str(each["worker"])
        command = " ".join(_command(str(each.get("text", ""))).split("\n"))
        yield f"{each['task']}\t{host}\t{start:.3f}\t{took:10.3f}\t0\t{received}\t{code}\t{signal}\t{command}"


def _ending(result: ResultJson) -> tuple[int, int]:
    """The exit code and the signal; 1 for a failure that was no command's."""
    if result["state"] == TaskState.SUCCEEDED.word:
        return 0, 0
    error = str(result.get("error", ""))
    if signal := _SIGNAL.search(error):
        return 0, int(signal[1])
    code = _EXIT_CODE.search(error)
    return int(code[1]) if code else 1, 0


def _command(text: str) -> str:
    """What was run, as a person would type it; of other tasks, the line."""
    try:
        task = parse_task(text)
    except LineError:
        return text
    if task.name not in _COMMANDS:
        return text
    args: list[Any] = list(task.args)
    if task.name == _COMMANDS[0]:
        return str(args[0]) if len(args) == 1 else task.rest or text
    return shlex.join(map(str, args))
