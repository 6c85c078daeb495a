"""The options by which a list of values, or a table, becomes tasks, and what they come to with what is given."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path, PurePath
from typing import Any

import click

from cli.input.piped_workload import DASH, kept_lines
from cli.input.values_on_the_line import Tail, given_tail
from cli.terminal.units import counted
from cloudkon.errors import InputError
from cloudkon.workload.templates.errors import TemplateError
from cloudkon.workload.templates.form import Form
from cloudkon.workload.templates.places import PlaceFinder
from cloudkon.workload.templates.rows import Format
from cloudkon.workload.templates.template import compiled

_SUFFIXES = {".csv": Format.CSV, ".tsv": Format.TSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL}
_COMMANDS = ("shell", "exec")


@dataclass(frozen=True, slots=True)
class AskedForm:
    """What the options say."""

    each: str | None = None
    task: str | None = None
    format: Format | None = None
    separator: str | None = None
    tail: Tail = field(default_factory=Tail)

    @property
    def is_given(self) -> bool:
        """Whether something is to be done with values."""
        return bool(self.tail.command) or self.each is not None or self.task is not None

    @property
    def runs_commands(self) -> bool:
        """Whether the tasks are commands which the person has typed, and so has allowed."""
        if self.tail.command or self.task in _COMMANDS:
            return True
        return self.each is not None and self.each.split(maxsplit=1)[:1] in [[name] for name in _COMMANDS]

    def allowed(self, named: Sequence[str]) -> Sequence[str]:
        """What is allowed beside what --allow names."""
        return list(dict.fromkeys([*named, "shell"])) if self.runs_commands else named

    def workload(self, given: Path | None) -> Path | None:
        """The file of the values: that which is given, that behind ::::, or standard input; None: there are rows."""
        if self.tail.sources and given is not None:
            raise InputError(f"The values come from {given}, or from {_first_source(self.tail)}: name one of them.")
        if self.tail.sources:
            return self.tail.only_file
        return DASH if given is None and self.is_given else given

    def form(self, file: Path | None) -> Form | None:
        """The form of a file's lines, or of rows that the command line names; None: its lines are tasks."""
        command = self.tail.template()
        ways = {"a command behind --": command, "--each": self.each, "--task": self.task}
        named = [way for way, value in ways.items() if value is not None]
        if len(named) > 1:
            raise InputError(f"{' and '.join(named)} both say what is to be done with each value. Give one of them.")
        each = command if command is not None else self.each
        if each is not None and self.tail.sources and self.tail.only_file is None and self.separator is None:
            self._check_places(each, len(self.tail.sources))
        if not named and not self.separator and self.format is None and not self.tail.sources:
            return None
        if not named and self.tail.sources:
            raise InputError("What is to be done with each value? Name a command before them: -- echo {} ::: a b")
        return Form(each, self.task, self._format(file), self.separator)

    def _check_places(self, each: str, columns: int) -> None:
        """Raise InputError for a place that none of the values behind ::: can fill: they have no names."""
        try:
            places = compiled(each, PlaceFinder()).places
        except TemplateError as error:
            raise InputError(f"{self.what}: {error}.") from error
        last = max((place.column for place in places if isinstance(place.column, int)), default=0)
        if last > columns:
            raise InputError(f"{self.what}: it asks for {{{last}}}, and each row has {counted(columns, 'value')}.")

    @property
    def what(self) -> str:
        """What says how a task is made, as an error names it."""
        return "The command" if self.tail.command else "--each" if self.each is not None else "--task"

    def _format(self, file: Path | None) -> Format:
        if self.tail.sources and self.tail.only_file is None:
            if self.format not in (None, Format.LINES):
                raise InputError(f"--format {self.format} is for a file, and the values are behind :::.")
            return Format.JSONL if self.separator is None else Format.LINES
        return self.format or (Format.LINES if file is None else format_by_name(file))

    def kept_rows(self, keep_in: Path) -> Path:
        """The rows that the command line names, in a file that stays."""
        if self.separator is not None:
            return kept_lines(map(_line, self.tail.rows()), "the values", keep_in, f"{self.name}.txt")
        rows = (json.dumps(row, ensure_ascii=False) for row in self.tail.rows())
        return kept_lines(rows, "the values", keep_in, f"{self.name}.jsonl")

    @property
    def name(self) -> str:
        """What the job is called by: the command's first word that is a name."""
        words = (*self.tail.command[:1], self.task or "", *(self.each or "").split()[:1])
        first = next(word for word in words if word).split()[0]
        return "".join(each for each in PurePath(first).name[:40] if each.isalnum() or each in "-_") or "values"


def _line(row: Any) -> str:
    if not isinstance(row, str) or "\n" in row or not row:
        raise InputError("--colsep is for values of one line, from one source.")
    return row


def _first_source(tail: Tail) -> str:
    source = tail.sources[0]
    return f":::: {source.values[0]}" if source.is_file else f"::: {source.values[0]} ..."


def format_by_name(file: Path) -> Format:
    """The format that a file's name tells; lines if it tells none."""
    name = Path(file.name.removesuffix(".gz"))
    return _SUFFIXES.get(name.suffix.lower(), Format.LINES)


def form_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --each, --task, --format and --colsep, and what they come to as asked."""

    @click.option(
        "--each", metavar="TEMPLATE", help="FILE holds values: make this task of each, as in 'shell gzip {}'."
    )
    @click.option("--task", metavar="NAME", help="FILE holds values: give them to this task, by their columns' names.")
    @click.option(
        "--format",
        "format_",
        type=click.Choice([each.value for each in Format]),
        help="How FILE holds values (default: by its name: .csv, .tsv, .jsonl, else one a line).",
    )
    @click.option("--colsep", metavar="REGEX", help="What stands between the values of a line: ',' or '\\t'.")
    @wraps(command)
    def with_form(
        *arguments: Any, each: str | None, task: str | None, format_: str | None, colsep: str | None, **others: Any
    ) -> None:
        options = click.get_current_context().command.params
        given_tail().warn({name for option in options for name in option.opts if name.startswith("-")})
        asked = AskedForm(each, task, None if format_ is None else Format(format_), colsep, given_tail())
        command(*arguments, asked=asked, **others)

    return with_form


def form_words(text: str | None) -> list[str]:
    """The options that say the form of a job again, if options have said it."""
    form = None if text is None else Form.parse(text)
    if form is None or not form.from_options:
        return []
    words = ["--each", form.each] if form.each is not None else []
    words += ["--task", form.task] if form.task is not None else []
    words += ["--format", form.format.value]
    return words + (["--colsep", form.separator] if form.separator is not None else [])
