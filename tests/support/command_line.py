"""The command line, called within the test's own process."""

import json
from typing import Any

from click.testing import CliRunner, Result

from cli.main import cloudkon_cli


def run(*arguments: object) -> Result:
    """What a command prints, and its exit code."""
    return CliRunner().invoke(cloudkon_cli, [str(argument) for argument in arguments], catch_exceptions=False)


def lines(answer: Result) -> list[Any]:
    """The lines of JSON that a command has printed."""
    return [json.loads(line) for line in answer.stdout.splitlines()]
