"""Writes manual pages from the help of the commands, so that they can't say anything else."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

_SECTION = "1"
_BLOCK = "\b"
_EXIT = (
    ("0", "fine"),
    ("1", "something failed, a task among them"),
    ("2", "what was given can't be used"),
    ("130", "Ctrl-C"),
    ("143", "SIGTERM"),
)
_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
_PLACE = re.compile(r"\.\s")


@dataclass(frozen=True, slots=True)
class ManPage:
    """A page of the manual: its file's name, and its text in roff."""

    name: str
    text: str


def man_pages(root: click.Command, program: str, version: str) -> Iterator[ManPage]:
    """A page for the program, and one for each command and its subcommands."""
    yield from _pages(root, click.Context(root, info_name=program, **root.context_settings), version)


def _pages(command: click.Command, context: click.Context, version: str) -> Iterator[ManPage]:
    below = [] if not isinstance(command, click.Group) else list(_below(command, context))
    name = context.command_path.replace(" ", "-")
    lines = _page(command, context, name, version, [(each, inner) for each, inner, _ in below])
    yield ManPage(f"{name}.{_SECTION}", "\n".join(lines) + "\n")
    for _, inner, inner_context in below:
        yield from _pages(inner, inner_context, version)


def _below(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            yield name, command, click.Context(command, parent=context, info_name=name)


def _page(
    command: click.Command, context: click.Context, name: str, version: str, below: list[tuple[str, click.Command]]
) -> Iterator[str]:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    yield f'.TH "{name.upper()}" {_SECTION} "" "cloudkon {version}" "CloudKon"'
    yield ".SH NAME"
    yield f"{_roff(name)} \\- {_roff(_first_sentence(command.help or ''))}"
    yield ".SH SYNOPSIS"
    yield f".B {_roff(context.command_path)}"
    yield _roff(" ".join(command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    examples: list[str] = []
    for paragraph in paragraphs:
        if paragraph.startswith(_BLOCK):
            examples += paragraph.removeprefix(_BLOCK).strip("\n").split("\n")
        else:
            yield ".PP"
            yield _roff(" ".join(paragraph.split()))
    yield from _options(command, context)
    yield from _commands(context, below)
    yield from _examples(examples)
    yield ".SH EXIT STATUS"
    for code, told in _EXIT:
        yield from _entry(code, told)
    if context.parent is not None:
        yield ".SH SEE ALSO"
        yield f".BR {_roff(context.parent.command_path.replace(' ', '-'))} ({_SECTION})"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    records = [option.get_help_record(context) for option in options]
    shown = [record for record in records if record is not None]
    if shown:
        yield ".SH OPTIONS"
    for names, told in shown:
        yield from _entry(names, told)


def _commands(context: click.Context, below: list[tuple[str, click.Command]]) -> Iterator[str]:
    if below:
        yield ".SH COMMANDS"
    for name, command in below:
        page = f"{context.command_path} {name}".replace(" ", "-")
        yield from _entry(name, f"{_first_sentence(command.help or '')} See {page}({_SECTION}).")


def _examples(lines: list[str]) -> Iterator[str]:
    told = [line for line in lines if line.strip() and line.strip() != "Examples:"]
    if told:
        yield ".SH EXAMPLES"
        yield ".nf"
        yield from (_roff(line.strip()) for line in told)
        yield ".fi"


def _entry(term: str, told: str) -> Iterator[str]:
    yield ".TP"
    yield f"\\fB{_roff(term)}\\fR"
    yield _roff(" ".join(told.split()))


def _first_sentence(text: str) -> str:
    line = " ".join(text.replace(_BLOCK, "").split())
    end = _PLACE.search(line)
    return line[: end.start() + 1] if end else line


def _roff(text: str) -> str:
    """Text as roff takes it: nothing in it is a command."""
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    return f"\\&{escaped}" if escaped.startswith((".", "\\(aq")) else escaped
