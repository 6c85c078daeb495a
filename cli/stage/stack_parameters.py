"""What a stage's stack is given: what was asked for, and what has to be found out."""

from collections.abc import Mapping

import click

from cloudkon.aws.machines.amis import Images
from cloudkon.aws.session import Session
from cloudkon.aws.stack.network import default_network
from cloudkon.aws.stack.stack import Stack, refuse_unknown
from cloudkon.aws.stack.template import template
from cloudkon.errors import InputError
from cloudkon.stage.names import Names

_TYPES = ("InstanceType", "SecondInstanceType", "ThirdInstanceType")


def _pairs(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    if wrong := [value for value in values if "=" not in value]:
        raise InputError(f"--parameter {wrong[0]}: say what it is to be, such as --parameter MaxWorkers=8")
    return {name: value for name, _, value in (pair.partition("=") for pair in values)}


parameter_option = click.option(
    "--parameter",
    "asked",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="Set a parameter of the template; may be given several times. What was set once is kept.",
)


def stage_template(session: Session) -> str:
    """The template, for the CloudFormation that the session speaks to."""
    return template(session.cloudformation().meta.endpoint_url)


def given_parameters(session: Session, names: Names, stack: Stack, asked: Mapping[str, str]) -> dict[str, str]:
    """The parameters to give; all others stay as they are. Raises InputError for what does not fit together."""
    if asked.get("Stage", names.stage) != names.stage:
        raise InputError(f"--parameter Stage={asked['Stage']}: a stack stays with its stage; use --stage.")
    defaults = stack.defaults(stage_template(session))
    refuse_unknown(asked, defaults)
    known = {**defaults, **stack.parameters(), **asked}
    given = {**asked, "Stage": names.stage}
    if known["Fleet"] != "yes":
        return given
    if "WorkerImage" not in asked:
        given["WorkerImage"] = "yes" if Images(session.ec2(), session.ssm(), names).current() else "no"
    if bool(known["VpcId"]) != bool(known["SubnetIds"]):
        raise InputError("VpcId and SubnetIds are given together: --parameter VpcId=... --parameter SubnetIds=...,...")
    if not known["VpcId"]:
        network = default_network(session.ec2(), [known[name] for name in _TYPES if known[name]])
        given |= {"VpcId": network.vpc, "SubnetIds": ",".join(network.subnets)}
    return given
