"""One run of one task: parse it, call its handler, and turn whatever happens into one result."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from cloudkon.clock import Clock
from cloudkon.errors import TaskFailedError, TaskRejectedError, UnavailableError
from cloudkon.handlers.calling import call
from cloudkon.handlers.context import Context, enter, leave
from cloudkon.handlers.deadline import deadline
from cloudkon.handlers.recording import UnrecordableError, recorded
from cloudkon.handlers.registry import LoadedHandler, Permanent, Registry
from cloudkon.handlers.traceback_text import raised_at, traceback_text, where_it_is
from cloudkon.ledger.results import (
    MAX_ERROR_CHARACTERS,
    MAX_LOG_BYTES,
    MAX_VALUE_BYTES,
    RETURNED_BYTES,
    JsonText,
    TaskResult,
    TaskState,
)
from cloudkon.ports import ObjectStore
from cloudkon.settings import Settings
from cloudkon.wording import error_text, type_name
from cloudkon.workload.task_line import LineError, Task, parse_task
from ec2_worker.pipeline.in_flight import InFlightBundle, InFlightState, ReadyTask
from ec2_worker.pipeline.retry_policy import budget_of, with_retry
from ec2_worker.pipeline.timeouts import Run, Timeouts

Arguments = tuple[Sequence[Any], Mapping[str, Any]]
_CONSTANTS = frozenset({str, int, float, bool, type(None)})
_LONG_S = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the call of a handler ended."""

    state: TaskState
    error: str | None = None
    value: JsonText | None = None
    permanent: bool = False
    service_failed: bool = False
    """Whether a service did not answer: that is no fault of the task, and uses up none of its tries."""
    output: str | None = None
    """The key of the first file that it stored."""
    phases_ms: Mapping[str, float] | None = None
    raised_at: str | None = None
    log: str | None = None
    log_key: str | None = None


class GivenUpError(Exception):
    """The task ran past its timeout: its failure is recorded already, and its slot has been replaced."""


@dataclass(slots=True)
class TaskRunner:
    """Runs tasks for the slots."""

    registry: Registry
    clock: Clock
    settings: Settings
    timeouts: Timeouts
    store: ObjectStore
    """Where tasks store their files."""

    def run(self, bundle: InFlightBundle, index: int) -> TaskResult:
        """Run a task of a bundle; raise GivenUpError if it was given up, and its result given, meanwhile."""
        start_ms, started_s = self.clock.now_ms(), self.clock.monotonic_s()
        steps = bundle.task_steps(index)
        here = Context(bundle.message.key, bundle.lease.attempt, index, self.store, self.clock.monotonic_s, steps)
        task, tries, watched = None, 1, None
        try:
            task = parse_task(bundle.message.tasks[index])
            handler = self.registry.find(task)
            arguments = handler.bind(task)
            budget = budget_of(bundle.message, handler.handling, self.settings)
            tries = budget.tries
            if budget.timeout_s is not None:
                watched = Run(bundle, index, here, start_ms, started_s, budget.timeout_s, tries)
                self.timeouts.begin(watched)
            outcome = self._run_in(here, handler, arguments, budget.timeout_s, keep_log=bundle.message.keep_logs)
        except (LineError, TaskRejectedError) as refusal:
            outcome = Outcome(TaskState.REJECTED, str(refusal))
        except BaseException as failure:  # noqa: BLE001 (whatever escapes from a task is its failure, never its worker's)
            outcome = Outcome(TaskState.FAILED, f"{type_name(failure)}: {error_text(failure)}")
        if watched is not None and not self.timeouts.end(watched):
            raise GivenUpError
        return self._result(bundle, index, outcome, start_ms, started_s, tries, task)

    def run_all(self, bundle: InFlightBundle) -> Iterator[tuple[int, TaskResult | None]]:
        """Take the tasks of an ordinary bundle, one after the other, and run them; yield the place and the result.

        The result is None where it is plain: it has gone straight into the bundle's columns. One reading of the clock
        lies between two tasks. Ends when no task is left, or none may be started; raises GivenUpError as run does.
        """
        clock_s, results, attempt = self.clock.monotonic_s, bundle.results, bundle.lease.attempt
        since_s, since_ms = started_s, _ = clock_s(), self.clock.now_ms()
        for index in bundle.remaining:
            ready = bundle.ready.get(bundle.message.tasks[index]) or self._ready(bundle, index)
            if ready is None:
                yield index, self.run(bundle, index)
                ended_s = clock_s()
            else:
                here = Context(bundle.message.key, attempt, index, self.store, clock_s)
                said = self._call_ready(here, ready)
                start_ms = since_ms + int((started_s - since_s) * 1000)
                if isinstance(said, Outcome):
                    yield index, self._result(bundle, index, said, start_ms, started_s, ready.tries, ready.task)
                    ended_s = clock_s()
                else:
                    ended_s = clock_s()
                    duration_us = int((ended_s - started_s) * 1_000_000)
                    results.put_plain(index, start_ms, duration_us, attempt, said, ready.task.id)
                    yield index, None
            if bundle.state is not InFlightState.RUNNING or ended_s >= bundle.lease_ends_s:
                return
            if ended_s - started_s > _LONG_S:  # the machine may have slept, or its clock been set
                since_s, since_ms = ended_s, self.clock.now_ms()
            started_s = ended_s

    def _ready(self, bundle: InFlightBundle, index: int) -> ReadyTask | None:
        """Parse a task and bind its arguments, for equal lines too; None for a task that run must look at."""
        line = bundle.message.tasks[index]
        try:
            task = parse_task(line)
            handler = self.registry.find(task)
            arguments = handler.bind(task)
            budget = budget_of(bundle.message, handler.handling, self.settings)
        except BaseException:  # noqa: BLE001 (run finds it again, and says why)
            return None
        if budget.timeout_s is not None:
            return None
        ready = ReadyTask(handler.function, arguments, budget.tries, task)
        if task.line and _CONSTANTS.issuperset(map(type, arguments[0])):  # what no handler can change for the next
            bundle.ready[line] = ready
        return ready

    def _call_ready(self, here: Context, ready: ReadyTask) -> JsonText | Outcome | None:
        """Call a task's handler; return its value where there is no more to say."""
        enter(here)
        try:
            value = call(ready.function, *ready.arguments)
            if value is None and here.is_silent:
                return None
            outcome = _succeeded(here, value)
        except BaseException as failure:  # noqa: BLE001 (whatever a handler raises, sys.exit too, is its task's result)
            outcome = _outcome_of(failure)
        finally:
            enter(None)
        said = outcome.value
        if said is not None and here.is_silent and 4 * len(said.text) <= MAX_VALUE_BYTES:
            return said
        return self._told(here, outcome)

    def given_up(self, run: Run, now_s: float) -> TaskResult:
        """The result of a task that did not stop in its time."""
        stack, place = where_it_is(run.frame)
        log, log_key = self._kept_log(run.here, f"{run.here.said}{stack}")
        result = TaskResult(
            state=TaskState.FAILED,
            start_ms=run.start_ms,
            duration_us=round((now_s - run.started_s) * 1_000_000),
            attempt=run.bundle.lease.attempt,
            error=f"timed out after {run.timeout_s:g} s, and did not stop",
            phases_ms=_phases_ms(run.here),
            log=log,
            log_key=log_key,
            raised_at=place,
        )
        return with_retry(result, run.bundle.results[run.index], run.tries)

    def _run_in(
        self, here: Context, handler: LoadedHandler, arguments: Arguments, timeout_s: float | None, *, keep_log: bool
    ) -> Outcome:
        token = enter(here)
        try:
            outcome = self._call(here, handler, arguments, timeout_s)
        finally:
            leave(token)
        return self._told(here, outcome, keep_log=keep_log)

    def _told(self, here: Context, outcome: Outcome, *, keep_log: bool = False) -> Outcome:
        """The outcome with what the run has left besides; outside of its context, so that nothing is told twice."""
        if words := here.last_words():
            sys.stderr.write(words)
        return self._with_traces(here, outcome, keep_log=keep_log or bool(self.settings.keep_logs))

    def _with_traces(self, here: Context, outcome: Outcome, *, keep_log: bool) -> Outcome:
        """What the run has left besides its end: files, the times of its stages, its log."""
        phases_ms, has_failed = _phases_ms(here), outcome.state is TaskState.FAILED
        output = here.outputs[0] if here.outputs and not has_failed else None
        if output or phases_ms:
            outcome = replace(outcome, output=output, phases_ms=phases_ms)
        if has_failed or keep_log:
            log, log_key = self._kept_log(here, f"{here.said}{outcome.log or ''}")
            outcome = replace(outcome, log=log, log_key=log_key)
        return outcome

    def _kept_log(self, here: Context, text: str) -> tuple[str | None, str | None]:
        """The log as the ledger keeps it, or the key under which the store does."""
        content = text.encode(errors="replace")
        if len(content) <= MAX_LOG_BYTES:
            return content.decode() or None, None
        key = f"values/{here.place}.log"
        try:
            self.store.write(key, content)
        except Exception as error:  # noqa: BLE001 (a log that can't be stored is not worth the task, nor the worker)
            end = content[-MAX_LOG_BYTES // 2 :].decode(errors="ignore")
            return f"(the whole log could not be stored: {error_text(error)[:200]})\n...{end}", None
        return None, key

    def _call(self, here: Context, handler: LoadedHandler, arguments: Arguments, timeout_s: float | None) -> Outcome:
        try:
            if timeout_s is None:
                return _succeeded(here, handler.run(*arguments))
            with deadline(timeout_s):
                return _succeeded(here, handler.run(*arguments))
        except BaseException as failure:  # noqa: BLE001 (whatever a handler raises, sys.exit too, is its task's result)
            return _outcome_of(failure)

    def _result(
        self,
        bundle: InFlightBundle,
        index: int,
        outcome: Outcome,
        start_ms: int,
        started_s: float,
        tries: int,
        task: Task | None,
    ) -> TaskResult:
        result = TaskResult(
            state=outcome.state,
            start_ms=start_ms,
            duration_us=max(0, round((self.clock.monotonic_s() - started_s) * 1_000_000)),
            attempt=bundle.lease.attempt,
            error=None if outcome.error is None else _bounded(outcome.error),
            value=outcome.value,
            output=outcome.output,
            id=task.id if task is not None else None,
            phases_ms=outcome.phases_ms,
            log=outcome.log,
            log_key=outcome.log_key,
            raised_at=outcome.raised_at,
        )
        if outcome.service_failed:
            return with_retry(result, bundle.results[index], inf)
        return with_retry(result, bundle.results[index], 1 if outcome.permanent else tries)


def _phases_ms(here: Context) -> Mapping[str, float] | None:
    return {name: round(ms, 1) for name, ms in here.stages_ms.items()} or None


def _outcome_of(failure: BaseException) -> Outcome:
    """What a handler raised, as its task's outcome."""
    match failure:
        case Permanent() | UnrecordableError():
            return _failed(failure, error_text(failure), permanent=True)
        case UnavailableError():
            return replace(_failed(failure, error_text(failure)), service_failed=True)
        case TaskFailedError():
            return _failed(failure, error_text(failure))
        case _:
            return _failed(failure, f"{type_name(failure)}: {error_text(failure)}")


def _failed(failure: BaseException, error: str, *, permanent: bool = False) -> Outcome:
    text = traceback_text(failure)
    return Outcome(TaskState.FAILED, error, permanent=permanent, raised_at=raised_at(failure), log=text or None)


def _bounded(error: str) -> str:
    return error[:MAX_ERROR_CHARACTERS].encode(errors="replace").decode()


def _succeeded(here: Context, value: object) -> Outcome:
    """What the handler returned, as it is now; raise UnrecordableError if nothing can be recorded of it."""
    if value is None:
        return Outcome(TaskState.SUCCEEDED)
    if isinstance(value, bytes | bytearray):
        here.store(RETURNED_BYTES, bytes(value))
        return Outcome(TaskState.SUCCEEDED)
    return Outcome(TaskState.SUCCEEDED, value=recorded(value))
