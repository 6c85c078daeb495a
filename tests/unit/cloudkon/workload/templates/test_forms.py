"""What a header makes of the lines below it."""

import pytest

from cloudkon.workload.lines import BadLine, Line, read_lines
from cloudkon.workload.task_line import parse_task
from cloudkon.workload.templates.expanding import expanded, is_in_one_piece
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.header import find_form
from cloudkon.workload.templates.rows import Format
from tests.support.data.hostile import HOSTILE


def lines_of(text: str) -> list[Line | BadLine]:
    return list(read_lines([text.encode()]))


def tasks(text: str, asked: Form | None = None) -> dict[int, str]:
    """The tasks, and the reasons of what is none, by the numbers of their lines."""
    lines = lines_of(text)
    form = find_form(lines, asked)
    assert form is not None
    assert Form.parse(form.as_text()) == form
    told = {}
    for line in expanded(lines, form, is_first=True):
        if isinstance(line, BadLine):
            told[line.number] = f"! {line.reason}"
        elif line.text and not line.text.startswith("#"):
            told[line.number] = line.text
    return told


def test_every_line_below_the_header_is_a_value() -> None:
    """Dashes, hashes, braces and blanks are values' own; only an empty line is none; numbers are those of the lines."""
    text = '# pictures\n#cloudkon: each="exec ls {}" retries=1\n-n\n# c\n{"task": 1}\n\n  \n#cloudkon\n'
    assert tasks(text) == {
        3: "exec ls -n",
        4: "exec ls '# c'",
        5: "exec ls '{\"task\": 1}'",
        7: "exec ls '  '",
        8: "exec ls #cloudkon",
    }


@pytest.mark.parametrize("value", [value for value in HOSTILE if value and "\n" not in value])
def test_a_hostile_line_becomes_one_argument(value: str) -> None:
    """What a file of lines can hold reaches the task as it is."""
    [line] = tasks(f'#cloudkon: each="exec cat {{}}"\n{value}\n').values()
    assert parse_task(line).args == ("cat", value)


def test_other_options_of_the_header_stay() -> None:
    """The header keeps what is not about the form, and further headers may follow it at once."""
    lines = lines_of('#cloudkon: bundle=2 each="t {}" retries=1\n#cloudkon: timeout=5s\nv\n#cloudkon: bundle=9\n')
    form = find_form(lines)
    assert form is not None
    shown = [line.text for line in expanded(lines, form, is_first=True) if isinstance(line, Line)]
    assert [text.split() for text in shown] == [
        ["#cloudkon:", "bundle=2", "retries=1"],
        ["#cloudkon:", "timeout=5s"],
        ["t", "v"],
        ["t", "'#cloudkon:", "bundle=9'"],
    ]


@pytest.mark.parametrize("text", ["sleep 1\n", "#cloudkon: retries=1\nsleep 1\n", "# each=x\n#cloudkon\nsleep 1\n", ""])
def test_a_workload_without_a_form_has_none(text: str) -> None:
    """Files that say nothing of values are read as ever, a line a task."""
    assert find_form(lines_of(text)) is None


def test_a_form_after_the_first_task_is_none() -> None:
    """A header counts above the first task only."""
    assert find_form(lines_of('sleep 1\n#cloudkon: each="t {}"\n')) is None


def test_columns_are_bound_by_name() -> None:
    """Rows of CSV become arguments by the names of their columns; the column id is the task's own id."""
    text = '#cloudkon: format=csv task=resize\npath,width,id\n"a, ""b"".jpg",300,first\nc.jpg,,\n'
    assert tasks(text) == {
        3: '{"task":"resize","path":"a, \\"b\\".jpg","width":"300","id":"first"}',
        4: '{"task":"resize","path":"c.jpg","width":""}',
    }


def test_a_column_named_task_names_the_task() -> None:
    """Without a template, a table with a column task has a task in each row."""
    assert tasks("#cloudkon: format=csv\ntask,n\nsleep,1\n") == {3: '{"task":"sleep","n":"1"}'}


def test_tables_may_have_another_separator() -> None:
    """tsv has tabs, and colsep names any other character."""
    assert tasks("#cloudkon: format=tsv each='t {b}'\na\tb\n1,1\t2\n") == {3: "t 2"}
    assert tasks("#cloudkon: format=csv colsep=; each='t {b}'\na;b\n1;2\n") == {3: "t 2"}


def test_lines_may_hold_several_values() -> None:
    """colsep is a regular expression, as GNU parallel's, and \\t a tab."""
    assert tasks('#cloudkon: colsep=\\t each="t {2} {1}"\na b\tc\n') == {2: "t c 'a b'"}
    assert tasks('#cloudkon: colsep=" +" each="t {}"\na  b c\n') == {2: "t a b c"}


def test_rows_of_json_are_bound_by_name_or_place() -> None:
    """An object binds names, a list places, anything else is one value; types stay."""
    text = '#cloudkon: format=jsonl task=t\n{"n": 1, "id": "x"}\n[1, "a b"]\n"v w"\n3\n'
    assert tasks(text) == {
        2: '{"task":"t","n":1,"id":"x"}',
        3: '{"task":"t","args":[1,"a b"]}',
        4: "t 'v w'",
        5: '{"task":"t","args":[3]}',
    }


def test_ragged_rows_are_rejected_with_their_lines() -> None:
    """A row with too few or too many values, or with broken quotes, makes no task, and says why."""
    text = '#cloudkon: format=csv each="t {a}"\na,b\n1,2\n1\n1,2,3\n"1"x,2\n3,4\n'
    assert tasks(text) == {
        3: "t 1",
        4: "! the row has 1 values, and the table 2 columns",
        5: "! the row has 3 values, and the table 2 columns",
        6: "! not valid CSV: ',' expected after '\"'",
        7: "t 3",
    }


def test_a_field_over_several_lines_is_rejected_to_its_end() -> None:
    """Nothing of a quoted field that goes on over lines is taken for a row of its own."""
    text = '#cloudkon: format=csv each="t {a}"\na\nx\n"begun\nrm\nover"\ny\n'
    told = tasks(text)
    assert {number: line[:2] for number, line in told.items()} == {3: "t ", 4: "! ", 5: "! ", 6: "! ", 7: "t "}
    assert "a row has one line" in told[4]


@pytest.mark.parametrize(
    ("header", "line", "told"),
    [
        ('each="t"', 1, "no place"),
        ("each=t", 1, "no place"),
        ('each=""', 1, "its quotes|is empty|comes first"),
        ('each="t {}', 1, "quotes don't close"),
        ('each="t {}"x', 1, "quotes don't close"),
        ('each="t \'{}"', 1, "no closing quotation"),
        ('each="{} x"', 1, "the name of a task comes first"),
        ('each="# {}"', 1, "the name of a task comes first"),
        (f'each="t {{}} {"x" * 5000}"', 1, "the most is 4,096"),
        ('each="t {}" task=t', 1, "two ways to say the same"),
        ("format=xml task=t", 1, "none of lines, csv, tsv, jsonl"),
        ("format=lines", 1, "what is to be done with each row"),
        ("format=csv", 1, "what is to be done with each row"),
        ('task="two words"', 1, "one word is needed"),
        ("task={}", 1, "one word is needed"),
        ('colsep="(" each="t {}"', 1, "no regular expression"),
        ('colsep="x*" each="t {}"', 1, "matches nothing"),
        ("format=csv colsep=ab task=t", 1, "one character"),
        ("format=jsonl colsep=, task=t", 1, "has neither"),
        ('format=csv each="t {c}"', 1, "none of the columns"),
        ("format=csv colsep=: task=t", 2, "two columns are named 'a'"),
    ],
)
def test_a_form_that_can_t_be_used_runs_nothing(header: str, line: int, told: str) -> None:
    """A header with a mistake gives one reject, which says what it is and where; no value is taken for a task."""
    columns = "a:b:a" if "colsep=: " in header else "a,b"
    text = f"#cloudkon: {header}\n{columns}\nshell rm -rf x\nsleep 1\n"
    [(number, reason)] = tasks(text).items()
    assert number == line
    assert reason.startswith("! ")
    assert any(part in reason for part in told.split("|")), reason


def test_a_table_without_columns_is_an_error() -> None:
    """A table that ends before the names of its columns makes no task."""
    assert "no line with the names" in tasks("#cloudkon: format=csv task=t\n\n")[1]


def test_a_form_that_options_say_goes_from_the_first_line() -> None:
    """Where options say the form, the file has no header: comments are values, but for option lines at its very top."""
    asked = Form(each="t {}")
    assert tasks("# a\nb\n", asked) == {1: "t '# a'", 2: "t b"}
    assert tasks("#cloudkon: retries=1\n# a\n", asked) == {2: "t '# a'"}
    assert tasks("a,b\n1,2\n", Form(task="t", format=Format.CSV)) == {2: '{"task":"t","a":"1","b":"2"}'}


def test_two_forms_for_one_file_are_refused() -> None:
    """A file whose header tells a form takes none from options."""
    form = find_form(lines_of('#cloudkon: each="t {}"\na\n'), Form(each="u {}"))
    assert form is not None
    assert form.error == "the header of the file says each= as well: leave out one of them"


def test_the_number_of_a_row_counts_from_the_first_value() -> None:
    """{#} is 1 for the first value, and such a workload is in one piece: a range does not know what came before."""
    text = '#cloudkon: each="t {#} {}"\na\nb\n'
    assert tasks(text) == {2: "t 1 a", 3: "t 2 b"}
    assert is_in_one_piece(find_form(lines_of(text)))
    assert not is_in_one_piece(find_form(lines_of(text.replace("{#} ", ""))))


def test_a_task_that_is_too_long_is_rejected() -> None:
    """A value that fills its line makes a task that would not travel: it is rejected, and its neighbours run."""
    told = tasks(f'#cloudkon: each="t {{}} {{}}"\n{"x" * 150_000}\na\n')
    assert told[2].startswith("! the task has 300,003 bytes; the most is 204,800")
    assert told[3] == "t a a"
