"""A click group that imports a command's module when the command is used, so that help stays fast."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a command lives (a click command that bears its own name, with _ for -) and what it does, in a line.

    A name that Python has taken, such as list, is followed by _ there.
    """

    module: str
    help: str
    section: str = "Commands"
    """Under which heading the group's help lists it."""


class LazyGroup(click.Group):
    """A group over LazyCommands that suggests the nearest command for one it does not know."""

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._lazy.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(entry.module), f"{name}_" if hasattr(builtins, name) else name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{cmd_name} is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name.startswith("-") or name in self.list_commands(ctx):
            return super().resolve_command(ctx, args)
        near = get_close_matches(name, self.list_commands(ctx), n=1)
        hint = f"Did you mean {near[0]}?" if near else f"See {ctx.command_path} --help"
        raise click.UsageError(f"There is no command {name!r}. {hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        """Write the commands by section, in the order they were given, from their one-line help, importing none."""
        widest = max(map(len, self._lazy), default=0)
        for section in dict.fromkeys(entry.section for entry in self._lazy.values()):
            listed = [(name, entry.help) for name, entry in self._lazy.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl([(name.ljust(widest), text) for name, text in listed])
