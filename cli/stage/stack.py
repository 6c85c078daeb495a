from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from cli.stage.stack_guard import check_deletable
from cli.stage.stack_parameters import given_parameters, parameter_option, stage_template
from cli.stage.stack_steps import tell
from cli.stage.taking_down import Demands, take_stack_down
from cli.terminal.options import json_option, stage_option, uses_clock
from cli.terminal.output import Output
from cli.terminal.tables import Table
from cloudkon.aws.machines.amis import Images
from cloudkon.aws.session import Session
from cloudkon.aws.stack.changes import Change
from cloudkon.aws.stack.ledger_table import settle
from cloudkon.aws.stack.stack import Stack
from cloudkon.clock import Clock
from cloudkon.errors import NotFoundError
from cloudkon.stage.names import Names

_SIGNS = {"Add": "+", "Remove": "-", "Modify": "~"}


@click.group()
def stack() -> None:
    """Create, change, show or delete what a stage needs in AWS, as one CloudFormation stack.

    The Lambda is deployed beside it; cloudkon-cli deploy does both.

    \b
    Examples:
      cloudkon-cli stack up
      cloudkon-cli stack up --parameter MaxWorkers=8 --parameter OnDemandPercent=20
      cloudkon-cli stack up --repair
      cloudkon-cli stack diff
      cloudkon-cli stack status --json
      cloudkon-cli stack down --delete-data
    """


@stack.command()
@stage_option
@json_option
@parameter_option
@click.option("--repair", is_flag=True, help="Also undo what was changed or deleted by hand.")
@uses_clock
def up(stage: str, asked: dict[str, str], *, repair: bool, clock: Clock, output: Output) -> None:
    """Create the stage's stack, or bring it up to date.

    Prints the names of the stage's resources. The group of workers is created once there is an image for them: build
    one, then run this command again. What somebody has changed by hand is left alone, unless --repair is given; then
    sizes that workers scale has set are the template's again, too.
    """
    session = Session()
    names, formation = _named(session, stage, clock)
    given = given_parameters(session, names, formation, asked)
    if not repair:
        formation.up(stage_template(session), given, tell)
    elif not formation.repair(stage_template(session), given, tell):
        output.say("Nothing was changed by hand.")
    settle(session.dynamodb(), names.ledger_table, clock)
    if given.get("WorkerImage") == "no":
        click.echo(
            "There is no image of the workers yet, so no group of them: build one, then stack up again.", err=True
        )
    things = _named_things(names)
    output.value(things, (f"{name.replace('_', ' '):<18} {value}" for name, value in things.items()))


@stack.command()
@stage_option
@json_option
@parameter_option
@uses_clock
def diff(stage: str, asked: dict[str, str], *, clock: Clock, output: Output) -> None:
    """Show what stack up would change. Nothing is changed."""
    session = Session()
    names, formation = _named(session, stage, clock)
    found = formation.diff(stage_template(session), given_parameters(session, names, formation, asked))
    output.value({"changes": [asdict(change) for change in found]}, map(_change, found))
    if not found:
        output.say("No changes.")


@stack.command()
@stage_option
@json_option
@uses_clock
def status(stage: str, *, clock: Clock, output: Output) -> None:
    """Show the state of the stack, its names, parameters and resources.

    Parameters that differ from the template's default are marked. Exits with 1 if there is no stack.
    """
    session = Session()
    names, formation = _named(session, stage, clock)
    state = formation.status()
    if state is None:
        raise NotFoundError(
            f"There is no stack {names.stack} in {names.region}. Create it: cloudkon-cli stack up --stage {stage}"
        )
    told = {
        "stack": names.stack,
        "status": state,
        "stands": formation.stands(),
        "image": Images(session.ec2(), session.ssm(), names).current(),
        "names": _named_things(names),
        "parameters": dict(sorted(formation.parameters().items())),
        "defaults": dict(sorted(formation.defaults(stage_template(session)).items())),
        "resources": [asdict(one) for one in formation.resources()],
    }
    output.value(told, _status_text(told))


@stack.command()
@stage_option
@json_option
@click.option("--delete-data", is_flag=True, help="Delete every object in the two buckets, all versions, for good.")
@click.option(
    "--force",
    is_flag=True,
    help="Delete it even while a job runs (it is lost) or there are workers (they are terminated).",
)
@uses_clock
def down(stage: str, *, clock: Clock, output: Output, delete_data: bool, force: bool) -> None:
    """Delete the stack and the ledger in it; images are kept.

    Refused while the Lambda exists. Refused while a job runs or there are workers, unless --force is given. Refused
    while a bucket holds objects, unless --delete-data is given.
    """
    session = Session()
    names = session.names(stage)
    check_deletable(session, names, clock, force=force, delete_data=delete_data)
    kept = take_stack_down(session, names, clock, Demands(data=delete_data, work=force), tell)
    if kept:
        click.echo(
            f"The image {kept} and its snapshot are not the stack's, and stay. Delete them: "
            f"cloudkon-cli workers image prune --keep 0 --stage {stage}",
            err=True,
        )
    output.value(_named_things(names))


def _named(session: Session, stage: str, clock: Clock) -> tuple[Names, Stack]:
    names = session.names(stage)
    return names, Stack(session.cloudformation(), names.stack, clock)


def _change(change: Change) -> str:
    anew = {"True": ", made anew", "Conditional": ", perhaps made anew"}.get(change.replacement, "")
    of = f": {', '.join(change.properties)}" if change.properties else ""
    return f"{_SIGNS.get(change.action, change.action)} {change.resource} ({change.type}{anew}){of}"


def _named_things(names: Names) -> dict[str, str]:
    return {
        "workloads_bucket": names.workloads_bucket,
        "results_bucket": names.results_bucket,
        "task_queue": names.task_queue,
        "range_queue": names.range_queue,
        "process_queue": names.process_queue,
        "dead_letter_queue": names.dead_letter_queue,
        "ledger_table": names.ledger_table,
        "worker_group": names.worker_group,
        "operator_policy": names.operator_policy,
        "image_policy": names.image_policy,
    }


def _status_text(told: Mapping[str, Any]) -> list[Table | str]:
    parameters = [
        (name, value or "-", "" if value == told["defaults"].get(name) else "set")
        for name, value in told["parameters"].items()
    ]
    resources = [(one["name"], one["type"], one["status"], one["id"]) for one in told["resources"]]
    return [
        f"{told['stack']}: {told['status']}",
        f"image of the workers: {told['image'] or 'none'}\n",
        Table((), ("left", "left"), [(n.replace("_", " "), v) for n, v in told["names"].items()]),
        Table(("parameter", "value", ""), ("left", "left", "left"), parameters),
        Table(("resource", "type", "status", "id"), ("left", "left", "left", "left"), resources),
    ]
