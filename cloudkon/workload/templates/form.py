"""The form of a workload whose lines are values: how a row is read, and which task is made of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol

from cloudkon.workload.templates.errors import RowError, TemplateError
from cloudkon.workload.templates.places import PlaceFinder, Row
from cloudkon.workload.templates.rows import Format, RowReader, row_reader
from cloudkon.workload.templates.template import SHELL, Template, compiled, object_line, task_line

TASK_COLUMN, ID_COLUMN, ARGS_COLUMN = "task", "id", "args"


@dataclass(frozen=True, slots=True)
class Form:
    """What a header (or options) says about the lines below: #cloudkon: format=csv each="resize {path} {width}"."""

    each: str | None = None
    """The template: a task's line with places."""
    task: str | None = None
    """Instead of a template: the task whose arguments are the values, by their names where they have such."""
    format: Format = Format.LINES
    separator: str | None = None
    columns: Sequence[str] = ()
    """The names of a table's columns, from its first line."""
    skip: int = 0
    """How many lines at the top are no values: the header, and the names of the columns."""
    from_options: bool = False
    """Whether options have said it, and not the workload's header."""
    error: str | None = None
    """Why the form can't be used: then no line is a task, and this is the reason of the one reject."""
    error_line: int = 1
    """The line that it is about; 0 for an option."""

    def as_text(self) -> str:
        """As a job's row keeps it."""
        kept = {name: value for name, value in asdict(self).items() if value not in (None, (), [], False)}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> "Form":
        """Read what as_text wrote."""
        known = {field.name for field in fields(cls)}
        told = {name: value for name, value in json.loads(text).items() if name in known}
        return cls(
            **told | {"format": Format(told.get("format", Format.LINES)), "columns": tuple(told.get("columns", ()))}
        )

    def asked(self) -> "Form":
        """What was asked for, without what the file's first lines have added."""
        return Form(self.each, self.task, self.format, self.separator)

    @property
    def is_table(self) -> bool:
        return self.format in (Format.CSV, Format.TSV)

    def failed(self, reason: str, line: int) -> "Form":
        return replace(self, error=reason, error_line=line)


class TaskMaker(Protocol):
    """Makes the line of a task of a row."""

    def filled(self, row: Row, number: int) -> str: ...


@dataclass(frozen=True, slots=True)
class CompiledForm:
    """A form that is ready to be used, from the first row of a range to its last."""

    reader: RowReader
    maker: TaskMaker
    is_numbered: bool
    """Whether a task's text depends on the row's number in the whole workload, so that ranges can't be cut."""

    def task(self, text: str, number: int) -> str | None:
        """The task of a line, None if it is blank; raise RowError with the reason."""
        row = self.reader.read(text)
        return None if row is None else self.maker.filled(row, number)


def compile_form(form: Form) -> CompiledForm:
    """Prepare a form; raise TemplateError if its parts don't fit together."""
    if form.each is not None and form.task is not None:
        raise TemplateError("each= and task= are two ways to say the same: give one of them")
    reader = row_reader(form.format, form.separator, form.columns)
    if form.each is not None:
        template = _template(form)
        return CompiledForm(reader, template, any(place.is_number for place in template.places))
    if form.task is not None:
        _check_name(form.task)
        if ARGS_COLUMN in form.columns or TASK_COLUMN in form.columns:
            raise TemplateError(
                "a column is named task or args, which are words of ours: rename it, or bind it by each="
            )
        return CompiledForm(reader, _Call(form.task), is_numbered=False)
    if form.format is Format.LINES or (form.is_table and TASK_COLUMN not in form.columns):
        raise TemplateError('what is to be done with each row? Say task=NAME, or each="NAME {} ..."')
    return CompiledForm(reader, _Call(None), is_numbered=False)


def _template(form: Form) -> Template:
    finder = PlaceFinder(form.columns if form.is_table else None, is_named=form.format is not Format.LINES)
    return compiled(form.each or "", finder)


def _check_name(name: str) -> None:
    if not name.isprintable() or not name or name.startswith(("#", "{")) or any(map(str.isspace, name)):
        raise TemplateError(f"task={name[:40]!r} can't be a task's name: one word is needed")


@dataclass(frozen=True, slots=True)
class _Call:
    """A task with the row's values as its arguments: in order, or by name; a value named id is the task's own."""

    name: str | None

    def filled(self, row: Row, number: int) -> str:  # noqa: ARG002 (a template's may need it)
        if row.names:
            return object_line(self._object(row.names))
        if self.name is None:
            raise RowError('the row is no object with a "task"')
        if self.name == SHELL and len(row.values) == 1:
            return object_line({"task": SHELL, "args": list(row.values)})
        return task_line(self.name, row.values)

    def _object(self, names: Mapping[str, Any]) -> Mapping[str, Any]:
        shown = {name: value for name, value in names.items() if name != ID_COLUMN or value != ""}
        if self.name is None:
            return shown
        if TASK_COLUMN in names:
            raise RowError('the row has a "task" of its own')
        return {TASK_COLUMN: self.name} | shown
