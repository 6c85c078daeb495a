"""What stands behind -- and ::: on a command line."""

from pathlib import Path

import pytest

from cli.input.values_on_the_line import split_tail
from cloudkon.errors import InputError


def rows(words: str, *more: str) -> list[object]:
    """The rows that a command line names."""
    _, tail = split_tail([*words.split(), *more])
    assert tail is not None
    return list(tail.rows())


@pytest.mark.parametrize(
    ("words", "before", "command"),
    [
        ("LOCAL -t 8 -- convert {} x ::: a", ["LOCAL", "-t", "8"], ("convert", "{}", "x")),
        ("LOCAL --each t ::: a", ["LOCAL", "--each", "t"], ()),
        ("LOCAL list.txt -- cat {}", ["LOCAL", "list.txt"], ("cat", "{}")),
        ("LOCAL -- ls -- {} ::: a", ["LOCAL"], ("ls", "--", "{}")),
        ("LOCAL ::: a -- b", ["LOCAL"], ()),
    ],
)
def test_the_line_is_taken_apart_at_the_first_sign(words: str, before: list[str], command: tuple[str, ...]) -> None:
    """What comes before the first -- or ::: is ours; between it and ::: is the command."""
    own, tail = split_tail(words.split())
    assert own == before
    assert tail is not None
    assert tail.command == command


def test_a_line_without_these_signs_is_left_alone() -> None:
    """A command line without -- and ::: has no such values."""
    assert split_tail(["LOCAL", "tasks.txt"]) == (["LOCAL", "tasks.txt"], None)


def test_a_file_with_a_dash_may_still_follow_two_dashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """-- before the name of a file that begins with a dash is what it has always been."""
    monkeypatch.chdir(tmp_path)
    Path("-odd.txt").touch()
    assert split_tail(["LOCAL", "--", "-odd.txt"]) == (["LOCAL", "--", "-odd.txt"], None)


def test_values_are_combined_as_gnu_parallel_does(tmp_path: Path) -> None:
    """Each with each, the last source fastest; linked ones go together, as far as the shortest goes."""
    file = tmp_path / "list.txt"
    file.write_bytes(b"x y\r\n\nz\n")
    assert rows("-- c {} ::: a b") == ["a", "b"]
    assert rows("-- c {} ::: a b ::: 1 2") == [["a", "1"], ["a", "2"], ["b", "1"], ["b", "2"]]
    assert rows("-- c {} ::: a b :::+ 1 2 ::: X") == [["a", "1", "X"], ["b", "2", "X"]]
    assert rows("-- c {} ::: a b c :::+ 1 2") == [["a", "1"], ["b", "2"]]
    assert rows("-- c {} ::: a ::::", str(file)) == [["a", "x y"], ["a", "z"]]
    assert rows("-- c {} ::::", str(file), str(file)) == [["x y", "x y"], ["x y", "z"], ["z", "x y"], ["z", "z"]]


@pytest.mark.parametrize(
    ("command", "template"),
    [
        (["convert", "{}", "a b.png"], "exec convert '{}' 'a b.png'"),
        (["cat {} | wc"], "shell cat {} | wc"),
        (["cat", "{}", "|", "wc"], "exec cat '{}' '|' wc"),
        (["{}"], "exec '{}'"),
        ([], None),
    ],
)
def test_words_are_a_program_and_a_quoted_line_the_shell_s(command: list[str], template: str | None) -> None:
    """Several words are a program and its arguments; one word with blanks or signs in it is a line of the shell."""
    _, tail = split_tail(["--", *command, ":::", "a"])
    assert tail is not None
    assert tail.template() == template


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--", "c", "{}", ":::"], "No value follows :::"),
        (["--", "c", "{}", ":::", "a", "::::"], "No value follows ::::"),
        (["--", "c", "{}", ":::", "*.gif"], r"\*.gif matches no file"),
        (["--", "c", "{}", ":::", "no/such/*"], "matches no file"),
        (["--", "c", "{}", ":::", "caf\udce9"], "is not UTF-8"),
    ],
)
def test_values_that_can_t_be_meant_are_refused(words: list[str], told: str) -> None:
    """No value, a pattern without a match, a name that is not UTF-8: each is told, and nothing is run."""
    with pytest.raises(InputError, match=told):
        split_tail(words)


def test_a_star_that_is_no_pattern_is_a_value() -> None:
    """Text with a star in it that is no name of files is a value like others."""
    assert rows("-- expr {} :::", "2 * 3", "*", "a*b") == ["2 * 3", "*", "a*b"]
