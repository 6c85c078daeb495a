import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner, Result

from cli.lazy import LazyCommand
from cli.main import _COMMANDS, Root, cloudkon_cli
from cloudkon.errors import CloudKonError, InputError, NotFoundError


def outcome_of(error: BaseException) -> Result:
    """What a command that raises an error comes to."""

    @click.group(cls=Root, lazy={})
    def root() -> None:
        pass

    @root.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(root, ["fail"])


@pytest.mark.parametrize(
    ("error", "code"),
    [(CloudKonError("It\n failed."), 1), (NotFoundError("It  failed."), 1), (InputError("It failed."), 2)],
)
def test_expected_errors_are_one_line(error: CloudKonError, code: int) -> None:
    """An error that is raised on purpose is one line on stderr, with 2 for wrong input and 1 for the rest."""
    result = outcome_of(error)
    assert (result.exit_code, result.stderr, result.stdout) == (code, "Error: It failed.\n", "")


def test_ctrl_c_ends_with_130_and_one_line() -> None:
    """Ctrl-C ends with 130, as shells count, and one line."""
    result = outcome_of(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


def test_unexpected_errors_are_not_hidden() -> None:
    """A mistake of ours is raised, for its traceback is needed."""
    assert isinstance(outcome_of(ZeroDivisionError()).exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "arguments", [["stak"], ["--bogus"], ["stack"], ["stack", "up", "--bogus"], ["stack", "up", "x"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    """Wrong usage ends with 2."""
    assert CliRunner().invoke(cloudkon_cli, arguments).exit_code == 2


def test_nearest_command_is_suggested() -> None:
    """A misspelt command is answered with the nearest one."""
    assert "'stak'. Did you mean stack?" in CliRunner().invoke(cloudkon_cli, ["stak"]).stderr


def test_an_impossible_stage_is_refused_before_aws_is_asked() -> None:
    """A stage's name that no bucket could bear is refused before anything is asked of AWS."""
    result = CliRunner().invoke(cloudkon_cli, ["stack", "up", "--stage", "Not_A_Stage"])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: 'Not_A_Stage' is not a stage's name")


@pytest.mark.parametrize(("name", "entry"), _COMMANDS.items())
def test_every_command_has_help(name: str, entry: LazyCommand) -> None:
    """Every command that is listed can be imported and shows its help, with an example."""
    result = CliRunner().invoke(cloudkon_cli, [name, "--help"])
    assert result.exit_code == 0
    assert f"  cloudkon-cli {name}" in result.stdout
    assert entry.help.endswith(".")


def test_help_imports_no_aws() -> None:
    """The list of commands shows without importing any of them, or boto3."""
    code = (
        "import sys; from click.testing import CliRunner; from cli.main import cloudkon_cli; "
        "print(CliRunner().invoke(cloudkon_cli, ['--help']).exit_code, 'boto3' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "0 False\n"


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_reader_that_went_away(argument: str) -> None:
    """When the pipe's reader has gone, as head does, nothing is said about it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        command = [sys.executable, "-m", "cli.main", argument]
        answer = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert answer.stderr == ""


def test_without_credentials_one_line_says_how_to_give_some(tmp_path: os.PathLike[str]) -> None:
    """Without credentials a command says how to give some, in one line, and ends with 1."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "cli.main", "stack", "status"]
    answer = subprocess.run(command, env=kept | nowhere, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: Could not ask AWS whose credentials these are: no AWS credentials. Set ")
    assert answer.stderr.count("\n") == 1
