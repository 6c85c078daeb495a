"""moto, whose instances have processes that stand in for them.

Started by python -m tests.support.machines.machine_park PORT FOLDER.

EC2, Auto Scaling and CloudWatch of one account; the rest of it is at the endpoint that AWS_ENDPOINT_URL names. What
moto does not play of the first two is patched in moto_ec2.py and moto_groups.py of tests/support/emulators. It ends
with its standard input, and every process of it too. What happens is written to FOLDER/journal.
"""

import sys
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from tests.support.emulators.moto_ec2 import PlayedEc2
from tests.support.emulators.moto_groups import PlayedGroups
from tests.support.machines.machines import Machines


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    rest = str(boto3.client("sts").meta.endpoint_url)
    endpoints = {"AWS_ENDPOINT_URL": rest, "AWS_ENDPOINT_URL_AUTO_SCALING": f"http://127.0.0.1:{port}"}
    machines = Machines(folder, endpoints)
    PlayedEc2(machines).install()
    PlayedGroups(machines).install()
    ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False).start()
    sys.stdin.read()
    machines.end()


if __name__ == "__main__":
    main()
