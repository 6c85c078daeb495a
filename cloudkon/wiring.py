"""The one composition root: from the settings to what answers the ports."""

from collections.abc import Mapping

from cloudkon.aws.cloud import Cloud
from cloudkon.clock import SystemClock
from cloudkon.names import DEFAULT_STAGE, check_stage
from cloudkon.settings import Settings

STAGE_VARIABLE = "CLOUDKON_STAGE"


def stage_from(environ: Mapping[str, str]) -> str:
    """The stage that the environment names, or the default; raises InputError if nothing could be called so."""
    return check_stage(environ.get(STAGE_VARIABLE) or DEFAULT_STAGE)


def cloud(stage: str, settings: Settings) -> Cloud:
    return Cloud(stage, settings, clock=SystemClock())
