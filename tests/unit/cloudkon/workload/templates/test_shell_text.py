"""A value is never shell text, wherever in the line it stands."""

import random
import subprocess
from pathlib import Path

import pytest

from cloudkon.workload.task_line import parse_task
from cloudkon.workload.templates.errors import TemplateError
from cloudkon.workload.templates.places import PlaceFinder, Row
from cloudkon.workload.templates.template import compiled
from tests.support.data.hostile import HOSTILE

SPY = "'; echo BROKEN >&2; `echo BROKEN >&2` $(echo BROKEN >&2)\n echo BROKEN >&2 #"
"""Says so on stderr if any of it is run."""
PRINT = "printf '%s\\0' "


def command_line(template: str, *values: str) -> str:
    """The line of the shell that a worker runs, as its handler gets it."""
    task = parse_task(compiled(f"shell {template}", PlaceFinder()).filled(Row(values), 1))
    assert task.name == "shell"
    return task.rest or "" if len(task.args) > 1 else str(task.args[0])


def printed(lines: list[str]) -> list[str]:
    """What the lines print, run by the shell."""
    answer = subprocess.run(["/bin/sh", "-c", "\n".join(lines)], capture_output=True, check=True)
    return answer.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    ("template", "around"),
    [
        ("{}", "{v}"),
        ("x{}y", "x{v}y"),
        ('"to {} and on"', "to {v} and on"),
        ("'to {} and on'", "to {v} and on"),
        ('"$x{}"', "{v}"),
        ("$x{}", "{v}"),
        ('"it\'s {}"', "it's {v}"),
        ("'\"'{}", '"{v}'),
        ('\\"{}', '"{v}'),
        ("a\\'{}", "a'{v}"),
        ('"\\"{}"', '"{v}'),
        ('"${x}{}"', "{v}"),
        ("a#{}", "a#{v}"),
        ("$#{}", "0{v}"),
        ('"# {}"', "# {v}"),
        ("'`'{}", "`{v}"),
    ],
)
def test_a_value_arrives_whole_within_any_quotes(template: str, around: str) -> None:
    """Outside and inside of quotes the program gets the value, every character of it, and nothing is run."""
    lines = [command_line(PRINT + template, value) for value in HOSTILE]
    assert printed(lines) == [around.replace("{v}", value) for value in HOSTILE]


def test_a_value_is_quoted_within_commands_in_commands() -> None:
    """Within $(...) a value is a word as well."""
    values = [value for value in HOSTILE if not value.endswith("\n")]
    lines = [command_line(f'{PRINT}"$x"$({PRINT}{{}} | tr "\\\\0" x | wc -c)', value) for value in values]
    assert [int(each) for each in printed(lines)] == [len(value.encode()) + 1 for value in values]


@pytest.mark.parametrize("shell", [shell for shell in ("/bin/sh", "/bin/bash") if Path(shell).exists()])
@pytest.mark.parametrize("seed", range(8))
def test_any_value_is_a_value_in_any_template(seed: int, shell: str) -> None:
    """Of templates put together at random, each that is accepted gives the shell the value as it is."""
    dice = random.Random(seed)
    pieces = [
        "{}",
        "{}",
        "'",
        '"$(echo ',
        ")",
        '"`',
        '"',
        " ",
        "\\",
        "x",
        "$x",
        "a b",
        "#",
        "\\'",
        '\\"',
        "${x}",
        "`",
        "$(",
        "$'",
        "((",
        ";:;",
        "\n",
    ]
    lines: list[str] = []
    expected: list[str] = []
    while len(lines) < 60:
        template = "".join(dice.choices(pieces, k=dice.randrange(1, 9)))
        try:
            lines.append(f"{command_line(': ' + template, SPY)}\n")
        except TemplateError:
            continue
        expected.append(template)
    for line, template in zip(lines, expected, strict=True):
        answer = subprocess.run([shell, "-c", line], capture_output=True, check=False)
        assert b"BROKEN" not in answer.stderr.splitlines(), template


def test_a_single_quoted_line_is_the_command_line() -> None:
    """The template may be one quoted word, as a line of the workload may."""
    assert command_line("'echo {} | wc -c'", "a b") == "echo 'a b' | wc -c"


def test_a_value_alone_is_a_program_s_name_and_no_command_line() -> None:
    """A template of a place alone runs the program of that name: the value is no line of the shell."""
    assert command_line("{}", "echo a; echo b") == "'echo a; echo b'"


def test_all_values_are_words_outside_of_quotes() -> None:
    """{} stands for all values of a row; within quotes it would not be known what to do with them."""
    assert command_line("echo {}", "a b", "c") == "echo 'a b' 'c'"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("echo `ls {}`", "backtick"),
        ('echo "$(ls {})"', "within quotes"),
        ('echo "${x:-{}}"', "within quotes"),
        ('echo "`ls`" {}', "backtick"),
        ("echo $'{}'", "write it in other quotes"),
        ("echo $(( {} + 1 ))", "set a variable first"),
        ("(( {} ))", "set a variable first"),
        ("echo x # {}", "begins a comment"),
        ("cat <<END {}", "write printf or echo"),
        ("echo 'a {}", "no closing quotation"),
        ("echo a", "no place"),
    ],
)
def test_a_place_where_nothing_can_be_quoted_is_refused(template: str, told: str) -> None:
    """Where it can't be told how the shell reads a value, the template is refused before anything runs."""
    with pytest.raises(TemplateError, match=told):
        command_line(template, "v")
