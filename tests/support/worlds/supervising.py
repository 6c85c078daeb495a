"""A supervisor over a script, in a process of its own.

Started by python -m tests.support.worlds.supervising COUNT SCRIPT PATIENCE_S.
"""

import logging
import sys

from cloudkon.backoff import Backoff
from cloudkon.clock import SystemClock
from ec2_worker.lifecycle.restarts import Restarts
from ec2_worker.lifecycle.supervisor import Supervisor

if __name__ == "__main__":
    count, script, patience_s = sys.argv[1:]
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    command = [sys.executable, "-u", "-c", script]
    restarts = Restarts(int(count), Backoff(base_s=0.001))
    sys.exit(Supervisor(command, restarts, SystemClock(), float(patience_s)).run())
