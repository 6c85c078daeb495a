"""CloudKon on the embedded cloud: an S3 put, the deployed Lambda, SQS, worker processes, the ledger."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory

from bench.children import module_path, run
from bench.cloud import figures_of
from bench.peers.contestants import OURS
from bench.peers.marks import Marks
from bench.peers.measuring import Row, Run
from bench.peers.work import MARKS
from bench.rows import row_sizes
from cli.embedded.sandbox import own_cloud
from cli.system.processes import ProcessId, cli, end, start_detached
from cloudkon.clock import SystemClock, poll

_STAGE = "dev"
_THREADS = 4
_PATIENCE_S = 300.0
_QUIET_S = 8.0
"""A worker writes its last counters down within seconds of its last bundle."""
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class CloudCase:
    """So many equal lines for so many workers of four slots each."""

    line: str
    tasks: int
    workers: int
    ms: int

    @property
    def ideal_s(self) -> float:
        return self.tasks * self.ms / 1000 / (self.workers * _THREADS)


def waiting(share: float) -> Iterator[CloudCase]:
    """Tasks that wait, for workers that wait for them: small jobs first, then the same job for more workers."""
    for tasks, ms, workers in ((3_200, 10, 4), (1_600, 100, 4), (6_400, 100, 16)):
        yield CloudCase(f"sleep {ms}", max(1, round(tasks * share)), workers, ms)


def growing(share: float) -> Iterator[CloudCase]:
    """The same tasks for more and more workers."""
    for workers in (1, 2, 4, 8):
        yield CloudCase("sleep 100", max(1, round(1_600 * share)), workers, 100)


def consumption(tasks: int, rounds: int, say: Callable[[str], None]) -> Sequence[Row]:
    """The work of the peers' queues: all tasks are sent, then two workers begin, and the calls are counted."""
    runs: list[Run] = []
    for _ in range(rounds):
        with _cloud() as cloud:
            job = cloud.submit("mark", tasks)
            cloud.await_dispatch(job, tasks)
            with cloud.workers(2):
                marks = Marks(cloud.home)
                marks.wait(tasks, _PATIENCE_S, _CLOCK)
                cloud.watch(job)
                _CLOCK.sleep(_QUIET_S)
            taken = {**cloud.costs(job, tasks), "tasks_per_s": tasks / marks.took_s()}
        say(f"SQS, {tasks:,} tasks, {OURS}: {taken['tasks_per_s']:.0f}/s, {taken['calls_per_task']:.4f} calls")
        runs.append(taken)
    return [{"work": "`mark`", "tasks": tasks, "slots": 2 * _THREADS, "ideal_s": None, "program": OURS, "runs": runs}]


def compare(cases: Sequence[CloudCase], rounds: int, say: Callable[[str], None]) -> Sequence[Row]:
    """Run every case so many times; the workers are there before the job."""
    runs: dict[CloudCase, list[Run]] = {case: [] for case in cases}
    with _cloud() as cloud:
        for _ in range(rounds):
            for case in cases:
                with cloud.workers(case.workers):
                    job = cloud.submit(case.line, case.tasks, f"#cloudkon: task_ms={case.ms}\n")
                    cloud.watch(job)
                    _CLOCK.sleep(_QUIET_S)
                taken = cloud.costs(job, case.tasks)
                runs[case].append(taken)
                say(
                    f"embedded cloud, {case.tasks:,} x {case.line}, {case.workers} workers: {taken['makespan_s']:.2f} s"
                )
    return [
        {
            "work": f"`{case.line}`",
            "tasks": case.tasks,
            "slots": case.workers * _THREADS,
            "ideal_s": case.ideal_s,
            "program": OURS,
            "runs": runs[case],
        }
        for case in cases
    ]


class _Cloud:
    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self._environment = environment

    def submit(self, line: str, tasks: int, header: str = "") -> str:
        workload = self.home / f"{line.replace(' ', '-')}-{tasks}.txt"
        workload.write_text(header + f"{line}\n" * tasks, encoding="utf-8")
        return self._ask("submit", str(workload)).strip()

    def await_dispatch(self, job: str, tasks: int) -> None:
        """Wait until the ledger knows of all tasks; what this asks is not counted as the job's."""
        for _ in poll(_CLOCK, 1.0, _PATIENCE_S):
            with suppress(CalledProcessError):  # a job is not known before S3's event has come
                if json.loads(self._ask("stats", job, "--json"))["tasks"]["total"] == tasks:
                    return
        raise TimeoutError(f"job {job} was not dispatched within {_PATIENCE_S:.0f} s")

    def watch(self, job: str) -> None:
        """Wait until the job is complete, in a process that asks seldom."""
        self._ask("watch", job)

    @contextmanager
    def workers(self, count: int) -> Iterator[None]:
        """Have so many workers, all of which have said that they are there."""
        command = [cli()[0], "-m", "ec2_worker", "--threads", str(_THREADS), "--tasks", "bench.peers.handlers"]
        started: list[ProcessId] = []
        try:
            for number in range(count):
                log = self.home / f"worker-{number}.log"
                started.append(start_detached(command, self._environment, log))
            for _ in poll(_CLOCK, 0.5, _PATIENCE_S):
                if len(self._ask("workers", "list", "--json").splitlines()) >= count:
                    break
            yield
        finally:
            for worker in started:
                end(worker, _CLOCK)

    def costs(self, job: str, tasks: int) -> Run:
        stats = json.loads(self._ask("stats", job, "--json"))
        figures = figures_of(tasks, stats, row_sizes(job, _STAGE, self._environment))
        sqs = sum(count for name, count in figures.items() if name.startswith("sqs."))
        return {**figures, "sqs_calls_per_task": sqs / 1000}

    def _ask(self, *arguments: str) -> str:
        return run(cli(*arguments), self._environment).stdout


@contextmanager
def _cloud() -> Iterator[_Cloud]:
    with ExitStack() as cleanup:
        home = Path(cleanup.enter_context(TemporaryDirectory(prefix="cloudkon-bench-")))
        there = cleanup.enter_context(own_cloud(home, _CLOCK))
        yield _Cloud(home, {**there, "PYTHONPATH": module_path(), MARKS: str(home)})
