"""CloudKon runs workloads of many tasks on AWS: a file in S3, a task a line, each recorded once."""

from importlib import import_module

TYPE_CHECKING = False  # typing may be hidden still: see own_modules
if TYPE_CHECKING:
    from cloudkon.client.client import Client
    from cloudkon.client.errors import JobStoppedError, TaskError
    from cloudkon.client.executor import Executor
    from cloudkon.client.job import Job
    from cloudkon.client.new_results import Result
    from cloudkon.handlers.context import Context, context
    from cloudkon.handlers.deadline import TimedOutError, remaining_s
    from cloudkon.handlers.program import Ended, run_program
    from cloudkon.handlers.registry import Permanent, task

    __version__: str

# What a person's code needs, each imported when it is first asked for: a module of tasks loads nothing of the client.
__all__ = [
    "Client",
    "Context",
    "Ended",
    "Executor",
    "Job",
    "JobStoppedError",
    "Permanent",
    "Result",
    "TaskError",
    "TimedOutError",
    "__version__",
    "context",
    "remaining_s",
    "run_program",
    "task",
]

_PLACES = {
    "Client": "client.client",
    "Executor": "client.executor",
    "Job": "client.job",
    "JobStoppedError": "client.errors",
    "Result": "client.new_results",
    "TaskError": "client.errors",
    "Context": "handlers.context",
    "context": "handlers.context",
    "TimedOutError": "handlers.deadline",
    "remaining_s": "handlers.deadline",
    "Ended": "handlers.program",
    "run_program": "handlers.program",
    "Permanent": "handlers.registry",
    "task": "handlers.registry",
}


if not TYPE_CHECKING:  # a checker would believe every name

    def __getattr__(name: str) -> object:
        """Import what was asked for (PEP 562); from then on it is an ordinary attribute."""
        if name == "__version__":
            value = _version()
        elif name in _PLACES:
            value = getattr(import_module(f"cloudkon.{_PLACES[name]}"), name)
        else:
            raise AttributeError(f"module 'cloudkon' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (a third of what help takes)

    try:
        return version("cloudkon")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"
