import os
from contextlib import suppress
from pathlib import Path

import click

from cli.embedded.deploying import find_project
from cli.stage.chalice_record import forget
from cli.stage.stack_guard import check_nothing_is_lost
from cli.stage.stack_steps import tell
from cli.stage.taking_down import Demands, take_stack_down
from cli.terminal.options import stage_option, uses_clock
from cloudkon.aws.checkups.subject import Subject
from cloudkon.aws.leftovers.dispatcher import remove_dispatcher
from cloudkon.aws.machines.amis import Images
from cloudkon.aws.session import Session
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError
from cloudkon.settings import Settings


@click.command()
@stage_option
@click.option("--delete-data", is_flag=True, help="Delete what the two buckets hold, every version of it, for good.")
@click.option("--delete-images", is_flag=True, help="Delete the images of the workers too, and their snapshots.")
@click.option("--force", is_flag=True, help="Even while a job runs, and while there are workers: they are terminated.")
@uses_clock
def undeploy(stage: str, *, clock: Clock, delete_data: bool, delete_images: bool, force: bool) -> None:
    """Take a stage down: the Lambda with its roles, and the stack with the ledger.

    Works from anywhere, whoever deployed the stage and however far that had come. The same stage in other regions
    stays. Refuses while a job runs or there are workers, unless --force says that they may be stopped; and while a
    bucket holds objects, unless --delete-data says that they may go.

    \b
    Examples:
      cloudkon-cli undeploy
      cloudkon-cli undeploy --delete-data --delete-images
    """
    session = Session()
    names = session.names(stage)
    check_nothing_is_lost(session, names, clock, force=force, delete_data=delete_data)
    subject = Subject(session, names, Settings.from_environ(os.environ), clock)
    remove_dispatcher(subject, _say)
    kept = take_stack_down(session, names, clock, Demands(data=delete_data, work=force), tell)
    with suppress(CloudKonError):  # this need not be a checkout
        forget(find_project(Path.cwd(), stage), names)
    images = Images(session.ec2(), session.ssm(), names)
    for each in images.all() if delete_images else ():
        images.remove(each)
        _say(f"image {each.id} is deleted, {len(each.snapshots)} snapshots with it")
    if kept and not delete_images:
        _say(f"The images stay. Delete them: cloudkon-cli workers image prune --keep 0 --stage {stage}")
    _say(f"Look whether anything else is left: cloudkon-cli gc --stage {stage}")


def _say(what: str) -> None:
    click.echo(what, err=True)
