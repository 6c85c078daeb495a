"""How much a command says on stderr: nothing but errors, what it always says, or what its parts log as well."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from cloudkon.errors import InputError

_OURS = ("animoto", "cli", "cloudkon", "dispatcher", "ec2_worker")
_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@contextmanager
def talking(*, verbosity: int, quiet: bool) -> Iterator[None]:
    """Within the block, talk is dropped (quiet), or our parts' logs are added to it: from 1 on, from 2 on in detail.

    Errors are told after the block, and so always.
    """
    if quiet and verbosity:
        raise InputError("--quiet and --verbose contradict each other. Give one of them.")
    if quiet:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
            yield
        return
    handler = _logged(logging.DEBUG if verbosity > 1 else logging.INFO) if verbosity else None
    try:
        yield
    finally:
        if handler is not None:
            for name in _OURS:
                logging.getLogger(name).removeHandler(handler)


def _logged(level: int) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_LINE))
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(handler)
    return handler
