"""task-queue over SQS: python -m bench.peers.programs.on_task_queue send TASKS QUEUE | work 1 QUEUE.

A process of it runs a task at a time.
"""

import sys
from functools import partial

from taskqueue import TaskQueue, queueable

from bench.peers import work


def mark() -> None:
    work.mark()


queueable(mark)


def main() -> None:
    act, number, name = sys.argv[1:]
    queue = TaskQueue(f"sqs://{name}", n_threads=4, progress=False)
    if act == "send":
        queue.insert(partial(mark) for _ in range(int(number)))
    else:
        queue.poll(lease_seconds=120)


if __name__ == "__main__":
    main()
