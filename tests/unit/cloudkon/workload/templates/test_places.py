"""What stands at a place."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from cloudkon.workload.task_line import parse_task
from cloudkon.workload.templates.errors import RowError, TemplateError
from cloudkon.workload.templates.places import Place, PlaceFinder, Row
from cloudkon.workload.templates.template import WordsTemplate, compiled
from tests.support.data.hostile import HOSTILE

PLAIN = PlaceFinder()
NAMED = PlaceFinder(is_named=True)
TABLE = PlaceFinder(("path", "width", "size.w", "first name"), is_named=True)


def arguments(template: str, *values: object, finder: PlaceFinder = PLAIN, number: int = 1) -> tuple[object, ...]:
    """The arguments of the task that a template makes of a row."""
    return parse_task(compiled(f"t {template}", finder).filled(Row(values), number)).args


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("{}", "a b/c.tar.gz"),
        ("{.}", "a b/c.tar"),
        ("{/}", "c.tar.gz"),
        ("{//}", "a b"),
        ("{/.}", "c.tar"),
        ("{1}", "a b/c.tar.gz"),
        ("{1.}", "a b/c.tar"),
        ("{1/}", "c.tar.gz"),
        ("{1//}", "a b"),
        ("{1/.}", "c.tar"),
        ("{#}", "7"),
        ("x{/}y", "xc.tar.gzy"),
        ("--out={/.}.png", "--out=c.tar.png"),
        ("{}{}", "a b/c.tar.gza b/c.tar.gz"),
    ],
)
def test_a_place_takes_its_part_of_the_value(place: str, shown: str) -> None:
    """Each kind of place takes what it says, as one argument, whatever is around it."""
    assert arguments(place, "a b/c.tar.gz", number=7) == (shown,)


@pytest.mark.parametrize("text", ["{print $1}", "{a,b}", "{ x }", "${HOME}", "${1}", "{1..3}", "{}}{"])
def test_what_is_no_place_stays_as_it_is(text: str) -> None:
    """Braces around anything else are left alone, such as a shell's variables and a program's blocks."""
    expected = "v}{" if text == "{}}{" else text
    assert arguments(f"{{}} '{text}'", "v") == ("v", expected)


def test_several_values_are_several_arguments() -> None:
    """{} alone stands for all values of a row, each an argument; numbers choose one."""
    assert arguments("{} {2}{1}", "a b", "c") == ("a b", "c", "ca b")


@pytest.mark.parametrize("template", ["x{}", "{.}", "{3}"])
def test_a_place_without_its_value_rejects_the_row(template: str) -> None:
    """A place that could mean several values, or none, makes no task of the row."""
    with pytest.raises(RowError, match="the row has 2"):
        arguments(template, "a", "b")


@pytest.mark.parametrize(
    ("finder", "place", "told"),
    [
        (PLAIN, "{width}", "values have names only with format=csv"),
        (PLAIN, "{0}", "numbered from 1"),
        (PLAIN, "{%}", "of GNU parallel only"),
        (PLAIN, "'{= s/a/b/ =}'", "of GNU parallel only"),
        (PLAIN, "{-1}", "of GNU parallel only"),
        (TABLE, "{widht}", r"none of the columns \(path, width, size.w, first name\); did you mean {width}"),
        (TABLE, "{5}", "numbered from 1 to 4"),
    ],
)
def test_a_place_that_can_t_be_is_refused(finder: PlaceFinder, place: str, told: str) -> None:
    """A place that no row could fill is an error of the template, before any row is read."""
    with pytest.raises(TemplateError, match=told):
        arguments(place, "v", finder=finder)


@pytest.mark.parametrize("place", ["{path}", "{path.}", "{path/}", "{size.w}", "{first name}", "{1}", "{4/.}"])
def test_columns_are_places_by_name_and_number(place: str) -> None:
    """In a table a column is named, whatever its name is, or numbered."""
    assert any(isinstance(part, Place) for part in TABLE.split(place))


def test_values_of_json_keep_their_types() -> None:
    """A place alone gives the value as it is; within a word it is text."""
    row = Row(names={"n": 3, "on": True, "list": [1, "a"], "none": None})
    line = compiled("t {n} {on} {list} {none} n={n}", NAMED).filled(row, 1)
    assert parse_task(line).args == (3, True, [1, "a"], None, "n=3")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_one_argument(value: str) -> None:
    """Whatever a value is, it is the one argument that it stands for, and the task's line has no line break."""
    line = compiled("exec {} x{}y", PLAIN).filled(Row((value,)), 1)
    assert "\n" not in line
    task = parse_task(line)
    assert (task.name, task.args) == ("exec", (value, f"x{value}y"))


@pytest.mark.parametrize("text", ["exec ls {} {/.} x{}y {#}", "t 'a b' {//}", "t 'a b{}'", "t {}{.}", "t it\\'s{} ''"])
@pytest.mark.parametrize("value", [*HOSTILE, "path/to/file.jpg", "a/", "~", "0"])
def test_plain_values_take_a_shorter_way_to_the_same_task(text: str, value: str) -> None:
    """A value that needs no quotes makes the very line that it makes where every word is looked at."""
    template = compiled(text, PLAIN)
    assert isinstance(template, WordsTemplate)
    longer = replace(template, pieces=())
    assert template.filled(Row((value,)), 3) == longer.filled(Row((value,)), 3)


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_places_give_what_gnu_parallel_gives() -> None:
    """For every hostile value, each place gives the very bytes that the real program gives."""
    places = ["{}", "{.}", "{/}", "{//}", "{/.}", "x{}y"]
    values = [value for value in HOSTILE if value]
    command = ["parallel", "-0", "-k", "--will-cite", "--plain", "printf", "%s\\\\0", *places]
    answer = subprocess.run(command, input="\0".join(values).encode(), capture_output=True, check=True)
    theirs = answer.stdout.decode().split("\0")[:-1]
    ours = [argument for value in values for argument in arguments(" ".join(places), value)]
    assert list(zip(theirs, ours, strict=True)) == list(zip(ours, ours, strict=True))
