"""The worker: assembly.py wires it, worker.py runs it, the rooms hold its parts."""

import os
import sys

# python -m ec2_worker puts the current folder first: what lies there under our names must not be taken for ours.
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 (pathlib may be hidden by it)
sys.path.insert(0, _HERE)

from cloudkon.own_modules import go_first  # noqa: E402 (from here and nowhere else)

go_first()
sys.path.remove(_HERE)
