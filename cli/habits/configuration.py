"""Finds the configuration file of a folder, and reads it; what is wrong with it is told with its place."""

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cli.habits.keys import KEYS, REFUSED, SETTINGS, Key
from cloudkon.errors import InputError

FILE, PROJECT_FILE = "cloudkon.toml", "pyproject.toml"
_PROFILES, _SETTINGS = "profiles", "settings"
_OUR_TABLE = b"tool.cloudkon"


@dataclass(frozen=True, slots=True)
class Habit:
    """A value of the file, and the place in it."""

    key: Key
    value: Any
    place: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """A file's values, with those of the chosen profile over the others."""

    file: Path | None
    profile: str | None
    habits: Mapping[str, Habit]
    profiles: tuple[str, ...] = ()


def read_configuration(folder: Path, profile: str | None) -> Configuration:
    """The configuration of a folder: of itself, or of the nearest folder above it that has one.

    Raises InputError for a file that can't be read or used, and for a profile that it does not have.
    """
    file, tables = next(_found(folder), (None, {}))
    if file is None:
        if profile is not None:
            raise InputError(f"There is no profile {profile!r}: no {FILE} is here, or in a folder above.")
        return Configuration(None, None, {})
    own = {name: value for name, value in tables.items() if name != _PROFILES}
    profiles = tables.get(_PROFILES, {})
    if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
        raise InputError(f"{file}: profiles are tables, as in [profiles.night].")
    habits = dict(_habits(own, file, ""))
    checked = {name: dict(_habits(table, file, f"[profiles.{name}]")) for name, table in profiles.items()}
    if profile is not None and profile not in checked:
        raise InputError(f"{file} has no profile {profile!r}{_did_you_mean(profile, checked)}.")
    return Configuration(file, profile, habits | checked.get(profile or "", {}), tuple(checked))


def _found(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for place in (folder, *folder.parents):
        own, project = place / FILE, place / PROJECT_FILE
        if own.is_file() and not _is_strange(own):
            yield own, _read(own)
        elif project.is_file() and not _is_strange(project) and _OUR_TABLE in project.read_bytes():
            table = _read(project).get("tool", {}).get("cloudkon")
            if isinstance(table, dict):
                yield project, table


def _is_strange(file: Path) -> bool:
    """Whether another user has put it into a folder that everybody may write to: it could name modules to load."""
    return bool(file.parent.stat().st_mode & stat.S_IWOTH) and file.stat().st_uid != os.getuid()


def _read(file: Path) -> Mapping[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not valid TOML: {error}.") from error
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror or error}.") from error


def _habits(table: Mapping[str, Any], file: Path, place: str) -> Iterator[tuple[str, Habit]]:
    for name, value in table.items():
        if name != _SETTINGS:
            yield name, _habit(name, value, KEYS, file, place)
            continue
        if not isinstance(value, dict):
            raise InputError(f"{file}: settings is a table: [settings].")
        where = f"[{_SETTINGS}]" if not place else f"{place[:-1]}.{_SETTINGS}]"
        for setting, number in value.items():
            yield f"{_SETTINGS}.{setting}", _habit(setting, number, SETTINGS, file, where)


def _habit(name: str, value: Any, keys: Mapping[str, Key], file: Path, place: str) -> Habit:
    where = f"{file}{place and f', {place}'}: "
    if name in REFUSED and keys is KEYS:
        raise InputError(f"{where}{name} can't be set: {REFUSED[name]}.")
    key = keys.get(name)
    if key is None:
        raise InputError(f"{where}there is nothing called {name!r} to be set{_did_you_mean(name, keys)}.")
    try:
        return Habit(key, key.read(value, file.parent), place)
    except (ValueError, InputError) as error:
        raise InputError(f"{where}{name} = {value!r}: {str(error).rstrip('.')}.") from error


def _did_you_mean(name: str, names: Mapping[str, Any]) -> str:
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}" if near else f"; known are {', '.join(names)}" if names else ""
