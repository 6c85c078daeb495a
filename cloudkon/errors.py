"""Every error that CloudKon raises on purpose; the message says what happened and what to do."""


class CloudKonError(Exception):
    """The root of all: a person sees such an error as one line, without a traceback."""


class InputError(CloudKonError):
    """What a person gave can't be used: a file, an option, a name. Exit code 2."""


class NotFoundError(CloudKonError):
    """Something that was named does not exist: a job, a queue, a bucket, a stack."""


class DeniedError(CloudKonError):
    """Credentials are missing, wrong, or lack a permission."""


class UnavailableError(CloudKonError):
    """A service did not answer, or throttled, after its retries; the outcome of the call is unknown."""


class WireError(CloudKonError):
    """A message can't be decoded; it belongs in the dead-letter queue with this reason."""


class TaskFailedError(Exception):
    """Raised by a handler whose message is the task's whole error: it is shown without the exception's name."""


class TaskRejectedError(Exception):
    """A task can't be run, however often it were tried; the message is the reason that its author reads."""
