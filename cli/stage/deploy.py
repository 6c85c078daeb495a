import os
from pathlib import Path

import click

from cli.embedded.deploying import PACKING, chalice_deploy, find_project, forget_bytecode, stack_up
from cli.stage.examination import examine_stage
from cli.stage.findings import show_findings
from cli.system.processes import run_visibly
from cli.terminal.options import stage_option, uses_clock
from cli.terminal.output import Output
from cloudkon.aws.session import Session
from cloudkon.clock import Clock
from cloudkon.errors import CloudKonError


@click.command()
@stage_option
@uses_clock
def deploy(stage: str, *, clock: Clock) -> None:
    """Install or update a stage: the stack, then the Lambda (an unmodified chalice deploy), then doctor.

    Run it in CloudKon's repository. Run twice in a row, it changes nothing the second time. Other listeners of the
    workloads bucket are kept. Exits with 1 if doctor finds a problem.

    \b
    Examples:
      cloudkon-cli deploy
      cloudkon-cli deploy --stage prod
    """
    root = find_project(Path.cwd(), stage)
    names = Session().names(stage)  # asked before anything is begun: whose account it is, and in which region
    click.echo(f"Deploying the stage {stage} to account {names.account} in {names.region}.", err=True)
    try:
        _run("cloudkon-cli stack up", stack_up(stage), root)
        forget_bytecode(root)
        _run("chalice deploy", chalice_deploy(stage), root)
    except KeyboardInterrupt:
        click.echo(f"Stopped half-way. Go on with: cloudkon-cli deploy --stage {stage}", err=True)
        raise SystemExit(130) from None
    if not show_findings(examine_stage(stage, clock), output=Output()):
        raise SystemExit(1)


def _run(name: str, command: list[str], root: Path) -> None:
    click.echo(f"{name} ...", err=True)
    code = run_visibly(command, os.environ | PACKING, root)
    if code:
        raise CloudKonError(
            f"{name} failed (exit code {code}), see above; nothing after it was done. Repeat it once that is mended."
        )
