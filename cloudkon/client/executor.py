"""concurrent.futures.Executor over a client: calls travel as lines of jobs, and come back as futures."""

import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from cloudkon.client.arguments import call_line
from cloudkon.client.client import Client
from cloudkon.client.errors import TaskError
from cloudkon.client.job import Job
from cloudkon.client.new_results import Result
from cloudkon.client.values import Convert, as_annotated
from cloudkon.errors import CloudKonError, InputError

P = ParamSpec("P")
T = TypeVar("T")
_LOOK_S = 1.0
"""How often jobs are looked at where no news come."""


@dataclass(slots=True)
class _Call:
    """A call that was not sent yet, or has no result yet."""

    line: str
    future: "concurrent.futures.Future[Any]"
    convert: Convert


@dataclass(slots=True)
class _Batch:
    """The calls of one job, by their lines."""

    job: Job
    calls: dict[int, _Call]


class Executor(concurrent.futures.Executor):
    """Runs functions by their names, on threads of this process or on a stage's workers.

    Calls that are made within some milliseconds travel as one job. A future's exception is a TaskError with the task's
    error. A call that was sent can't be cancelled any more; shutdown(cancel_futures=True) cancels those that have not
    begun.
    """

    def __init__(
        self, max_workers: int | None = None, *, stage: str | None = None, client: Client | None = None
    ) -> None:
        """Max_workers: threads of this process, by default one a core. The record is kept only by a stage or a client.

        Raises InputError for what contradicts itself.
        """
        if client is not None and (max_workers is not None or stage is not None):
            raise InputError("client= brings its own workers: leave max_workers and stage= out.")
        self._owns_client = client is None
        if client is None:
            client = Client(threads=max_workers, temporary=True) if stage is None else Client(stage=stage)
        self._client = client
        self._changed = threading.Condition()
        self._pending: list[_Call] = []
        self._batches: list[_Batch] = []
        self._mapped: list[Job] = []
        self._threads: list[threading.Thread] = []
        self._ending: threading.Thread | None = None
        self._is_closed = False
        self._is_sent = False
        """Whether there will be no other batches."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "concurrent.futures.Future[T]":
        """Call a function by its name; raises InputError if it has none, or JSON can't carry an argument."""
        line = call_line(self._client.permitted(fn), args, kwargs, getattr(fn, "__name__", "call"))
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        with self._changed:
            self._check_open()
            self._pending.append(_Call(line, future, as_annotated(fn)))
            if not self._threads:
                self._threads = [
                    threading.Thread(target=act, name=f"cloudkon-executor-{name}", daemon=True)
                    for name, act in (("send", self._send_all), ("collect", self._collect_all))
                ]
                for thread in self._threads:
                    thread.start()
            self._changed.notify_all()
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        **_: Any,
    ) -> Iterator[T]:
        """As Client.map: one job for all items. chunksize: how many of them travel together, at most 64."""
        with self._changed:
            self._check_open()
        bundle = None if chunksize is None or chunksize <= 1 else min(chunksize, 64)
        values = self._client.map(fn, *iterables, timeout_s=timeout, bundle=bundle)
        self._mapped.append(values.job)
        return values

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (as its base has it)
        """Take no more calls. wait: until all have ended; cancel_futures: none that has not begun is run."""
        with self._changed:
            self._is_closed = True
            calls = self._pending
            if cancel_futures:
                self._pending = []
            self._changed.notify_all()
        if cancel_futures:
            for call in calls:
                call.future.cancel()
                call.future.set_running_or_notify_cancel()
            for job in (*(batch.job for batch in self._batches), *self._mapped):
                job.cancel()
        if self._ending is None:
            self._ending = threading.Thread(target=self._end, name="cloudkon-executor-end", daemon=True)
            self._ending.start()
        if wait:
            self._ending.join()

    def _end(self) -> None:
        for thread in self._threads:
            thread.join()
        for job in self._mapped:
            _wait_quietly(job)
        if self._owns_client:
            self._client.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("This executor is shut down: it takes no more calls.")

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_closed)
                if not self._pending:
                    self._is_sent = True
                    self._changed.notify_all()
                    return
                self._changed.wait_for(lambda: self._is_closed, self._client.backend.gather_s)
                calls, self._pending = self._pending, []
            batch = self._sent([call for call in calls if call.future.set_running_or_notify_cancel()])
            with self._changed:
                self._batches += [] if batch is None else [batch]
                self._changed.notify_all()

    def _sent(self, calls: list[_Call]) -> _Batch | None:
        if not calls:
            return None
        try:
            job = self._client.submit([call.line for call in calls], name="calls")
        except BaseException as error:  # noqa: BLE001 (whoever waits for the futures is told)
            for call in calls:
                call.future.set_exception(error)
            return None
        return _Batch(job, dict(enumerate(calls, start=1)))

    def _collect_all(self) -> None:
        seen = -1
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._batches or self._is_sent)
                if not self._batches:
                    return
                batches = list(self._batches)
            for batch in batches:
                self._collect(batch)
            with self._changed:
                self._batches = [batch for batch in self._batches if batch.calls]
            seen = self._client.backend.wait_for_news(seen, _LOOK_S)

    def _collect(self, batch: _Batch) -> None:
        try:
            for result in batch.job.new_results():
                _tell(batch.calls.pop(result.line), result)
            if batch.job.has_ended:
                _end(batch, concurrent.futures.CancelledError())
        except BaseException as error:  # noqa: BLE001 (as above)
            _end(batch, error)


def _end(batch: _Batch, error: BaseException) -> None:
    for call in batch.calls.values():
        call.future.set_exception(error)
    batch.calls.clear()


def _tell(call: _Call, result: Result) -> None:
    try:
        call.future.set_result(call.convert(result.get()))
    except TaskError as error:
        call.future.set_exception(error)


def _wait_quietly(job: Job) -> None:
    with contextlib.suppress(CloudKonError):  # whoever takes its values is told
        job.wait()
