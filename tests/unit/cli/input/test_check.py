"""What check says is what comes of it."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.input.header_line import header_line
from cli.main import cloudkon_cli
from cloudkon.errors import InputError
from cloudkon.testing import run_workload
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.rows import Format

HANDLERS = """from cloudkon import task

@task
def resize(path: str, width: int, quality: int = 80) -> str:
    return f"{path} {width} {quality}"

@task
def anything(*args, **kwargs):
    return None
"""


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("checked_handlers.py").write_text(HANDLERS, encoding="utf-8")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def checked(*arguments: object) -> tuple[int, dict[str, Any]]:
    answer = run("check", "--json", *arguments)
    return answer.exit_code, json.loads(answer.stdout)


def test_a_table_is_bound_rejected_and_counted() -> None:
    """The first row's arguments are shown as the handler gets them, rejects with their lines and reasons."""
    Path("a.csv").write_text('path,width\n"a, b",300\nc,wide\nragged\n', encoding="utf-8")
    code, told = checked("a.csv", "--task", "resize", "--tasks", "checked_handlers")
    assert code == 1
    assert (told["total"], told["tasks"], told["rejected"], told["bundles"], told["ranges"]) == (3, 1, 2, 1, 1)
    assert told["form"] == {"each": None, "task": "resize", "format": "csv", "columns": ["path", "width"]}
    assert told["first"]["task"] == 2
    assert told["first"]["arguments"] == {"path": "a, b", "width": 300}
    assert sorted((each["task"], each["reason"][:30]) for each in told["rejects"]) == [
        (3, "argument width: a whole number"),
        (4, "the row has 1 values, and the "),
    ]
    shown = run("check", "a.csv", "--task", "resize", "--tasks", "checked_handlers").stdout
    assert "a.csv: 1 of 3 tasks can be run" in shown
    assert "called with  path = 'a, b', width = 300" in shown


def test_names_are_misfits_only_where_the_handlers_are_known() -> None:
    """Without --tasks a strange name is unchecked; with it, it is a reject."""
    Path("tasks.txt").write_text("#cloudkon: retries=1 bundle=1\nsleep 1\nresize a 3\n", encoding="utf-8")
    code, told = checked("tasks.txt")
    assert (code, told["unchecked"], told["bundles"], told["retries"]) == (0, ["resize"], 2, 1)
    assert told["names"] == {"sleep": 1, "resize": 1}
    assert checked("tasks.txt", "--tasks", "checked_handlers")[0] == 0
    Path("tasks.txt").write_text("resise a 3\n", encoding="utf-8")
    code, told = checked("tasks.txt", "--tasks", "checked_handlers")
    assert code == 1
    assert "Did you mean 'resize'?" in told["rejects"][0]["reason"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("no.txt", None, "no.txt does not exist"),
        ("zip.txt", "PK\x03\x04", "is a ZIP archive"),
        ("bad.txt", '#cloudkon: each="t\na\n', "bad.txt, line 1: each=\"t: its quotes don't close"),
        ("two\nlines.txt", "sleep 1\n", "can't be a key in S3"),
    ],
)
def test_what_no_command_takes_is_refused(name: str, content: str | None, told: str) -> None:
    """What run or submit would refuse as a whole ends with 2, and the same reason."""
    if content is not None:
        Path(name).write_text(content, encoding="utf-8")
    answer = run("check", name)
    assert answer.exit_code == 2
    assert told in answer.stderr


_LINES = ["sleep 0", "resize a 3", "resize a b", 'resize "a', "{}", '{"task": "anything", "x": 1}', "nobody", "", "# c"]
_LINES += ["anything 'a b'", "\x07", "  ", "shell true", '{"task": "resize", "args": ["a"], "width": 4}', "exec true"]
_HEADS = ["", "#cloudkon: bundle=2", "#cloudkon: nonsense=1", '#cloudkon: each="anything {}"', "#cloudkon: task=resize"]
_HEADS += ['#cloudkon: colsep=" " each="resize {1} {2}"', "#cloudkon: format=jsonl task=anything"]
_HEADS += ['#cloudkon: format=csv each="resize {a} {b}"\na,b', "#cloudkon: format=csv task=resize\npath,width"]


@pytest.mark.parametrize("seed", range(24))
def test_what_check_passes_runs_and_what_it_rejects_is_rejected(seed: int) -> None:
    """Of workloads put together at random, a run rejects the very lines that check named, for the same reasons."""
    dice = random.Random(seed)
    head = dice.choice(_HEADS)
    rows = ["a,1", "b,x", '"c d",2', "only", '"open'] if "csv" in head else _LINES
    text = "\n".join([head, *dice.choices(rows, k=dice.randrange(0, 9))]).removeprefix("\n")
    Path("some.txt").write_text(text, encoding="utf-8")
    code, told = checked("some.txt", "--tasks", "checked_handlers")
    outcomes = run_workload(text, ["checked_handlers"], allow=["shell"])
    rejected = sorted((each.line, each.error) for each in outcomes if each.state == "rejected")
    assert sorted((each["task"], each["reason"]) for each in told["rejects"]) == rejected
    assert told["total"] == len(outcomes)
    assert code == (1 if rejected else 0)
    answer = run("run", "LOCAL", "some.txt", "--tasks", "checked_handlers", "--allow", "shell", "--dry-run")
    assert answer.exit_code != 2


def test_ranges_are_checked_under_their_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file is checked range by range, as it would be dispatched, and lines keep their numbers."""
    monkeypatch.setattr("dispatcher.ranges.RANGE_BYTES", 500)
    monkeypatch.setattr("cloudkon.workload.planning.RANGE_BYTES", 500)
    Path("large.txt").write_text("sleep 0\n" * 300 + 'sleep "\n' + "sleep 0\n" * 10, encoding="utf-8")
    code, told = checked("large.txt")
    assert (code, told["ranges"], told["total"]) == (1, 5, 311)
    assert [each["task"] for each in told["rejects"]] == [301]


def test_a_form_that_submit_could_not_write_is_refused() -> None:
    """What can't stand in a header is told before it is tried."""
    with pytest.raises(InputError, match="one line of text"):
        header_line(Form(each="shell a\n{}", format=Format.LINES))
    assert run("check", "--each", "shell a\n{}", ":::", "a").exit_code == 2
