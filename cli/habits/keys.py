"""What may stand in a configuration file, and what it sets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cloudkon.settings import Settings
from cloudkon.stage.names import DEFAULT_STAGE, check_stage

Reader = Callable[[Any, Path], Any]
"""Turns a value of the file, which lies in this folder, into what it sets; raises ValueError with what was expected."""


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be set."""

    name: str
    read: Reader
    variables: Sequence[str] = ()
    """The environment variables that say the same; the first of them is set by the file."""
    options: Mapping[str, str] | None = None
    """Or the parameter, by command, whose default the file sets."""
    default: str = ""
    """What holds where nothing is set, in words."""


def _text(value: Any, _: Path) -> str:
    if isinstance(value, str) and value.isprintable() and value:
        return value
    raise ValueError("text was expected")


def _stage(value: Any, folder: Path) -> str:
    return check_stage(_text(value, folder))


def _path(value: Any, folder: Path) -> str:
    return str(folder / Path(_text(value, folder)).expanduser())


def _whole(least: int) -> Reader:
    def read(value: Any, _: Path) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        raise ValueError(f"a whole number from {least} was expected")

    return read


def _truth(value: Any, _: Path) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false was expected")


def _modules(value: Any, folder: Path) -> list[str]:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list) or not all(isinstance(name, str) and name for name in named):
        raise ValueError('a module or a list of modules was expected, as in ["tasks.py"]')
    return [_module(name, folder) for name in named]


def _module(name: str, folder: Path) -> str:
    """A file is found from the folder of the configuration, wherever the command is started."""
    file = folder / (name if name.endswith(".py") else f"{name.replace('.', '/')}.py")
    return str(file) if name.endswith(".py") or file.is_file() else name


def _number(value: Any, _: Path) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("a number was expected")


KEYS: Mapping[str, Key] = {
    key.name: key
    for key in (
        Key("stage", _stage, ("CLOUDKON_STAGE",), default=DEFAULT_STAGE),
        Key("region", _text, ("AWS_REGION", "AWS_DEFAULT_REGION"), default="as boto3 finds it"),
        Key("aws_profile", _text, ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"), default="as boto3 finds it"),
        Key("home", _path, ("CLOUDKON_HOME",), default="the data folder of this user"),
        Key("threads", _whole(1), options={"run": "threads"}, default="one a core"),
        Key("processes", _whole(1), options={"run": "processes"}, default="as the handlers say"),
        Key("tasks", _modules, options={"run": "modules", "check": "modules"}, default="none"),
        Key("retries", _whole(0), options={"run": "retries"}, default="0"),
        Key("keep_logs", _truth, options={"run": "keep_logs"}, default="false"),
    )
}
REFUSED: Mapping[str, str] = {
    "allow": "what may be run is said each time, by --allow: a file that came with somebody's folder must not say it",
    "profile": "AWS's profile is aws_profile here, and profiles of this file are tables: [profiles.NAME]",
}
SETTINGS: Mapping[str, Key] = {
    field.name: Key(field.name, _number, (f"CLOUDKON_{field.name.upper()}",), default=str(field.default))
    for field in fields(Settings)
}
"""What stands in the table [settings]."""
