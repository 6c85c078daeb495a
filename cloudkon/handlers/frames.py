"""Whose code a frame of a traceback is, and how its place is shown."""

import os
from pathlib import Path

from cloudkon.own_modules import OWN, ROOT

_LIBRARY = Path(os.__file__).parent


def is_theirs(file: str) -> bool:
    """Whether a file is a person's own: no part of CloudKon, of Python, or of an installed package."""
    path = Path(file)
    if file.startswith("<") or "site-packages" in path.parts or path.is_relative_to(_LIBRARY):
        return False
    return not is_ours(file)


def is_ours(file: str) -> bool:
    """Whether a file is a part of CloudKon."""
    path = Path(file)
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OWN


def shown(file: str) -> str:
    """A file's path, as a person would write it who is in this folder."""
    path = Path(file)
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the folder was deleted meanwhile
        return file
    return str(path.relative_to(here)) if path.is_relative_to(here) else file
