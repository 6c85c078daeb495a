"""Takes a stage's stack down, with the machines and the data of it where that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import click

from cloudkon.aws.machines.amis import Images
from cloudkon.aws.machines.scaling import Machines
from cloudkon.aws.session import Session
from cloudkon.aws.stack.emptying import empty
from cloudkon.aws.stack.failures import Step
from cloudkon.aws.stack.ledger_table import protect
from cloudkon.aws.stack.stack import Stack
from cloudkon.clock import Clock
from cloudkon.stage.names import Names


@dataclass(frozen=True, slots=True)
class Demands:
    """What somebody has agreed to lose."""

    data: bool
    """What the buckets hold."""
    work: bool
    """What runs, and the machines that it runs on."""


def take_stack_down(
    session: Session, names: Names, clock: Clock, demands: Demands, tell: Callable[[Step], None]
) -> str | None:
    """Delete the stack; whether it may go has been asked. Return the image that new workers started from, if any."""
    images = Images(session.ec2(), session.ssm(), names)
    kept = images.current()
    if demands.work:
        Machines(session.autoscaling(), session.ec2(), names, clock).end_all()
    if demands.data:
        s3 = session.s3()
        for bucket in (names.workloads_bucket, names.results_bucket):
            click.echo(f"{bucket}: {empty(s3, bucket):,} object versions deleted", err=True)
    protect(session.dynamodb(), names.ledger_table, clock, on=False)
    Stack(session.cloudformation(), names.stack, clock).down(tell)
    images.forget_current()
    return kept
