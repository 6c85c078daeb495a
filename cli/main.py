"""The console script cloudkon-cli: the commands, and how every error of theirs reaches a person."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import click

from cli.lazy import LazyCommand, LazyGroup
from cli.system.failures import explained
from cli.system.streams import prepare_streams, settle_stdout
from cloudkon.errors import CloudKonError, InputError

_COMMANDS = {
    "run": LazyCommand(
        "cli.running.run", "Run a workload on this machine (LOCAL), or put it on a queue and wait for it."
    ),
    "submit": LazyCommand("cli.running.submit", "Upload workloads for the stage to run, and print their jobs' ids."),
    "watch": LazyCommand("cli.jobs.watch", "Follow a job to its end."),
    "stats": LazyCommand("cli.jobs.stats", "Show what became of a job: tasks, times, workers, API calls."),
    "results": LazyCommand("cli.jobs.results", "List what became of each task of a job."),
    "sweep": LazyCommand("cli.repair.sweep", "Show, or delete, what runs of a job left behind that no result names."),
    "status": LazyCommand("cli.jobs.status", "Say where a job stands, and why nothing is happening."),
    "explain": LazyCommand("cli.jobs.explain", "Tell all that is known of one task."),
    "failed": LazyCommand("cli.jobs.failed", "Show why tasks failed or were rejected, grouped by reason."),
    "retry": LazyCommand("cli.repair.retry", "Run the tasks of a job that failed once more, as a job of their own."),
    "export-failed": LazyCommand("cli.repair.export", "Print the failed tasks of a job, as a workload."),
    "cancel": LazyCommand("cli.repair.control", "Begin nothing more of a job, for good."),
    "pause": LazyCommand("cli.repair.control", "Begin nothing more of a job for now."),
    "resume": LazyCommand("cli.repair.control", "Let a paused job go on."),
    "dead": LazyCommand("cli.repair.dead", "Look into the dead-letter queue; move its messages back, or delete them."),
    "jobs": LazyCommand("cli.jobs.job_list", "List the latest jobs."),
    "workers": LazyCommand("cli.fleet.workers", "See the workers there are, and how they are."),
    "generate": LazyCommand("cli.generate", "Write workloads for trying things out."),
    "doctor": LazyCommand(
        "cli.stage.doctor", "Examine this machine and a stage: what is well, what is not, what to do."
    ),
    "deploy": LazyCommand("cli.stage.deploy", "Bring a stage up to date: the stack, the Lambda, and a look at both."),
    "stack": LazyCommand("cli.stage.stack", "Create, change, show or delete what a stage needs in AWS."),
    "gc": LazyCommand("cli.stage.gc", "Find what is left over of a stage, show it, and remove it."),
    "cloud": LazyCommand("cli.embedded.cloud", "Run the embedded cloud on this machine: no AWS account needed."),
    "demo": LazyCommand("cli.embedded.demo", "See it all work, on the embedded cloud, in a minute."),
    "demo-animoto": LazyCommand("cli.embedded.demo_animoto", "See videos made, on the embedded cloud, in a minute."),
}


class Failure(click.ClickException):
    """An error that was expected, told in one line."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


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

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return _flushed(super().invoke, ctx)
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
    epilog="Region (AWS_DEFAULT_REGION), credentials and endpoint (AWS_ENDPOINT_URL) are found as boto3 finds them: "
    "in the environment, in ~/.aws, or from the machine's role.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, asked: _show_version(context) if asked else None,
    help="Show the version and exit.",
)
def cloudkon_cli() -> None:
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
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)  # so that whatever a command began is cleaned up
    try:
        cloudkon_cli(prog_name="cloudkon-cli")
    finally:
        settle_stdout()


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
