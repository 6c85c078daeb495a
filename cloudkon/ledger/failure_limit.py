"""How many tasks of a job may fail before the rest is not run: `max_fails=20`, or `max_fails=5%` of its tasks."""

import math
import re

from cloudkon.ledger.job import Job

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")


def is_failure_limit(text: str) -> bool:
    """Whether a text is a number from 1, or a share above 0% and up to 100%."""
    share = _SHARE.fullmatch(text)
    return _NUMBER.fullmatch(text) is not None or (share is not None and 0 < float(share[1]) <= 100)


def most_failures(job: Job) -> int | None:
    """At how many failures the job is paused; None if it is not: whoever has resumed it has decided.

    A share is one of the tasks that the plan counts, which is an estimate for a workload of more than 64 KiB.
    """
    text = job.max_fails
    if text is None or job.resumed_ms is not None or not is_failure_limit(text):
        return None
    share = _SHARE.fullmatch(text)
    return int(text) if share is None else max(1, math.ceil(job.tasks_estimate * float(share[1]) / 100))
