"""Runs the dispatcher of an unpacked package: python -I -S packed_dispatcher.py FOLDER LINE LINES null|boto3.

LINE may have {n}, the line's number, of eight digits. What Lambda has at 1,769 MB is given to it: one CPU, so much
memory. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_MEMORY_BYTES = 1_769 * 2**20
_BLOCK_LINES = 4_096
_CHUNK_BYTES = 64 * 1024
_STEPS = 10


class Generated:
    """An object store with one object, whose lines are made as they are read."""

    def __init__(self, line: str, lines: int) -> None:
        block = "".join(line.format(n=n) + "\n" for n in range(_BLOCK_LINES))
        self._block = (block * (_CHUNK_BYTES // len(block) + 1)).encode()
        self._size_bytes = len(line.format(n=0) + "\n") * lines

    def size_bytes(self, _key: str, _version: str | None = None) -> int:
        return self._size_bytes

    def read(self, _key: str, _version: str | None = None, start: int = 0) -> Iterator[bytes]:
        at = start
        while at < self._size_bytes:
            begin = at % len(self._block)
            chunk = self._block[begin : min(begin + _CHUNK_BYTES, begin + self._size_bytes - at)]
            yield chunk
            at += len(chunk)


class TakesAll:
    """A queue, and a ledger, that take everything; what a range had is told to whoever asks."""

    def __init__(self) -> None:
        self.tasks = 0
        self.peaks_mb: list[float] = []

    def send(self, _bodies: Sequence[str]) -> Sequence[int]:
        return ()

    def open(self, job: Any) -> Any:
        return job

    def dispatched(self, _job: str) -> Sequence[Any]:
        return ()

    def record_range(self, report: Any) -> None:
        assert not report.rejected
        self.tasks += report.tasks
        self.peaks_mb.append(peak_memory_mb())


def peak_memory_mb() -> float:
    """Of this process since it began, whatever it was started by."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def boto3_queue(folder: Path) -> Any:
    """SqsQueue over boto3, which does everything but to send what it has signed."""
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415 (it is in the package)

    from cloudkon.aws.queue import SqsQueue  # noqa: PLC0415 (as above)
    from cloudkon.aws.session import Session  # noqa: PLC0415 (as above)
    from cloudkon.clock import SystemClock  # noqa: PLC0415 (as above)

    class Raw:
        def __init__(self, body: bytes) -> None:
            self._body = body

        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self._body

    def answer(request: Any, **_: Any) -> Any:
        taken = [
            {"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0" * 32}
            for entry in json.loads(request.body)["Entries"]
        ]
        head: Any = {"content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, 200, head, Raw(json.dumps({"Successful": taken, "Failed": []}).encode()))

    assert Path(sys.modules["cloudkon"].__file__ or "").is_relative_to(folder)
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    client = Session().sqs()
    client.meta.events.register("before-send.sqs", answer)
    return SqsQueue(client, "https://sqs.us-east-1.amazonaws.com/123456789012/tasks", SystemClock())


def main(folder: Path, line: str, lines: int, queue: str) -> Mapping[str, float]:
    """Dispatch one workload, range by range; the rate is of wall time, for the CPU is ours alone or it is not."""
    from cloudkon.clock import SystemClock  # noqa: PLC0415 (it is in the package)
    from cloudkon.ledger.job import Source  # noqa: PLC0415 (as above)
    from dispatcher.dispatch import Dispatcher  # noqa: PLC0415 (as above)

    store, ledger = Generated(line, lines), TakesAll()
    sent_to: Any = ledger if queue == "null" else boto3_queue(folder)
    dispatcher = Dispatcher(store, store, ledger, sent_to, SystemClock())  # type: ignore[arg-type]
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    job = dispatcher.open(Source("bench", "lines.txt", "v1", 1_750_000_000_000))
    dispatcher.dispatch(job)
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    assert ledger.tasks == lines, f"{ledger.tasks} of {lines} lines were dispatched"
    steps = {
        f"memory_mb_after_{100 * step // _STEPS}_percent": ledger.peaks_mb[len(ledger.peaks_mb) * step // _STEPS - 1]
        for step in range(1, _STEPS + 1)
        if len(ledger.peaks_mb) >= _STEPS
    }
    return {
        "lines": lines,
        "ranges": job.ranges,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "lines_per_s": lines / wall_s,
        "lines_per_cpu_s": lines / cpu_s,
        "peak_memory_mb": peak_memory_mb(),
        **steps,
    }


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    sys.path.insert(0, sys.argv[1])
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])))
