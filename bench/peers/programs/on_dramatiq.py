"""Dramatiq over SQS: python -m bench.peers.programs.on_dramatiq send TASKS QUEUE | work SLOTS QUEUE."""

import signal
import sys

import dramatiq
from dramatiq_sqs import SQSBroker

from bench.peers.work import mark


def main() -> None:
    act, number, queue = sys.argv[1:]
    broker = SQSBroker()
    task = dramatiq.actor(mark, broker=broker, queue_name=queue)
    if act == "send":
        for _ in range(int(number)):
            task.send()
        return
    worker = dramatiq.Worker(broker, worker_threads=int(number))
    worker.start()
    signal.sigwait({signal.SIGTERM})
    worker.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
