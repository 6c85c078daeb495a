"""Finds the form of a workload in its first lines, and takes it out of its header."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cloudkon.workload.lines import BadLine, Line
from cloudkon.workload.planning import is_header
from cloudkon.workload.task_line import is_task_line
from cloudkon.workload.templates.errors import TemplateError
from cloudkon.workload.templates.form import Form, compile_form
from cloudkon.workload.templates.rows import Format, column_names, delimiter_of

_FIELDS: Mapping[str, str] = {"each": "each", "task": "task", "format": "format", "colsep": "separator"}
"""The words of a header that are about the form, and the fields that they set."""
_WORD = re.compile(r"""(?P<name>[^\s=]+)=(?P<value>"(?:[^"\\]|\\.)*"(?!\S)|'[^']*'(?!\S)|\S*)|\S+""")
_ESCAPED = re.compile(r"""\\(["\\])""")


@dataclass(frozen=True, slots=True)
class _Header:
    """What a header line says: about the form, and the rest of it as it stands."""

    form: Mapping[str, str]
    rest: str


def find_form(lines: Sequence[Line | BadLine], asked: Form | None = None) -> Form | None:
    """The form of a workload that begins with these lines: the one that is asked for, or its header's; else None.

    What can't be used is told by the form's error.
    """
    top = _top(lines) if asked is None else _top_of_asked(lines)
    form, said_on = asked or Form(), 0 if asked else 1
    try:
        for line in lines[:top]:
            if isinstance(line, Line) and is_header(line.text) and (told := _read(line.text).form):
                said_on = line.number
                form = _with_header(form, told, is_asked=asked is not None)
        if not top and asked is None:
            return None
        form = replace(form, skip=top, from_options=asked is not None)
        if form.is_table:
            form = _with_columns(form, lines)
        compile_form(form)
    except TemplateError as error:
        return form.failed(str(error), error.line if isinstance(error, _ColumnsError) else said_on)
    return form


class _ColumnsError(TemplateError):
    """The line with the names of the columns can't be used."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


def _top_of_asked(lines: Sequence[Line | BadLine]) -> int:
    """How many lines at the top are headers: where the form is asked for, every other line is a value."""
    top = 0
    while top < len(lines) and _is_header(lines[top]):
        top += 1
    return top


def _top(lines: Sequence[Line | BadLine]) -> int:
    """How many lines come before the first value: those up to the header with the form, and further headers."""
    top, has_form = 0, False
    for number, line in enumerate(lines, start=1):
        if isinstance(line, BadLine) or (line.text and is_task_line(line.text)):
            break
        if is_header(line.text):
            has_form = has_form or bool(_read(line.text).form)
            top = number
        elif has_form:
            break
    return top if has_form else 0


def _is_header(line: Line | BadLine) -> bool:
    return isinstance(line, Line) and is_header(line.text)


def _with_header(form: Form, told: Mapping[str, str], *, is_asked: bool) -> Form:
    if is_asked:
        raise TemplateError(f"the header of the file says {next(iter(told))}= as well: leave out one of them")
    return replace(form, **{_FIELDS[name]: _value(name, value) for name, value in told.items()})


def _value(name: str, text: str) -> Any:
    """What stands behind the name, without its quotes."""
    value = text
    if text[:1] in {'"', "'"}:
        if len(text) < 2 or text[-1] != text[0]:
            raise TemplateError(f"{name}={text[:40]}: its quotes don't close, or are followed by something else")
        value = _ESCAPED.sub(r"\1", text[1:-1]) if text[0] == '"' else text[1:-1]
    if not value:
        raise TemplateError(f"{name}= is empty")
    return format_of(value) if name == "format" else value


def format_of(text: str) -> Format:
    try:
        return Format(text)
    except ValueError:
        raise TemplateError(f"format={text[:40]} is none of {', '.join(Format)}") from None


def _with_columns(form: Form, lines: Sequence[Line | BadLine]) -> Form:
    delimiter_of(form.format, form.separator)
    for line in lines[form.skip :]:
        if isinstance(line, Line) and (not line.text or line.text.isspace()):
            continue
        if isinstance(line, BadLine):
            raise _ColumnsError(f"the names of the columns can't be read: {line.reason}", line.number)
        try:
            columns = column_names(line.text, form.format, form.separator)
        except TemplateError as error:
            raise _ColumnsError(str(error), line.number) from error
        return replace(form, columns=tuple(columns), skip=line.number)
    raise _ColumnsError(f"format={form.format}: there is no line with the names of the columns", max(1, form.skip))


def without_form(line: Line) -> Line:
    """A header line without its words about the form."""
    return Line(line.number, _read(line.text).rest, line.end)


def _read(text: str) -> _Header:
    head, colon, words = text.partition(":")
    form: dict[str, str] = {}

    def taken(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in _FIELDS:
            return found[0]
        form[name] = found["value"]
        return ""

    rest = _WORD.sub(taken, words)
    return _Header(form, f"{head}{colon}{rest}")
