"""Tells the bundles that the dispatcher has made from those that somebody else has put on the queue.

The dispatcher draws a key for each job, which is in the job's row and in no message, and seals every bundle with it. So
a message whose sender can't read the ledger never sets the results of lines that the workload does not have. Workers
read the job's row anyway before they claim: checking costs no call.
"""

import hashlib
import hmac
import secrets

from cloudkon.ledger.bundle import Bundle
from cloudkon.ledger.job import Job

_DIGITS = 32


def new_seal_key() -> str:
    return secrets.token_hex(16)


def seal(bundle: Bundle, seal_key: str) -> str:
    """The bundle's seal: over everything that decides what runs and where its results are recorded."""
    key = bundle.key
    head = (
        f"{key.job}\0{key.range}\0{key.number}\0{key.shards}\0{bundle.lines}\0{bundle.event_ms}\0{bundle.sent_ms}"
        f"\0{bundle.retries}\0{bundle.timeout_s}\0"
    )
    text = (head + "\n".join(bundle.tasks)).encode(errors="surrogatepass")
    return hmac.new(seal_key.encode(), text, hashlib.sha256).hexdigest()[:_DIGITS]


def why_foreign(bundle: Bundle, job: Job | None) -> str | None:
    """Why a bundle is not one of the job's that it names; None if it is.

    A job that an earlier version has opened has no key, and its bundles have no seals.
    """
    if job is None:
        return f"There is no job {bundle.key.job} in the ledger."
    if job.seal_key is None or hmac.compare_digest(bundle.seal or "", seal(bundle, job.seal_key)):
        return None
    return f"{bundle.key} was not sent by the dispatcher of its job, or was changed since."
