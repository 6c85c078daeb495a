"""moto, whose instances have processes that stand in for them: python -m tests.support.machine_park PORT FOLDER.

EC2, Auto Scaling and CloudWatch of one account; the rest of it is at the endpoint that AWS_ENDPOINT_URL names. What
moto does not play of the first two is patched: tests/support/moto_ec2.py, tests/support/moto_groups.py. It ends with
its standard input, and every process of it too. What happens is written to FOLDER/journal.
"""

import sys
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from tests.support.machines import Machines
from tests.support.moto_ec2 import PlayedEc2
from tests.support.moto_groups import PlayedGroups


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
