"""The video as a worker makes it: the real handler, over HTTP, into a folder.

python -m bench.animoto.ours OUT ORDER, in JSON; prints what the handler tells, and what of the time was start-up.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from animoto.task import handler
from bench.children import cpu_s
from cloudkon.handlers.context import Context, enter, leave
from cloudkon.ledger.bundle import BundleKey
from cloudkon.local.store import FolderStore

LOOPBACK = "127.0.0.0/8"


def make(order: dict[str, Any], out: Path) -> Mapping[str, float]:
    """Run the handler as a worker does, and move its video; return its stages [ms]; raises what the handler raises."""
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        here = Context(BundleKey("bench", 0, 0), 1, 0, FolderStore(Path(folder)))
        token = enter(here)
        try:
            handler(LOOPBACK)(**order)
        finally:
            leave(token)
        (Path(folder) / here.outputs[0]).replace(out)
    return here.stages_ms


def main() -> None:
    out, order = sys.argv[1:]
    start_s = cpu_s(getrusage(RUSAGE_SELF))
    stages_ms = make(json.loads(order), Path(out))
    print(json.dumps({"startup_s": start_s, "stages_ms": stages_ms}))


if __name__ == "__main__":
    main()
