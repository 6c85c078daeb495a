"""HyperQueue's server and worker in this process: python -m bench.peers.programs.hyperqueue_commands FILE SLOTS."""

import sys
import tempfile
import time

from bench.peers.work import read_lines, report


def main() -> None:
    from hyperqueue.cluster import LocalCluster, WorkerConfig  # noqa: PLC0415 (not all peers are installed)
    from hyperqueue.job import Job  # noqa: PLC0415 (as above)

    file, slots = sys.argv[1:]
    lines = read_lines(file)
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        with LocalCluster(folder, WorkerConfig(cores=int(slots))) as cluster:
            job = Job()
            for line in lines:
                job.program(["sh", "-c", line.removeprefix("shell ")], stdout=None, stderr=None)
            client = cluster.client()
            client.wait_for_jobs([client.submit(job)])
            report(len(lines), began_s)


if __name__ == "__main__":
    main()
