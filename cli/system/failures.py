"""What the machine around a command refuses, in words: the one place where a person is told of it."""

import errno
import os

_ADVICE = {
    errno.ENOSPC: "Make room there and try again",
    errno.EDQUOT: "Make room there and try again",
    errno.EMFILE: "Allow more open files (ulimit -n), or use fewer threads (-t)",
    errno.ENFILE: "Close other programs, or use fewer threads (-t)",
    errno.EACCES: "Whose is it, and may you use it?",
    errno.EPERM: "Whose is it, and may you use it?",
    errno.EROFS: "Name a place that can be written",
    errno.ENOMEM: "Close other programs, or use fewer threads (-t)",
}
_NO_THREAD = "can't start new thread"


def explained(error: BaseException) -> str | None:
    """Tell an error of the surroundings in a sentence or two; None for any other, which is a mistake of ours."""
    match error:
        case OSError():
            return _refused(error)
        case MemoryError():
            return "There is no memory left. Close other programs, or use fewer threads (-t)."
        case RuntimeError() if _NO_THREAD in str(error):
            return "No more threads can be started here. Use fewer (-t), or allow more (ulimit -u, ulimit -v)."
        case UnicodeEncodeError():
            shown = ascii(error.object[error.start : error.end])
            return f"The characters {shown} can't be written as {error.encoding}: is a file's name no UTF-8? Rename it."
    return None


def _refused(error: OSError) -> str:
    if error.filename is None and error.errno == errno.ENOENT and _folder_is_gone():
        return "The current folder does not exist any more. Change to another one (cd)."
    place = error.filename.decode(errors="replace") if isinstance(error.filename, bytes) else error.filename
    said = error.strerror or str(error) or type(error).__name__
    advice = _ADVICE.get(error.errno or 0)
    sentence = f"{place}: {said}" if place is not None else said
    if advice is None:
        return f"{sentence}."
    return f"{sentence}. {advice}{'' if advice.endswith('?') else '.'}"


def _folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 (it is asked, not used)
    except FileNotFoundError:
        return True
    return False
