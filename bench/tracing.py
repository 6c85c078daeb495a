"""What a worker pays for a bundle that is told: collected, put into X-Ray's form, and handed to the kernel."""

from time import process_time

from bench.figures import Figures
from cloudkon.aws.xray import XRayTracer
from cloudkon.clock import SystemClock
from cloudkon.ledger.bundle import Bundle, BundleKey, LineNumbers
from cloudkon.ledger.lease import Lease
from cloudkon.ledger.results import TaskResult, TaskState
from cloudkon.ports import Tracer
from cloudkon.telemetry.tracing import NoTracer, TraceContext, step_of
from ec2_worker.telemetry.traces import Traces

_PLACE = TraceContext("1-684fe5c0-0123456789abcdef01234567", "53995c3f42cd8ad8")


def measure(tasks: int) -> Figures:
    """Nobody need listen for the datagrams."""
    traced = XRayTracer("bench", 1.0)
    try:
        return {
            "untraced_bundle_us": _bundle_us(NoTracer(), tasks, 64),
            "bundle_of_1_us": _bundle_us(traced, tasks, 1),
            "bundle_of_64_us": _bundle_us(traced, tasks, 64),
        }
    finally:
        traced.close()


def _bundle_us(tracer: Tracer, tasks: int, size: int) -> float:
    clock, traces = SystemClock(), Traces(tracer, "worker-1")
    now_ms, bundles = clock.now_ms(), max(1, tasks // size)
    key, lines = BundleKey("tasks-k3vq7xwz5a2m", 0, 0), LineNumbers.of(range(1, size + 1))
    bundle = Bundle(key, lines, ("sleep 0",) * size, now_ms, now_ms, trace=_PLACE)
    lease = Lease(key, "worker-1", 1, "token", now_ms, now_ms, now_ms)
    results = [TaskResult(TaskState.SUCCEEDED, now_ms, 10_000, 1)] * size
    began_s = process_time()
    for _ in range(bundles):
        trace = traces.begin(bundle, clock, now_ms)
        for name in ("claim", "checkpoint", "complete", "forward"):
            with step_of(None if trace is None else trace.steps, name):
                pass
        if trace is not None:
            trace.end(lease, lines, results)
    return (process_time() - began_s) / bundles * 1e6
