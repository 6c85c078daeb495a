"""Tells the steps of a change to a stack."""

import click

from cloudkon.aws.stack.failures import Step


def tell(step: Step) -> None:
    reason = f" ({step.reason})" if step.reason else ""
    click.echo(f"{step.resource}: {step.status}{reason}", err=True)
