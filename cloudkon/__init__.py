"""CloudKon runs workloads of many tasks on AWS: a file in S3, a task a line, each recorded once."""

from importlib import import_module

TYPE_CHECKING = False  # typing may be hidden still: see own_modules
if TYPE_CHECKING:
    from cloudkon.handlers.context import Context, context
    from cloudkon.handlers.deadline import TimedOutError, remaining_s
    from cloudkon.handlers.program import Ended, run_program
    from cloudkon.handlers.registry import Permanent, task

    __version__: str

# What the author of a task needs, each imported when it is first asked for.
__all__ = [
    "Context",
    "Ended",
    "Permanent",
    "TimedOutError",
    "__version__",
    "context",
    "remaining_s",
    "run_program",
    "task",
]

_PLACES = {
    "Context": "context",
    "context": "context",
    "TimedOutError": "deadline",
    "remaining_s": "deadline",
    "Ended": "program",
    "run_program": "program",
    "Permanent": "registry",
    "task": "registry",
}


if not TYPE_CHECKING:  # a checker would believe every name

    def __getattr__(name: str) -> object:
        """Import what was asked for (PEP 562); from then on it is an ordinary attribute."""
        if name == "__version__":
            value = _version()
        elif name in _PLACES:
            value = getattr(import_module(f"cloudkon.handlers.{_PLACES[name]}"), name)
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
