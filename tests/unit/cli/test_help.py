"""Every command explains itself."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from cli.main import _COMMANDS, cloudkon_cli


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """All commands below a group, groups included."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        below = click.Context(command, parent=context, info_name=name)
        yield command, below
        if isinstance(command, click.Group):
            yield from commands(command, below)


ROOT = click.Context(cloudkon_cli, info_name="cloudkon-cli")
COMMANDS = {context.command_path: (command, context) for command, context in commands(cloudkon_cli, ROOT)}


@pytest.mark.parametrize("path", COMMANDS)
def test_help_tells_what_each_command_and_option_does(path: str) -> None:
    """Help says what a command does, and what each of its options does."""
    command, _ = COMMANDS[path]
    assert command.help
    silent = [
        parameter.name for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert not silent


@pytest.mark.parametrize("path", COMMANDS)
def test_each_command_has_an_example_in_the_help(path: str) -> None:
    """An example of each command is in its own help or in its group's."""
    command, context = COMMANDS[path]
    assert context.parent is not None
    nearest = (command.help or "", context.parent.command.help or "")
    assert any("Example" in text and path in text for text in nearest)


def test_the_commands_are_listed_by_what_they_are_for() -> None:
    """The help of 80 columns lists every command once, in sections, each on one line."""
    shown = CliRunner().invoke(cloudkon_cli, ["--help"], terminal_width=80).stdout
    sections = [section.partition(":\n")[0] for section in shown.split("\n\n")]
    assert [name for name in sections if name in ("Run", "Look", "Repair", "Machines", "Set up")] == [
        "Run",
        "Look",
        "Repair",
        "Machines",
        "Set up",
    ]
    for name, entry in _COMMANDS.items():
        assert [line.split(maxsplit=1)[1] for line in shown.splitlines() if line.startswith(f"  {name} ")] == [
            entry.help
        ]
