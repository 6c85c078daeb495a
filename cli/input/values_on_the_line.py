"""What stands behind -- on a command line, as GNU parallel has it: a command with places, and the values for them."""

import os
import re
import shlex
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import click

from cli.system.streams import STDIN
from cloudkon.errors import InputError

COMMAND = "--"
_SOURCES = (":::", ":::+", "::::", "::::+")
_TAIL = "cloudkon.tail"
_SHELL_CHARACTERS = re.compile(r"[\s|&;<>()$`\"'*?#~=\[\]!]")
_OPERATORS = frozenset({"|", "||", "&&", ">", ">>", "<", "2>&1", "&"})
_GLOB = re.compile(r"[^\s]*\*[^\s/]*\.\w+|[^\s]*/[^\s]*\*[^\s/]*")


@dataclass(frozen=True, slots=True)
class ValueSource:
    """Values that are named (:::), or are the lines of a file (::::)."""

    values: Sequence[str]
    is_file: bool = False
    is_linked: bool = False
    """Whether each value goes with one of the source before (+), not with all of them."""


@dataclass(frozen=True, slots=True)
class Tail:
    """A command with places, and where its values come from; both may be empty."""

    command: Sequence[str] = ()
    sources: Sequence[ValueSource] = ()

    @property
    def only_file(self) -> Path | None:
        """The one file that all values come from, if it is so."""
        if len(self.sources) == 1 and self.sources[0].is_file and len(self.sources[0].values) == 1:
            return Path(self.sources[0].values[0])
        return None

    def template(self) -> str | None:
        """The command as a task: a single quoted word is a line of the shell, several are a program's."""
        for word in self.command:
            _check_text(word, "the command")
        if not self.command:
            return None
        if len(self.command) == 1 and _SHELL_CHARACTERS.search(self.command[0]):
            return f"shell {self.command[0]}"
        return shlex.join(["exec", *self.command])

    def warn(self, options: Container[str]) -> None:
        """Say so if a word was probably meant for a shell, or a value to be an option."""
        words = [*self.command, *(value for source in self.sources for value in source.values)]
        late = next((word for word in words if word.startswith("--") and word in options), None)
        if late is not None:
            click.echo(f"{late} belongs to the command here: options of ours stand before the --.", err=True)
        odd = next((word for word in self.command if word in _OPERATORS), None)
        if odd is not None:
            click.echo(
                f"{odd} is an argument here. For a line of the shell, put the whole command in quotes.", err=True
            )

    def rows(self) -> Iterator[Any]:
        """Each row: a value, or several where there are several sources; the last source changes fastest."""
        columns = _columns([_values(source) for source in self.sources], self.sources)
        is_single = len(self.sources) == 1
        for groups in product(*columns):
            row = [value for group in groups for value in group]
            yield row[0] if is_single else row


class TailCommand(click.Command):
    """A command that takes what stands behind -- (or :::) apart, and hands it on by given_tail."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        before, tail = split_tail(args)
        context = super().make_context(info_name, before, parent, **extra)
        context.meta[_TAIL] = tail
        return context


def given_tail() -> Tail:
    """What stood behind -- on the command line that is being run."""
    tail: Tail = click.get_current_context().meta.get(_TAIL) or Tail()
    return tail


def split_tail(args: Sequence[str]) -> tuple[list[str], Tail | None]:
    """The arguments before the first -- or :::, and what comes then; -- before the name of a file is click's."""
    at = next((at for at, word in enumerate(args) if word == COMMAND or word in _SOURCES), len(args))
    rest = list(args[at:])
    if not rest or (rest[0] == COMMAND and len(rest) == 2 and _is_workload(rest[1])):
        return list(args), None
    words = rest[1:] if rest[0] == COMMAND else rest
    end = next((at for at, word in enumerate(words) if word in _SOURCES), len(words))
    return list(args[:at]), Tail(tuple(words[:end]), tuple(_sources(words[end:])))


def _is_workload(word: str) -> bool:
    """Whether a word behind -- names a file and no command: nobody can run it, or would run it by this name."""
    return Path(word).is_file() and (word.startswith("-") or not os.access(word, os.X_OK))


def _sources(words: Sequence[str]) -> Iterator[ValueSource]:
    starts = [at for at, word in enumerate(words) if word in _SOURCES]
    for start, stop in pairwise([*starts, len(words)]):
        kind, values = words[start], words[start + 1 : stop]
        if not values:
            raise InputError(f"No value follows {kind}.")
        if kind.startswith("::::"):
            yield from (
                ValueSource([file], is_file=True, is_linked=kind.endswith("+") and file is values[0]) for file in values
            )
            continue
        for value in values:
            _check_value(value, kind)
        yield ValueSource(values, is_linked=kind.endswith("+"))


def _check_value(value: str, kind: str) -> None:
    _check_text(value, f"a value behind {kind}")
    if _GLOB.fullmatch(value) and not Path(value).exists():
        raise InputError(
            f"{value} matches no file, so the shell passed it on as it stands. If it is meant as text, "
            f"give it through a pipe: printf '%s\\n' '{value}' | cloudkon-cli ..."
        )


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        shown = text.encode(errors="replace").decode()
        raise InputError(f"{shown}: {what} is not UTF-8, and can't be written into a workload. Rename it.") from error


def _values(source: ValueSource) -> Sequence[str]:
    if not source.is_file:
        return source.values
    name = source.values[0]
    try:
        with open(STDIN if name == "-" else name, "rb", closefd=name != "-") as file:
            data = file.read()
        lines = data.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f":::: {name} can't be read: {error.strerror or error}.") from error
    except UnicodeError as error:
        raise InputError(f":::: {name} can't be read: {error}.") from error
    return [value for line in lines if (value := line.removesuffix("\r"))]


def _columns(values: Sequence[Sequence[str]], sources: Sequence[ValueSource]) -> list[list[tuple[str, ...]]]:
    """Each source's values, those of linked sources joined: the shortest decides, as with GNU parallel."""
    columns: list[list[tuple[str, ...]]] = []
    for these, source in zip(values, sources, strict=True):
        single: list[tuple[str, ...]] = [(value,) for value in these]
        if not source.is_linked or not columns:
            columns.append(single)
            continue
        if len(columns[-1]) != len(single):
            click.echo(
                f"{len(columns[-1]):,} values are linked with {len(single):,}: those at the end are left out.", err=True
            )
        columns[-1] = [(*left, *right) for left, right in zip(columns[-1], single, strict=False)]
    return columns
