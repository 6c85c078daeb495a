"""Acting as somebody who may not read and write everything: what CI runs in a container is run by root."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_NOBODY = 65534


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """Be an ordinary user, in a folder of theirs."""
    with TemporaryDirectory(prefix="cloudkon-") as folder:
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(folder, _NOBODY, -1)
            os.seteuid(_NOBODY)
        try:
            yield Path(folder)
        finally:
            Path(folder).chmod(0o700)
            if is_root:
                os.seteuid(0)
