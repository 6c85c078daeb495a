"""The console script cloudkon-cli: the commands, and how every error of theirs reaches a person."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from cli.habits.applied import apply_habits
from cli.lazy import LazyCommand, LazyGroup
from cli.system.failures import explained
from cli.system.streams import prepare_streams, settle_stdout
from cli.system.talk import talking
from cloudkon.errors import CloudKonError, InputError
from cloudkon.printable import one_line
from cloudkon.signals import listen

_RUN, _LOOK, _REPAIR, _MACHINES, _SET_UP = "Run", "Look", "Repair", "Machines", "Set up"
_COMMANDS = {
    "run": LazyCommand("cli.running.run", "Run a workload on this machine, or on a queue's workers.", _RUN),
    "submit": LazyCommand("cli.running.submit", "Upload workloads to AWS and print their jobs' ids.", _RUN),
    "check": LazyCommand("cli.input.check", "Check a workload: what would run, and what would not.", _RUN),
    "plan": LazyCommand("cli.running.plan", "Say what a workload will take and cost, before it is run.", _RUN),
    "generate": LazyCommand("cli.generate", "Write a workload to try things out.", _RUN),
    "jobs": LazyCommand("cli.jobs.job_list", "List the latest jobs.", _LOOK),
    "watch": LazyCommand("cli.jobs.watch", "Follow a job until it ends.", _LOOK),
    "status": LazyCommand("cli.jobs.status", "Show where a job stands and what it waits for.", _LOOK),
    "stats": LazyCommand("cli.jobs.stats", "Show a job's statistics: tasks, times, workers, calls.", _LOOK),
    "report": LazyCommand("cli.report.report", "Write a page about a job: what ran, failed and cost.", _LOOK),
    "results": LazyCommand("cli.jobs.results", "List the result of each task.", _LOOK),
    "failed": LazyCommand("cli.jobs.failed", "Show why tasks failed, grouped by reason.", _LOOK),
    "logs": LazyCommand("cli.repair.logs", "Print what tasks printed, and their tracebacks.", _LOOK),
    "explain": LazyCommand("cli.jobs.explain", "Show everything known about one task.", _LOOK),
    "retry": LazyCommand("cli.repair.retry", "Run the failed tasks of a job again.", _REPAIR),
    "export-failed": LazyCommand("cli.repair.export", "Print the failed tasks of a job as a workload.", _REPAIR),
    "pause": LazyCommand("cli.repair.control", "Pause a job.", _REPAIR),
    "resume": LazyCommand("cli.repair.control", "Resume a paused job.", _REPAIR),
    "cancel": LazyCommand("cli.repair.control", "Cancel a job.", _REPAIR),
    "dead": LazyCommand("cli.repair.dead", "Inspect, move back or delete dead letters.", _REPAIR),
    "sweep": LazyCommand("cli.repair.sweep", "Delete files that failed runs of a job left behind.", _REPAIR),
    "workers": LazyCommand("cli.fleet.workers", "List, start and stop workers and their machines.", _MACHINES),
    "doctor": LazyCommand("cli.stage.doctor", "Check this machine and an installation in AWS.", _SET_UP),
    "deploy": LazyCommand("cli.stage.deploy", "Install or update everything in AWS.", _SET_UP),
    "undeploy": LazyCommand("cli.stage.undeploy", "Remove everything of an installation from AWS.", _SET_UP),
    "stack": LazyCommand("cli.stage.stack", "Create, change, show or delete the AWS resources.", _SET_UP),
    "gc": LazyCommand("cli.stage.gc", "Find and remove what an installation left over.", _SET_UP),
    "config": LazyCommand("cli.habits.config", "Show what is set, and where.", _SET_UP),
    "completion": LazyCommand("cli.completion", "Print the script for your shell's completion.", _SET_UP),
    "man": LazyCommand("cli.manual.man", "Write the manual pages.", _SET_UP),
    "cloud": LazyCommand("cli.embedded.cloud", "Start or stop an AWS of your own on this machine.", _SET_UP),
    "demo": LazyCommand("cli.embedded.demo", "Run the demonstration: a minute, no AWS account.", _SET_UP),
    "demo-animoto": LazyCommand("cli.embedded.demo_animoto", "Run the demonstration that makes videos.", _SET_UP),
}


class Failure(click.ClickException):
    """An error that was expected, told in one line."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, None))


class Misuse(Failure):
    """What the person gave can't be used."""

    exit_code = 2


class Interrupted(Failure):
    """Ctrl-C."""

    exit_code = 130  # 128 + SIGINT, as shells count

    def show(self, file: Any = None) -> None:
        click.echo(self.message, file=file or sys.stderr)


class Root(LazyGroup):
    """Turns what commands raise on purpose into one line on stderr and an exit code."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _misuse(error) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0].upper() == "LOCAL":
            raise click.UsageError(f"LOCAL is a place to run at: {ctx.command_path} run {' '.join(args)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            if not {"-h", "--help"} & {*ctx.args}:
                apply_habits(ctx, ctx.params.get("config_profile"), os.environ, _here())
            with talking(verbosity=ctx.params.get("verbosity", 0), quiet=ctx.params.get("quiet", False)):
                return _flushed(super().invoke, ctx)
        except click.UsageError as error:
            raise _misuse(error) from error
        except InputError as error:
            raise Misuse(str(error)) from error
        except CloudKonError as error:
            raise Failure(str(error)) from error
        except KeyboardInterrupt as error:
            raise Interrupted("Interrupted.") from error
        except BrokenPipeError:
            raise  # a reader that went away: click is quiet about it
        except Exception as error:
            told = explained(error)
            if told is None:
                raise
            raise Failure(told) from error


def _misuse(error: click.UsageError) -> click.ClickException:
    """The error in one line; a command that was called without its arguments shows its help, as click has it."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    from cli.misuse import usage_text  # noqa: PLC0415 (few commands are mistyped)

    return Misuse(usage_text(error))


def _here() -> Path:
    """The current folder; the root where it was deleted meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")


def _flushed(act: Callable[[click.Context], Any], ctx: click.Context) -> Any:
    """Invoke, and write out what it printed: a disk that is full, or a reader that went away, shows here."""
    try:
        answer = act(ctx)
    except (SystemExit, click.exceptions.Exit):
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return answer


@click.group(
    cls=Root,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Region (AWS_REGION or AWS_DEFAULT_REGION), credentials and endpoint (AWS_ENDPOINT_URL) are found as boto3 "
    "finds them: in the environment, in ~/.aws, or from the machine's role.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
@click.option("-v", "--verbose", "verbosity", count=True, help="Log what happens to stderr; -vv: in detail.")
@click.option(
    "--config-profile",
    metavar="NAME",
    help="Use [profiles.NAME] of cloudkon.toml (default: CLOUDKON_PROFILE); see config --help.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, asked: _show_version(context) if asked else None,
    help="Show the version and exit.",
)
def cloudkon_cli(**_: object) -> None:
    """Run workloads of many tasks: a file, a task a line, each result recorded once.

    \b
    Examples:
      cloudkon-cli demo
      cloudkon-cli run LOCAL -s tasks.txt -t 4
      cloudkon-cli submit tasks.txt --watch
    """


def _show_version(context: click.Context) -> None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (a third of what help takes)

    try:
        click.echo(f"cloudkon {version('cloudkon')}")
    except PackageNotFoundError:
        click.echo("cloudkon, from a checkout that is not installed")
    context.exit()


def main() -> None:
    """Run the command line; end with 0, 1 for a failure, 2 for wrong usage, 130 for Ctrl-C."""
    prepare_streams()
    listen((signal.SIGTERM, signal.SIGHUP), _exit_on_signal)  # so that whatever a command began is cleaned up
    try:
        cloudkon_cli(prog_name="cloudkon-cli")
    finally:
        settle_stdout()


def _exit_on_signal(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
