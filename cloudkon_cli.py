"""The console script cloudkon-cli.

It is a module of its own, and not in a package, because it has to run where a person's folder holds a cli.py or a
cloudkon.py: this name is nobody's. `python .../cloudkon_cli.py` does the same as the script.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 (pathlib may be hidden by a file of a person)


def main() -> None:
    """Let our packages go first, then run the command line."""
    sys.path.insert(0, _HERE)
    from cloudkon.own_modules import go_first  # noqa: PLC0415 (from here and nowhere else)

    go_first()
    sys.path.remove(_HERE)
    from cli.entry import main as run  # noqa: PLC0415 (as above)

    run()


if __name__ == "__main__":
    sys.path.remove(_HERE)  # a script's own folder; ours may be one with many packages
    main()
