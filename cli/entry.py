"""What the console script calls: it says in words what is not installed, or hidden by a file of somebody's own."""

import os
import sys

from cloudkon.own_modules import files_of

_OF_THE_CLI = frozenset({"click", "rich"})
_NEEDED = ("boto3", "botocore", "click", "msgspec", "rich")


def main() -> None:
    """Run the command line; end with 1 and a line on what to do where it can't."""
    try:
        from cli.main import main as run  # noqa: PLC0415 (what it imports may be missing)
    except Exception as error:
        missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
        if missing in _OF_THE_CLI:
            sys.exit(f"Error: the command line needs {missing}, which is not installed: pip install 'cloudkon[cli]'")
        hidden = _hidden()
        if hidden is None:
            raise
        sys.exit(
            f"Error: {hidden} has the name of a package that CloudKon needs, and was imported in its place. Rename it."
        )
    run()


def _hidden() -> str | None:
    """A file that is imported in place of something installed, if there is one."""
    for name in _NEEDED:
        first, *others = [*files_of(name), None]
        if first is not None and others != [None]:
            return os.path.relpath(first)
    return None
