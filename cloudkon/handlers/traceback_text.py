"""A task's error as its author wants to see it: the traceback from the handler on, and the line that raised."""

import traceback
from types import TracebackType

from cloudkon.errors import TaskFailedError
from cloudkon.handlers.frames import is_ours, is_theirs, shown

_MAX_CHARACTERS = 64 * 1024
_MAX_FRAMES = 100


def traceback_text(error: BaseException) -> str:
    """The traceback with its causes, as Python writes it; empty for a failure whose words say all.

    Frames of ours before the handler's are left out. Whatever the error's methods do, this returns text.
    """
    frames = _from_the_handler(error.__traceback__)
    if frames is None and isinstance(error, TaskFailedError):
        return ""
    try:
        told = traceback.TracebackException(type(error), error, frames or error.__traceback__, limit=-_MAX_FRAMES)
        text = "".join(told.format())
    except BaseException as failure:  # noqa: BLE001 (an error's methods may raise anything)
        return f"(its traceback can't be shown: {type(failure).__name__})\n"
    half = _MAX_CHARACTERS // 2
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:half]}\n[...]\n{text[-half:]}"


def raised_at(error: BaseException) -> str | None:
    """The place in the handler's own code that raised, or called what raised: t.py:3 in parse."""
    place, at = None, error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if is_theirs(code.co_filename):
            place = f"{shown(code.co_filename)}:{at.tb_lineno} in {code.co_qualname}"[:_MAX_PLACE_CHARACTERS]
        at = at.tb_next
    return place


_MAX_PLACE_CHARACTERS = 200


def _from_the_handler(frames: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not ours; None if all are."""
    while frames is not None and is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames
