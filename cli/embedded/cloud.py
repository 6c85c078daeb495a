import os
from pathlib import Path

import click

from cli.embedded.deploying import deploy, find_project
from cli.embedded.emulator import EmbeddedCloud, Emulator
from cli.system.environment import shell_lines
from cli.system.paths import state_folder
from cli.system.processes import ignoring_signals
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.clock import Clock


@click.group()
def cloud() -> None:
    """Run the embedded cloud: S3, SQS, DynamoDB and Lambda on this machine, without an AWS account.

    \b
    Examples:
      cloudkon-cli cloud up
      eval "$(cloudkon-cli cloud env)"
      cloudkon-cli cloud status
      cloudkon-cli cloud down
    """


@cloud.command()
@stage_option
@click.option("--auth", is_flag=True, help="Enforce IAM policies, as AWS does.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@uses_clock
def up(stage: str, port: int, *, clock: Clock, auth: bool) -> None:
    """Start the embedded cloud and deploy the stage to it.

    Prints the environment variables that point to it, as cloud env does. It keeps running until cloud down.
    """
    embedded = EmbeddedCloud(state_folder(), clock)
    with embedded.changing():
        found = embedded.find()
        if found is not None and found.ready:
            _say(f"The embedded cloud is already up: {_told(found)}.")
        else:
            found = bring_up(embedded, stage, port, auth=auth)
            _say(f"The embedded cloud is up: {_told(found)}.")
    _print_environment(found)


def bring_up(embedded: EmbeddedCloud, stage: str, port: int = 0, *, auth: bool = False) -> Emulator:
    """Start the cloud with the stack and the Lambda in it; if that fails or is interrupted, nothing runs."""
    root = find_project(Path.cwd(), stage)
    embedded.stop()  # one that never got ready
    try:
        _say("starting ministack")
        started = embedded.start(port, stage, os.environ, auth=auth)
        deploy(root, started, os.environ, _say)
        return embedded.mark_ready(started)
    except BaseException:
        with ignoring_signals():
            embedded.stop()
        raise


@cloud.command()
@uses_clock
def env(*, clock: Clock) -> None:
    """Print the environment variables of the embedded cloud, for a shell.

    \b
    Example:
      eval "$(cloudkon-cli cloud env)"
    """
    _print_environment(EmbeddedCloud(state_folder(), clock).running())


@cloud.command()
@json_option
@uses_clock
def status(*, clock: Clock, output: Output) -> None:
    """Show whether the embedded cloud is up, and where. Exits with 1 if it is not."""
    found = EmbeddedCloud(state_folder(), clock).running()
    shown = {"endpoint": found.endpoint, "stage": found.stage, "auth": found.auth, "pid": found.process.pid}
    output.value(shown, [_told(found)])


@cloud.command()
@uses_clock
def down(*, clock: Clock) -> None:
    """Stop the embedded cloud and delete everything in it."""
    embedded = EmbeddedCloud(state_folder(), clock)
    with embedded.changing():
        was_up = embedded.stop()
    _say("The embedded cloud is down." if was_up else "The embedded cloud was not up.")


def _told(found: Emulator) -> str:
    policies = "enforced" if found.auth else "not enforced"
    return f"{found.endpoint}, stage {found.stage}, IAM policies {policies}, process {found.process.pid}"


def _print_environment(found: Emulator) -> None:
    for line in shell_lines(found.port, found.stage, os.environ):
        click.echo(line)


def _say(text: str) -> None:
    click.echo(text, err=True)
