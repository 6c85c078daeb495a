"""Where this machine keeps what outlives a process; the environment is passed in."""

from collections.abc import Mapping
from pathlib import Path

HOME_VARIABLE = "CLOUDKON_HOME"


def own_folder(environ: Mapping[str, str], variable: str, usual: str) -> Path:
    """CLOUDKON_HOME, or the place that XDG names: https://specifications.freedesktop.org/basedir-spec/latest/."""
    own = environ.get(HOME_VARIABLE)
    if own:
        return Path(own).expanduser().absolute()
    named = environ.get(variable)
    return (Path(named) if named else Path.home() / ".local" / usual) / "cloudkon"


def data_folder(environ: Mapping[str, str]) -> Path:
    """What a person would not want to lose."""
    return own_folder(environ, "XDG_DATA_HOME", "share")


def default_ledger(environ: Mapping[str, str]) -> Path:
    return data_folder(environ) / "ledger.sqlite3"


def results_folder(ledger: Path) -> Path:
    """Where the jobs of a ledger keep their rejects, large values and outputs."""
    return ledger.with_name(f"{ledger.stem}.results")
