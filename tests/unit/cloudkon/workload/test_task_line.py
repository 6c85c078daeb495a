import json
import shlex
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudkon.workload.task_line import LineError, Task, is_task_line, parse_task

_ASCII = st.sampled_from(string.printable[:95])
_PRINTABLE = (_ASCII | st.characters().filter(str.isprintable)).filter(lambda character: character not in "\"'\\")
_WORD = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)


@given(st.text(_PRINTABLE).filter(lambda line: line.strip() and not line.lstrip().startswith("{")))
def test_plain_words_are_split_as_a_shell_does(line: str) -> None:
    """The fast way and shlex agree on every printable line without quotes."""
    name, *args = shlex.split(line)
    assert parse_task(line) == Task(name, tuple(args))


@given(st.text(st.sampled_from('ab  \t\'""ä#')))
def test_quotes_are_read_as_a_shell_does(line: str) -> None:
    """The fast way and shlex agree on lines with quotes, those that don't close included."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if words and words[0]:
        assert parse_task(line) == Task(words[0], tuple(words[1:]))
    else:
        with pytest.raises(LineError):
            parse_task(line)


@given(_WORD.filter(lambda name: not name.startswith("{")), st.lists(_WORD))
def test_quoted_words_arrive_as_they_were_meant(name: str, args: list[str]) -> None:
    """Words of any characters but controls survive quoting."""
    assert parse_task(shlex.join([name, *args])) == Task(name, tuple(args))


@pytest.mark.parametrize(
    ("line", "task"),
    [
        ("sleep 1000", Task("sleep", ("1000",))),
        ("  sleep \t 1  ", Task("sleep", ("1",))),
        ("shell 'echo \"hi\"' # no comment", Task("shell", ('echo "hi"', "#", "no", "comment"))),
        ("größe 🚀", Task("größe", ("🚀",))),
        ("say ''", Task("say", ("",))),
        ('{"task": "sleep"}', Task("sleep")),
        ('  {"task": "sleep"}', Task("sleep")),
        (
            '{"task": "sleep", "args": [1000, {"a": null}], "id": "mine"}',
            Task("sleep", (1000, {"a": None}), {}, "mine"),
        ),
        ('{"task": "render", "width": 640, "id": null}', Task("render", (), {"width": 640})),
        ('{"task": "a b", "args": ["\\ud83d\\ude80"]}', Task("a b", ("🚀",))),
    ],
)
def test_a_line_is_words_or_an_object(line: str, task: Task) -> None:
    """A line means the same task whichever way it is written."""
    assert parse_task(line) == task


_JSON = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(exclude_categories=["Cs"]))


@given(_WORD, st.lists(_JSON), st.dictionaries(st.text("abc", min_size=1), _JSON))
def test_arguments_arrive_as_json_has_them(name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """An object's args and other fields are the arguments, with their types."""
    line = json.dumps({"task": name, "args": args} | kwargs)
    assert parse_task(line) == Task(name, tuple(args), kwargs)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("sleep 'one", "no closing quotation; a quote inside a word is written"),
        ("sleep \\", "no escaped character; "),
        ("it's fine", "no closing quotation"),
        ("''", "the task has no name"),
        ("sleep \x00", "control character U\\+0000 at column 7"),
        ("\x1b[0m", "control character U\\+001B at column 1"),
        ("{", "not valid JSON: .* at column 2"),
        ('{"task": "sleep"} x', "not valid JSON: extra data at column 19"),
        ('{"task": "sleep", "args": [NaN]}', "not valid JSON: NaN is not a number"),
        ('{"task": "sleep", "args": [-Infinity]}', "not valid JSON: -Infinity is not a number"),
        ('{"task": "sleep", "args": [' + "1" * 5_000 + "]}", "not valid JSON: .*digits"),
        ('{"task": "x", "args": ' + "[" * 100_000, "nested too deeply: more than 200"),
        ('{"task": "x", "args": ' + "[" * 200 + "]" * 200 + "}", "nested too deeply: more than 200"),
        ('{"task": "x", "args": ' + "[" * 950 + '"\\u0041"' + "]" * 950 + "}", "nested too deeply: more than 200"),
        ('{"task": "x", "a": ' + '{"a":' * 200 + "1" + "}" * 201, "nested too deeply: more than 200"),
        ('{"task": "\\ud800"}', "half of a surrogate pair"),
        ('{"task": "a\x01"}', "control character U\\+0001 at column 12"),
        ("{}", 'the JSON object has no "task"'),
        ('{"task": ""}', 'the JSON object has no "task"'),
        ('{"task": ["sleep"]}', 'the JSON object has no "task"'),
        ('{"task": "sleep", "args": "1"}', '"args" is not a list'),
        ('{"task": "sleep", "args": null}', '"args" is not a list'),
        ('{"task": "sleep", "id": 7}', '"id" is not a string of 1 to 256 characters'),
        ('{"task": "sleep", "id": ""}', '"id" is not a string'),
        ('{"task": "sleep", "id": "' + "x" * 257 + '"}', '"id" is not a string'),
    ],
)
def test_a_line_that_is_no_task_is_refused_with_its_reason(line: str, reason: str) -> None:
    """The author of a line reads what is wrong with it, and where."""
    with pytest.raises(LineError, match=reason) as caught:
        parse_task(line)
    assert "\n" not in str(caught.value)


@given(st.text().filter(is_task_line))
def test_any_line_is_a_task_or_refused(line: str) -> None:
    """Whatever stands in a line, the answer is a task with a name, or a LineError."""
    try:
        task = parse_task(line)
    except LineError:
        return
    assert task.name


@pytest.mark.parametrize("line", ["", " ", "\t", "# a comment", "#cloudkon: bundle=1"])
def test_blank_lines_and_comments_are_no_tasks(line: str) -> None:
    """Blank lines and lines that begin with # are passed over."""
    assert not is_task_line(line)


@pytest.mark.parametrize("line", ["sleep 0", " sleep", "{", "a#"])
def test_other_lines_are_tasks(line: str) -> None:
    """Everything else is a task, or is refused as one."""
    assert is_task_line(line)
