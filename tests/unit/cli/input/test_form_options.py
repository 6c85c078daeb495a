"""Values and tables on the command line, from what is typed to what is recorded."""

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.input.header_line import with_header
from cli.input.reading import LocalWorkload
from cli.main import cloudkon_cli
from cloudkon.errors import InputError
from cloudkon.workload.lines import one_by_one
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.rows import Format
from tests.support.data.hostile import HOSTILE


@pytest.fixture(autouse=True)
def _this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDKON_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("CLOUDKON_STAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("a b\n-n\n", encoding="utf-8")
    Path("table.csv").write_text('path,width\n"a, b",3\nragged\nc,4\n', encoding="utf-8")
    Path("own.txt").write_text('#cloudkon: each="exec echo {}"\na\n', encoding="utf-8")
    Path("rows.jsonl").write_text('{"n": 1}\n{"n": "x"}\n', encoding="utf-8")


def run(*arguments: object, given: str | bytes = "") -> Result:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(cloudkon_cli, words, input=given, catch_exceptions=False)


def dry(*arguments: str) -> list[str]:
    """The tasks that a run would have."""
    answer = run("run", "LOCAL", "--dry-run", *arguments)
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "tasks"),
    [
        (
            ["--", "echo", "{}", "{.}.png", ":::", "a b.jpg", "-n"],
            ["exec echo 'a b.jpg' 'a b.png'", "exec echo -n -n.png"],
        ),
        (["--", "echo {} | wc", ":::", "a b"], ["shell echo 'a b' | wc"]),
        (["--each", "t {} {#}", ":::", "a", "b"], ["t a 1", "t b 2"]),
        (["--task", "t", ":::", "a", ":::", "1", "2"], ["t a 1", "t a 2"]),
        (["list.txt", "--", "cat", "{}"], ["exec cat 'a b'", "exec cat -n"]),
        (["--", "cat", "{}", "::::", "list.txt"], ["exec cat 'a b'", "exec cat -n"]),
        (["--colsep", ",", "--", "echo", "{2}", ":::", "a,b", "c,d"], ["exec echo b", "exec echo d"]),
        (["rows.jsonl", "--each", "t {n}"], ['{"task":"t","args":[1]}', "t x"]),
        (["rows.jsonl", "--task", "t"], ['{"task":"t","n":1}', '{"task":"t","n":"x"}']),
        (["--format", "lines", "table.csv", "--task", "t"], ["t path,width", "t 'a, b,3'"]),
        (["own.txt"], ["exec echo a"]),
    ],
)
def test_a_dry_run_prints_the_tasks(arguments: list[str], tasks: list[str]) -> None:
    """Whatever the values come from, the tasks that would run are printed, and nothing is recorded."""
    shown = dry(*arguments)
    assert shown[: len(tasks)] == ([tasks[0], "t '\"a, b\",3'"] if "lines" in arguments else tasks)
    assert not Path("data/ledger.sqlite3").exists()


def test_a_dry_run_tells_rejected_rows_with_their_lines() -> None:
    """A ragged row is told with file, line and reason, and the exit code is 1; the other tasks are printed."""
    answer = run("run", "LOCAL", "table.csv", "--each", "t {width} {path}", "--dry-run")
    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == ["t 3 'a, b'", "t 4 c"]
    assert answer.stderr == "table.csv, line 3: the row has 1 values, and the table 2 columns: ragged\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--", "gzip", ":::", "a"],
            "The command: it has no place for the value: put {} where that goes in exec gzip.",
        ),
        (["--", "echo", "{3}", ":::", "a", ":::", "b"], "The command: it asks for {3}, and each row has 2 values."),
        (["--", "echo", "{x}", ":::", "a"], "The command: {x}: values have names only with"),
        (["--", "echo `ls {}`", ":::", "a"], "stands where no value can be quoted, after a backtick"),
        (["--", "echo", "{}", ":::", "*.gif"], "*.gif matches no file"),
        (["--", "echo", "{}", "::::", "nope"], "nope does not exist"),
        (["--", "echo", "{}", "::::", "nope", "list.txt"], ":::: nope can't be read: No such file or directory."),
        (["list.txt", "--", "echo", "{}", ":::", "a"], "The values come from list.txt, or from ::: a ...: name one"),
        ([":::", "a"], "What is to be done with each value?"),
        (["--each", "t {}", "--task", "t", "list.txt"], "--each and --task both say what is to be done"),
        (["--each", "t {}", "--", "echo", "{}", ":::", "a"], "a command behind -- and --each both say"),
        (["own.txt", "--each", "t {}"], "own.txt, line 1: the header of the file says each= as well"),
        (["table.csv", "--each", "t {widht}"], "--each: {widht} is none of the columns (path, width); did you mean"),
        (["table.csv", "--format", "csv"], "what is to be done with each row?"),
        (["table.csv", "--task", "t", "--colsep", "ab"], "between the fields of a table stands one character"),
        (["--format", "csv", "--task", "t", ":::", "a"], "--format csv is for a file, and the values are behind :::"),
        (["--colsep", ",", "--", "echo", "{1}", ":::", "a\nb"], "--colsep is for values of one line"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(arguments: list[str], told: str) -> None:
    """Each mistake is one line with its place, exit code 2, and no run is begun."""
    answer = run("run", "LOCAL", *arguments)
    assert answer.exit_code == 2, answer.output
    assert told in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not Path("data/ledger.sqlite3").exists()


def test_what_is_probably_a_mistake_is_said() -> None:
    """An option behind the values, and a sign of the shell among a program's words, are said, and the run goes on."""
    late = "--dry-run belongs to the command here"
    assert late in run("run", "LOCAL", "--dry-run", "--task", "t", ":::", "--dry-run").stderr
    assert late in run("run", "LOCAL", "--dry-run", "--", "wc", "{}", "--dry-run", ":::", "a").stderr
    assert "| is an argument here" in run("run", "LOCAL", "--dry-run", "--", "cat", "{}", "|", "wc", ":::", "a").stderr
    assert "table.csv is named like a table" in run("run", "LOCAL", "table.csv").stderr


def test_a_mistake_in_a_header_is_told_with_its_line() -> None:
    """A header that can't be used stops run and submit with the file's name and the line."""
    Path("bad.txt").write_text('# mine\n#cloudkon: each="t"\nshell rm x\n', encoding="utf-8")
    for command in (["run", "LOCAL"], ["submit"]):
        answer = run(*command, "bad.txt")
        assert answer.exit_code == 2
        assert "Error: bad.txt, line 2: it has no place for the value" in answer.stderr


def results(*arguments: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("results", *arguments, "--json").stdout.splitlines()]


def test_hostile_values_reach_programs_as_they_are() -> None:
    """A real program gets each value whole, with and without a shell, and none is taken for an option of ours."""
    for command in (["printf", "<%s>", "{}"], ["printf '<%s>' {}"]):
        assert run("run", "LOCAL", "-t", "2", "--", *command, ":::", *HOSTILE).exit_code == 0
        assert [each["value"] for each in results()] == [f"<{value}>" for value in HOSTILE]


def test_a_run_of_values_is_explained_resumed_and_retried() -> None:
    """Its tasks are shown as they were made; it goes on by the command that is told; its failures run again."""
    Path("list.txt").write_text("a b\nfail\n", encoding="utf-8")
    answer = run("run", "LOCAL", "list.txt", "--", "test {} != fail && echo {} {#}")
    assert answer.exit_code == 1
    assert [each.get("text") for each in results()] == [
        "shell test 'a b' != fail && echo 'a b' '1'",
        "shell test 'fail' != fail && echo 'fail' '2'",
    ]
    assert "shell test 'fail' != fail" in run("explain", "2").stdout
    resumed = run("run", "LOCAL", "list.txt", "--resume", "--", "test {} != fail && echo {} {#}")
    assert "1 of 2 tasks" in resumed.stdout
    assert len(run("jobs", "--json").stdout.splitlines()) == 1
    assert run("run", "LOCAL", "list.txt", "--resume", "--", "echo {}").exit_code == 0
    first = json.loads(run("jobs", "--json").stdout.splitlines()[1])["job"]
    assert run("export-failed", first).stdout.splitlines() == ["shell test 'fail' != fail && echo 'fail' '2'"]
    assert run("retry", first).exit_code == 1
    assert [each["text"] for each in results()] == ["shell test 'fail' != fail && echo 'fail' '2'"]


def test_rejected_rows_are_not_exported_as_tasks() -> None:
    """A row that made no task is left out of a new workload, and that is said."""
    Path("table.csv").write_text("a,task\n1,sleep\n1\n", encoding="utf-8")
    run("run", "LOCAL", "table.csv", "--format", "csv")
    answer = run("export-failed", "--rejected")
    assert answer.stdout == '{"a":"1","task":"sleep"}\n'
    assert "1 lines were left out: no task can be made of them." in answer.stderr


@pytest.mark.parametrize("packed", [False, True])
def test_a_header_line_says_what_the_options_said(tmp_path: Path, *, packed: bool) -> None:
    """An upload with the form in its first line has the tasks that a run with the options has, gzipped or not."""
    text = b"\xef\xbb\xbfa b\n#c\n" if not packed else b"a b\n#c\n"
    path = tmp_path / "values"
    path.write_bytes(gzip.compress(text) if packed else text)
    form = Form(each="shell echo \"{} \\\\ 'x'\" {}", format=Format.LINES)
    with with_header(path, form) as copy:
        made = [getattr(line, "text", "") for line in one_by_one(LocalWorkload(copy).lines())][1:]
    assert made == [getattr(line, "text", "") for line in one_by_one(LocalWorkload(path, form).lines())]
    assert len(made) == 2


def test_a_template_of_two_lines_can_t_be_a_header(tmp_path: Path) -> None:
    """What one line can't hold is refused before anything is uploaded."""
    (tmp_path / "values").write_text("a\n", encoding="utf-8")
    with (
        pytest.raises(InputError, match="can't be written into a header"),
        with_header(tmp_path / "values", Form(each="shell echo a\necho {}")),
    ):
        pass


def test_values_come_from_standard_input_if_nothing_else_is_named() -> None:
    """As with GNU parallel, a command without values takes the lines of standard input."""
    read, write = os.pipe()
    os.write(write, b"a b\nc\n")
    os.close(write)
    kept = os.dup(0)
    os.dup2(read, 0)
    try:
        assert dry("--", "echo", "{}") == ["exec echo 'a b'", "exec echo c"]
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(read)
