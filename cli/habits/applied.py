"""Lets what a configuration file says count where neither an option nor the environment says otherwise."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cli.habits.configuration import Configuration, Habit, read_configuration
from cli.habits.keys import KEYS, SETTINGS, Key

PROFILE_VARIABLE = "CLOUDKON_PROFILE"
_META = "cloudkon.habits"


@dataclass(frozen=True, slots=True)
class Applied:
    """The configuration, and which variables the environment had set before it."""

    configuration: Configuration
    environ: Mapping[str, str]

    def source(self, name: str, key: Key) -> tuple[str, str]:
        """The value that counts for a key unless an option says another, and where it comes from."""
        variable = next((variable for variable in key.variables if self.environ.get(variable)), None)
        if variable is not None:
            return self.environ[variable], f"environment: {variable}"
        habit = self.configuration.habits.get(name)
        if habit is None:
            return key.default, "default"
        return _shown(habit), f"{self.configuration.file}{habit.place and f', {habit.place}'}"


def _shown(habit: Habit) -> str:
    value = habit.value
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)


def apply_habits(context: click.Context, profile: str | None, environ: MutableMapping[str, str], folder: Path) -> None:
    """Read the folder's configuration, and set variables that are not set, and defaults of options.

    Raises InputError for a file that can't be used.
    """
    found = read_configuration(folder, profile or environ.get(PROFILE_VARIABLE) or None)
    context.meta[_META] = Applied(found, dict(environ))
    defaults: dict[str, dict[str, Any]] = {}
    for habit in found.habits.values():
        key = habit.key
        if key.variables and not any(environ.get(variable) for variable in key.variables):
            environ[key.variables[0]] = str(habit.value)
        for command, parameter in (key.options or {}).items():
            defaults.setdefault(command, {})[parameter] = habit.value
    context.default_map = defaults


def applied() -> Applied:
    """What was applied to the command that is being run."""
    return click.get_current_context().meta.get(_META) or Applied(Configuration(None, None, {}), {})


def all_sources(applied: Applied) -> Mapping[str, tuple[str, str]]:
    """Every key with its value and where that comes from, and the settings that are not as they come."""
    listed = {name: applied.source(name, key) for name, key in KEYS.items()}
    settings = {f"settings.{name}": applied.source(f"settings.{name}", key) for name, key in SETTINGS.items()}
    return listed | {name: told for name, told in settings.items() if told[1] != "default"}
