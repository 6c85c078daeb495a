"""A task's error as its author wants to see it: the traceback from the handler on, and the line that raised."""

import traceback
from types import CodeType, FrameType, TracebackType

from cloudkon.errors import TaskFailedError
from cloudkon.handlers.frames import is_ours, is_theirs, shown

_MAX_CHARACTERS = 64 * 1024
_MAX_FRAMES = 100
_MAX_STACK = 2_000
_MAX_PLACE_CHARACTERS = 200


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
    return _halves(text)


def raised_at(error: BaseException) -> str | None:
    """The place in the handler's own code that raised, or called what raised: t.py:3 in parse."""
    place, at = None, error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if is_theirs(code.co_filename):
            place = _place(code, at.tb_lineno)
        at = at.tb_next
    return place


def where_it_is(innermost: FrameType | None) -> tuple[str, str | None]:
    """Where a thread is in the handler that it runs: the stack from the handler on, and the place in their own code.

    Of a handler that is ours, and of a thread that has ended meanwhile, there is nothing to tell: empty text, None.
    """
    try:
        frames = list(traceback.walk_stack(innermost))[:_MAX_STACK]  # the innermost first
    except BaseException:  # noqa: BLE001 (the thread goes on while it is looked at)
        return "", None
    ours = [at for at, (frame, _) in enumerate(frames) if is_ours(frame.f_code.co_filename)]
    handlers = [at for at, (frame, _) in enumerate(frames) if is_theirs(frame.f_code.co_filename)]
    caller = next((at for at in ours if handlers and at > handlers[0]), 0)
    if not caller:
        return "", None
    frame, line = frames[handlers[0]]
    summary = traceback.StackSummary.extract(iter(frames[:caller][::-1]))
    text = f"It was here when it was given up (most recent call last):\n{''.join(summary.format())}"
    return _halves(text), _place(frame.f_code, line)


def _place(code: CodeType, line: int) -> str:
    return f"{shown(code.co_filename)}:{line} in {code.co_qualname}"[:_MAX_PLACE_CHARACTERS]


def _halves(text: str) -> str:
    half = _MAX_CHARACTERS // 2
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:half]}\n[...]\n{text[-half:]}"


def _from_the_handler(frames: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not ours; None if all are."""
    while frames is not None and is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames
