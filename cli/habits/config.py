import click

from cli.habits.applied import all_sources, applied
from cli.terminal.options import json_option
from cli.terminal.output import Output
from cli.terminal.tables import Table


@click.group()
def config() -> None:
    """Show what is set by options' defaults, the environment and configuration files.

    What you repeat may stand in cloudkon.toml, or in pyproject.toml as [tool.cloudkon], in this folder or one above.

    \b
    Examples:
      cloudkon-cli config show
      cloudkon-cli --config-profile night config show --json
    """


@config.command()
@json_option
def show(*, output: Output) -> None:
    """Show each value that counts, and where it comes from: the environment, a file, or the default.

    \b
    Examples:
      cloudkon-cli config show
      cloudkon-cli config show --json | jq .stage
    """
    now = applied()
    found = now.configuration
    told = {name: {"value": value, "from": source} for name, (value, source) in all_sources(now).items()}
    rows = [(name, each["value"], each["from"]) for name, each in told.items()]
    output.value(told, [Table(("name", "value", "from"), ("left", "left", "left"), rows)])
    if found.file is None:
        output.say("There is no cloudkon.toml here, or in a folder above.")
    elif found.profiles:
        output.say(f"Profiles: {', '.join(found.profiles)}; in use: {found.profile or 'none'}.")
