"""Taskiq over SQS: python -m bench.peers.programs.on_taskiq send TASKS QUEUE | work SLOTS QUEUE."""

import asyncio
import os
import sys

from taskiq.api import run_receiver_task
from taskiq_aio_sqs import SQSBroker

from bench.peers.work import mark

_AT_ONCE = 100
"""So many tasks are handed over at a time, so that the broker can fill its batches of ten."""

_BATCH_S = 0.5


async def main() -> None:
    act, number, queue = sys.argv[1:]
    broker = SQSBroker(
        queue,
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        wait_time_seconds=20,
        max_number_of_messages=10,
        enable_batching=True,
        batch_timeout=_BATCH_S,
    )
    task = broker.task(task_name="mark")(mark)
    broker.is_worker_process = act == "work"
    await broker.startup()
    if act == "send":
        left = int(number)
        while left > 0:
            await asyncio.gather(*(task.kiq() for _ in range(min(left, _AT_ONCE))))
            left -= _AT_ONCE
        unsent = broker._batch_buffers.values()  # noqa: SLF001 (nothing else tells)
        while not all(batch.empty() for batch in unsent):  # noqa: ASYNC110 (nobody would set an event)
            await asyncio.sleep(_BATCH_S)
        await asyncio.sleep(2 * _BATCH_S)  # for the last batch, which is on its way
        os._exit(0)  # shutdown() did not return here once batches were on
    else:
        await run_receiver_task(broker, sync_workers=int(number), max_async_tasks=int(number))


if __name__ == "__main__":
    asyncio.run(main())
