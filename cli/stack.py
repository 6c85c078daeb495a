import json
from importlib.resources import files

import click

from cli.options import json_option, stage_option
from cloudkon.aws.emptying import empty, holds_objects
from cloudkon.aws.session import Session
from cloudkon.aws.stack import Stack, Step
from cloudkon.clock import SystemClock
from cloudkon.errors import CloudKonError, NotFoundError
from cloudkon.names import Names


@click.group()
def stack() -> None:
    """Create, show or delete what a stage needs in AWS, as one CloudFormation stack.

    The Lambda is deployed beside it: chalice deploy --stage dev.

    \b
    Examples:
      cloudkon-cli stack up --stage dev
      cloudkon-cli stack show --json
      cloudkon-cli stack down --delete-data
    """


@stack.command()
@stage_option
@json_option
def up(stage: str, *, as_json: bool) -> None:
    """Create or update the stage's buckets, queues and table."""
    session = Session()
    names = session.names(stage)
    template = files("infrastructure").joinpath("stack.yaml").read_text(encoding="utf-8")
    Stack(session.cloudformation(), names.stack, SystemClock()).up(template, stage, _tell)
    _print(names, as_json=as_json)


@stack.command()
@stage_option
@json_option
def show(stage: str, *, as_json: bool) -> None:
    """Print the names of the stage's buckets, queues and table."""
    session = Session()
    names = session.names(stage)
    if not Stack(session.cloudformation(), names.stack, SystemClock()).stands():
        raise NotFoundError(
            f"There is no stack {names.stack} in {names.region}. Create it: cloudkon-cli stack up --stage {stage}"
        )
    _print(names, as_json=as_json)


@stack.command()
@stage_option
@json_option
@click.option("--delete-data", is_flag=True, help="Delete what the two buckets hold, every version of it, for good.")
def down(stage: str, *, as_json: bool, delete_data: bool) -> None:
    """Delete the stage's buckets, queues and table, the ledger with them.

    Refuses while a bucket holds objects, unless --delete-data says that they may go.
    """
    session = Session()
    names = session.names(stage)
    s3 = session.s3()
    for bucket in (names.workloads_bucket, names.results_bucket):
        if delete_data:
            click.echo(f"{bucket}: {empty(s3, bucket):,} object versions deleted", err=True)
        elif holds_objects(s3, bucket):
            raise CloudKonError(
                f"The bucket {bucket} holds objects; nothing was deleted. Save what you need, then repeat with "
                "--delete-data to delete them, every version of them, for good."
            )
    Stack(session.cloudformation(), names.stack, SystemClock()).down(_tell)
    if as_json:
        _print(names, as_json=True)


def _tell(step: Step) -> None:
    reason = f" ({step.reason})" if step.reason else ""
    click.echo(f"{step.resource}: {step.status}{reason}", err=True)


def _print(names: Names, *, as_json: bool) -> None:
    shown = {
        "workloads_bucket": names.workloads_bucket,
        "results_bucket": names.results_bucket,
        "task_queue": names.task_queue,
        "range_queue": names.range_queue,
        "process_queue": names.process_queue,
        "dead_letter_queue": names.dead_letter_queue,
        "ledger_table": names.ledger_table,
    }
    if as_json:
        click.echo(json.dumps(shown))
        return
    for name, value in shown.items():
        click.echo(f"{name.replace('_', ' '):<18} {value}")
