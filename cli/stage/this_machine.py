"""Examines this machine: what is installed, and so which of CloudKon's parts can work here."""

import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from cloudkon.stage.checkup import CheckResult, absent, check_python, ok, problem

# The extra, the modules that tell whether it is installed, and what it is for.
_EXTRAS = (
    ("animoto", ("av", "PIL", "aiohttp"), "videos can be made"),
    ("cloud", ("ministack", "chalice"), "the embedded cloud can be run, and the Lambda deployed"),
    ("xray", ("aws_xray_sdk",), "traces can be sent to X-Ray"),
    ("otel", ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"), "traces can be sent by OpenTelemetry"),
)


def check_machine(find: Callable[[str], object] = find_spec) -> Iterator[CheckResult]:
    """Python, CloudKon itself, and each extra; find is asked for modules by name."""
    yield check_python()
    yield _ourselves()
    for extra, modules, purpose in _EXTRAS:
        missing = [module for module in modules if not _is_there(module, find)]
        if missing:
            says = f"Not installed: {', '.join(missing)}. With it, {purpose}."
            yield absent(extra, says, f"If it is wanted: pip install 'cloudkon[{extra}]'")
        else:
            yield ok(extra, f"installed: {purpose}")
    if _is_there("av", find):
        yield _video()


def _is_there(module: str, find: Callable[[str], object]) -> bool:
    try:
        return find(module) is not None
    except ModuleNotFoundError:  # of the package that it lies in
        return False


def _ourselves() -> CheckResult:
    try:
        return ok("cloudkon", version("cloudkon"))
    except PackageNotFoundError:
        return ok("cloudkon", "from a checkout that is not installed")


def _video() -> CheckResult:
    """PyAV's wheels bring ffmpeg's libraries; one that was built against a system's own may lack the encoder."""
    from animoto.movie.encoder import has_x264  # noqa: PLC0415 (an extra: it may not be there)

    if not has_x264():
        return problem(
            "ffmpeg",
            "PyAV was built without libx264: no video can be made here.",
            "pip install --force-reinstall --only-binary av av",
        )
    if shutil.which("ffmpeg") is None:
        return ok("ffmpeg", "its libraries come with PyAV, with libx264; the program itself is not needed")
    return ok("ffmpeg", "its libraries come with PyAV, with libx264")
