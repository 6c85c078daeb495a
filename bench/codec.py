"""The pure part of a task's way, step by step, in one thread and without any I/O."""

from collections.abc import Callable
from time import process_time

from bench.figures import Figures
from cloudkon.ledger.bundle import Bundle, BundleKey
from cloudkon.ledger.lease import BundleRow, BundleState
from cloudkon.ledger.packed_results import pack_results, unpack_results
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.messages.wire import decode_bundle, encode_bundle, encode_completion
from cloudkon.workload.lines import read_lines
from cloudkon.workload.packing import PackedBundle, pack_bundles
from cloudkon.workload.planning import MAX_BUNDLE_TASKS
from cloudkon.workload.task_line import parse_task

_LINE = "sleep 0"
_JSON_LINE = '{"task": "sleep", "args": [0], "id": "a"}'
_BASE_MS = 1_750_000_000_000


def measure(tasks: int) -> Figures:
    data = f"{_LINE}\n".encode() * tasks
    packed = [
        item
        for item in pack_bundles(read_lines([data]), MAX_BUNDLE_TASKS, has_header=True)
        if isinstance(item, PackedBundle)
    ]
    bundles = [
        Bundle(BundleKey("tasks-k3vq7xwz5a2m", 0, number), item.lines, item.tasks, _BASE_MS, _BASE_MS + 500)
        for number, item in enumerate(packed)
    ]
    bodies = [encode_bundle(bundle) for bundle in bundles]
    done = [
        TaskResult(TaskState.SUCCEEDED, _BASE_MS + 9_000 + n, 3, 1, recorded_ms=_BASE_MS + 9_200)
        for n in range(len(bundles[0].tasks))
    ]
    recorded = pack_results(done, _BASE_MS)
    full = len(bundles[0].tasks)

    def each_us(act: Callable[[], object]) -> float:
        return _seconds(act) / tasks * 1e6

    return {
        "parse_words_us": each_us(lambda: [parse_task(_LINE) for _ in range(tasks)]),
        "parse_json_us": each_us(lambda: [parse_task(_JSON_LINE) for _ in range(tasks)]),
        "read_and_pack_us": each_us(lambda: list(pack_bundles(read_lines([data]), MAX_BUNDLE_TASKS, has_header=True))),
        "encode_us": each_us(lambda: [encode_bundle(bundle) for bundle in bundles]),
        "decode_us": each_us(lambda: [decode_bundle(body) for body in bodies]),
        "pack_results_us": each_us(lambda: [pack_results(done, _BASE_MS) for _ in bundles]),
        "unpack_results_us": each_us(lambda: [unpack_results(recorded, _BASE_MS) for _ in bundles]),
        "bundle_bytes": len(bodies[0]),
        "results_bytes_per_task": len(recorded) / full,
        "completion_bytes": len(encode_completion(_row(bundles[0], done))),
    }


def _row(bundle: Bundle, results: list[TaskResult]) -> BundleRow:
    sent_ms = bundle.sent_ms
    return BundleRow(
        bundle.key,
        BundleState.DONE,
        ("worker-1",),
        "token",
        bundle.lines,
        results,
        bundle.event_ms,
        sent_ms,
        sent_ms + 10,
        sent_ms + 20,
        sent_ms + 120_000,
        completed_ms=sent_ms + 9_300,
    )


def _seconds(act: Callable[[], object]) -> float:
    began_s = process_time()
    act()
    return process_time() - began_s
