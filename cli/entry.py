"""What the console script calls: it says in words what is not installed."""

import sys

_OF_THE_CLI = frozenset({"click", "rich"})


def main() -> None:
    """Run the command line; end with 1 and a line on what to install where it can't."""
    try:
        from cli.main import main as run  # noqa: PLC0415 (what it imports may be missing)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _OF_THE_CLI:
            raise
        sys.exit(f"Error: the command line needs {missing}, which is not installed: pip install 'cloudkon[cli]'")
    run()
