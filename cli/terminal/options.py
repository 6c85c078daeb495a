"""Options that several commands share."""

import click

from cloudkon.stage.names import DEFAULT_STAGE, check_stage


def _stage(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    return check_stage(value)


stage_option = click.option(
    "--stage",
    envvar="CLOUDKON_STAGE",
    default=DEFAULT_STAGE,
    show_default=True,
    show_envvar=True,
    callback=_stage,
    help="Which installation to use: the buckets, queues and table named after this stage.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
