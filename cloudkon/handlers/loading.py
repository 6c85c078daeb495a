"""Imports the module that holds a person's handlers, and says in one line why that could not be done."""

import io
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path, PurePath
from types import ModuleType

from cloudkon.errors import InputError
from cloudkon.handlers.frames import is_theirs, shown
from cloudkon.own_modules import OWN, files_of, theirs_first
from cloudkon.wording import error_text, type_name


def imported(name: str) -> ModuleType:
    """Import a module by its dotted name; raise InputError with the reason and the cure.

    What it prints goes to stderr: stdout belongs to the command that loads it.
    """
    _refuse_file_names(name)
    said = io.StringIO()
    try:
        with redirect_stdout(sys.stderr), redirect_stderr(said), theirs_first():
            module = import_module(name)
    except BaseException as error:  # whatever a module does, sys.exit and pytest.skip too
        if not isinstance(error, SystemExit):  # argparse has said how it wants to be used, which is nobody's question
            sys.stderr.write(said.getvalue())
        raise InputError(f"--tasks {name}: {_reason(name, error)}") from error
    sys.stderr.write(said.getvalue())
    return module


def elsewhere(module: ModuleType) -> str | None:
    """The file that was meant, if Python or a package has a module of this name, which was imported in its place."""
    name, file = module.__name__, getattr(module, "__file__", None)
    others = [other for other in files_of(name) if file is None or not Path(other).samefile(file)]
    return shown(others[0]) if others and "." not in name else None


def _refuse_file_names(name: str) -> None:
    path = PurePath(name)
    if path.suffix == ".py" or len(path.parts) != 1 or name.startswith("."):
        dotted = ".".join(part for part in path.with_suffix("").parts if part not in {".", "..", "/"})
        where = "" if not path.is_absolute() and ".." not in path.parts else f", from the folder that {dotted} is in"
        raise InputError(f"--tasks {name}: a module's name is wanted, not a file's: say --tasks {dotted}{where}.")


def _reason(name: str, error: BaseException) -> str:
    match error:
        case SystemExit():
            return (
                f"importing it ended the program ({_exit_words(error)}). What a script does belongs under "
                'if __name__ == "__main__":'
            )
        case ModuleNotFoundError() if error.name and f"{name}.".startswith(f"{error.name}."):
            return (
                f"there is no module named {error.name!r} in this folder, on PYTHONPATH, or among the installed ones."
            )
        case SyntaxError():
            return f"it can't be read: {error_text(error)} ({shown(error.filename or '?')}, line {error.lineno})"
        case _:
            return f"importing it raised {type_name(error)}: {error_text(error)}{_place(error)}{_hint(error)}"


def _exit_words(error: SystemExit) -> str:
    code = error.code
    return f"exit code {code}" if isinstance(code, int) else f"saying: {error_text(error)}" if code else "exit code 0"


def _place(error: BaseException) -> str:
    """Where in the module it happened."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_theirs(frame.filename)]
    return f" ({shown(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""


def _hint(error: BaseException) -> str:
    """What to rename, if a name in the error is one that a file of theirs shares with Python or with us."""
    if not isinstance(error, ImportError | AttributeError):
        return ""
    culprit = getattr(error, "name_from", None) and error.name if isinstance(error, ImportError) else None
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        culprit = error.obj.__name__
    if not culprit or culprit not in sys.stdlib_module_names | OWN or not (files := files_of(culprit)):
        return ""
    owner = "CloudKon" if culprit in OWN else "Python"
    return f". {culprit} is a module of {owner}'s own: {shown(files[0])} has to be renamed"
