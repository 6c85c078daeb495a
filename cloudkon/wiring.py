"""Chooses, by the settings and the environment, what implements the ports."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO

from cloudkon.clock import SystemClock
from cloudkon.errors import InputError
from cloudkon.ports import Tracer
from cloudkon.settings import Settings
from cloudkon.stage.names import DEFAULT_STAGE, check_stage
from cloudkon.telemetry.emf import MetricLog
from cloudkon.telemetry.tracing import NoTracer, TraceContext

if TYPE_CHECKING:
    from cloudkon.aws.cloud import Cloud

STAGE_VARIABLE = "CLOUDKON_STAGE"
TRACING_VARIABLE = "CLOUDKON_TRACING"
"""Where traces go: off, xray or otel."""
METRICS_VARIABLE = "CLOUDKON_METRICS"
"""How metrics are written: off or emf."""


def stage_from(environ: Mapping[str, str]) -> str:
    """The stage that the environment names, or the default; raises InputError if nothing could be called so."""
    return check_stage(environ.get(STAGE_VARIABLE) or DEFAULT_STAGE)


def cloud(stage: str, settings: Settings) -> "Cloud":
    from cloudkon.aws.cloud import Cloud  # noqa: PLC0415 (boto3 takes its time: a LOCAL run does without)

    return Cloud(stage, settings, clock=SystemClock())


def tracer(
    environ: Mapping[str, str], stage: str, settings: Settings, around: Callable[[], TraceContext | None] = lambda: None
) -> Tracer:
    """The tracer that the environment names; around returns the trace context that the caller runs in.

    Raises InputError for an unknown word, and for packages that are missing.
    """
    match environ.get(TRACING_VARIABLE) or "off":
        case "off":
            return NoTracer()
        case "xray":
            return _traced_by("aws.xray", "xray", "XRayTracer", stage, settings.trace_share, around)
        case "otel":
            return _traced_by("telemetry.otel", "otel", "OtelTracer", stage, settings.trace_share)
        case word:
            raise InputError(f"{TRACING_VARIABLE}={word} is none of off, xray and otel.")


def _traced_by(module: str, extra: str, name: str, *arguments: Any) -> Tracer:
    """Load the tracer only where it is used: that takes time, and packages that others do without.

    The SDKs read their own variables while they are loaded; their errors are passed on.
    """
    try:
        made: Tracer = getattr(import_module(f"cloudkon.{module}"), name)(*arguments)
    except ImportError as error:
        raise InputError(
            f"{TRACING_VARIABLE}={extra} needs a package that is missing ({error}): pip install 'cloudkon[{extra}]'"
        ) from error
    except Exception as error:
        raise InputError(f"{TRACING_VARIABLE}={extra} can't be used: {error}") from error
    return made


def metric_log(environ: Mapping[str, str], stage: str, out: TextIO) -> MetricLog | None:
    """The log for metrics, if the environment asks for them; raises InputError for an unknown word."""
    match environ.get(METRICS_VARIABLE) or "off":
        case "off":
            return None
        case "emf":
            return MetricLog(stage, SystemClock(), out)
        case word:
            raise InputError(f"{METRICS_VARIABLE}={word} is none of off and emf.")
