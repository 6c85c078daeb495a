"""How data is written, for people and for programs."""

import json

import click
import pytest
from click.testing import CliRunner

from cli.terminal.options import json_option, uses_clock
from cli.terminal.output import Format, Output, _printable, json_line
from cli.terminal.tables import Table
from cloudkon.clock import Clock, SystemClock
from tests.support.manual_clock import ManualClock

TABLE = Table(("job", "tasks"), ("left", "right"), [("one", "7")])
PERSON, PROGRAM = Output(), Output(Format.JSON)


def test_a_person_reads_tables_and_lines_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    """Tables and lines are written as they were given, and the data is not."""
    PERSON.value({"tasks": 7}, ["first", TABLE, TABLE, "last"])
    assert capsys.readouterr().out == "first\njob  tasks\none      7\n\njob  tasks\none      7\nlast\n"


def test_a_program_reads_an_object_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With JSON only the data is written, and nothing is said on stderr."""
    PROGRAM.value({"tasks": 7}, ["first"])
    PROGRAM.say("a hint")
    assert capsys.readouterr() == ('{"tasks": 7}\n', "")


def test_a_listing_is_one_table_or_a_line_of_json_each(capsys: pytest.CaptureFixture[str]) -> None:
    """People see a table of all, programs a line each."""
    PERSON.listing([{"job": "one"}, {"job": "two"}], TABLE)
    assert capsys.readouterr().out == "job  tasks\none      7\n"
    PROGRAM.listing([{"job": "one"}, {"job": "two"}], TABLE)
    assert capsys.readouterr().out == '{"job": "one"}\n{"job": "two"}\n'


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("Grüße, 你好 😀", '"Grüße, 你好 😀"'),
        ("a\x9bb\u202ec\x7f", r'"a\u009bb\u202ec\u007f"'),
        ("\U000e0001", r'"\udb40\udc01"'),
        ("half \ud83d", r'"half \ud83d"'),
    ],
)
def test_json_keeps_letters_and_escapes_what_can_not_be_printed(said: str, line: str) -> None:
    """A name can be searched for with grep; what would upset a terminal is escaped; all is read back as it was."""
    assert json_line(said) == line
    assert json.loads(json_line(said)) == said


def test_json_is_escaped_where_the_encoding_has_no_such_letter() -> None:
    """Output that goes to Latin-1 or ASCII is JSON all the same."""
    assert json_line("Grüße", "latin-1") == '"Grüße"'
    assert json_line("Grüße", "ascii") == r'"Gr\u00fc\u00dfe"'


def test_a_command_has_the_clock_of_its_context() -> None:
    """Whoever calls the command line gives it a clock, or it has the machine's."""
    seen: list[Clock] = []

    @click.command()
    @json_option
    @uses_clock
    def command(clock: Clock, output: Output) -> None:
        seen.append(clock)
        output.value({}, [str(output.format)])

    clock = ManualClock()
    assert CliRunner().invoke(command, ["--json"], obj=clock).output == "{}\n"
    assert CliRunner().invoke(command, []).output == "text\n"
    assert seen[0] is clock
    assert isinstance(seen[1], SystemClock)


@pytest.mark.parametrize(
    "evil", ["\x1b]0;PWNED\x07", "\x1b[2J", "\x1b[31;5m", "\u202egpj", "\u2066", "\x9b2J", "\r", "\x00"]
)
def test_what_others_wrote_does_nothing_to_a_terminal(evil: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys, names and errors come to a person with U+FFFD for what would move a cursor or turn a line around."""
    PERSON.value({}, [f"job {evil}", Table(("job",), ("left",), [(f"{evil}one",)])])
    PERSON.listing([], Table(("job",), ("left",), [(f"{evil}two",)]))
    PERSON.say(f"warning {evil}")
    shown = "".join(capsys.readouterr())
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "\ufffd" in shown


def test_our_own_colours_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that a command has coloured keeps its colours on a terminal."""
    PERSON.value({}, [click.style("ok", fg="green")])
    assert "ok" in capsys.readouterr().out
    assert _printable(click.style("ok", fg="green", bold=True)) == "\x1b[32m\x1b[1mok\x1b[0m"
