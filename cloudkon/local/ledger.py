"""The ledger of this machine, in one SQLite file: what LOCAL runs are recorded in, and stats read."""

from pathlib import Path

from cloudkon.local.fleet import SqliteFleet
from cloudkon.local.jobs import SqliteJobs
from cloudkon.local.leases import SqliteLeases
from cloudkon.local.schema import LedgerFile
from cloudkon.local.task_times import SqliteTaskTimes


class SqliteLedger(SqliteLeases, SqliteJobs, SqliteFleet, SqliteTaskTimes):
    """A Ledger that any number of threads, and other processes, share; a path of None keeps it in memory.

    Raises InputError when the file can't be a ledger, UnavailableError when it can't be read or written later.
    """

    def __init__(self, path: Path | None, *, guard_ms: int) -> None:
        file = LedgerFile(path)
        SqliteLeases.__init__(self, file, guard_ms)
        SqliteJobs.__init__(self, file)
        SqliteFleet.__init__(self, file)

    def close(self) -> None:
        """Write what is in memory to the file, and let go of it."""
        self._file.close()
