"""Reads what a task printed and logged: a little of it is in the ledger, more in the object store."""

from cloudkon.errors import NotFoundError
from cloudkon.ledger.results import TaskResult
from cloudkon.ports import ObjectStore


def read_log(store: ObjectStore, result: TaskResult) -> str | None:
    """The log of the task's last run, with its traceback; None if none was kept, or the store has it no more."""
    if result.log_key is None:
        return result.log
    try:
        return b"".join(store.read(result.log_key)).decode(errors="replace")
    except NotFoundError:
        return None
