import os
import sys
from pathlib import Path

import click

from cli.embedded.deploying import PACKING, chalice_deploy, find_project, forget_bytecode, one_deploy, stack_up
from cli.stage.chalice_record import adopt
from cli.stage.examination import examine_stage
from cli.stage.findings import show_findings
from cli.stage.stack_parameters import parameter_option
from cli.system.processes import run_visibly
from cli.terminal.options import stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.aws.session import Session
from cloudkon.aws.stack.functions import function_exists, is_woken, keep_failed_events, settled_range_source
from cloudkon.aws.stack.lambda_roles import bind_roles
from cloudkon.aws.stack.stack import Stack
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError, InputError
from cloudkon.stage.names import Names

_AGAIN_S = 10.0
_TOO_NEW = (3, 15)
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""


@click.command()
@stage_option
@parameter_option
@uses_clock
def deploy(stage: str, asked: dict[str, str], *, clock: Clock) -> None:
    """Install or update a stage: the stack, then the Lambda (an unmodified chalice deploy), then doctor.

    Run it in any clone of CloudKon's repository: what another clone has deployed is taken over. Run twice in a row, it
    changes nothing the second time. Other listeners of the workloads bucket are kept. Exits with 1 if doctor finds a
    problem.

    \b
    Examples:
      cloudkon-cli deploy
      cloudkon-cli deploy --stage prod --parameter MaxWorkers=8
    """
    root = find_project(Path.cwd(), stage)
    if sys.version_info >= _TOO_NEW:
        raise InputError(
            f"The Lambda runs the Python that deploys it, and Lambda does not have "
            f"{sys.version_info[0]}.{sys.version_info[1]} yet. Use a virtual environment of Python 3.11 to 3.14."
        )
    session = Session()
    names = session.names(stage)  # asked before anything is begun: whose account it is, and in which region
    click.echo(f"Deploying the stage {stage} to account {names.account} in {names.region}.", err=True)
    try:
        _run("cloudkon-cli stack up", stack_up(stage, asked), root, names)
        with one_deploy(root, lambda text: click.echo(text, err=True)):
            _deploy_lambda(session, names, clock, root)
    except KeyboardInterrupt:
        click.echo(f"Stopped half-way. Go on with: cloudkon-cli deploy --stage {stage}", err=True)
        raise SystemExit(130) from None
    if not show_findings(examine_stage(stage, clock), output=Output()):
        raise SystemExit(1)


def _deploy_lambda(session: Session, names: Names, clock: Clock, root: Path) -> None:
    """By an unmodified chalice deploy, which goes on from wherever an earlier one, here or elsewhere, has come to."""
    client = session.functions()
    if boundary := Stack(session.cloudformation(), names.stack, clock).parameters().get("PermissionsBoundaryArn"):
        bind_roles(session.iam(), names, boundary)
    forget_bytecode(root)
    for is_last in (False, True):
        adopt(root, names, settled_range_source(client, names, clock))
        try:
            _run("chalice deploy", chalice_deploy(names.stage), root, names)
        except CloudKonError:
            if is_last or not function_exists(client, names.functions[0]) or is_woken(session.s3(), names):
                raise
            # S3 may take some seconds to hear of the function's new permission: github.com/zappa/Zappa/pull/1441
            click.echo(f"S3 could not call the new function yet. Once more in {_AGAIN_S:.0f} s.", err=True)
            clock.sleep(_AGAIN_S)
        else:
            keep_failed_events(client, names)
            return


def _run(name: str, command: list[str], root: Path, names: Names) -> None:
    click.echo(f"{name} ...", err=True)
    code = run_visibly(command, os.environ | PACKING | {"AWS_DEFAULT_REGION": names.region}, root)
    if code:
        raise CloudKonError(
            f"{name} failed (exit code {code}), see above; nothing after it was done. Repeat it once that is mended."
        )
