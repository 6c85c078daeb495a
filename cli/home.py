import os
from pathlib import Path


def home() -> Path:
    """Where CloudKon keeps its state on this machine: CLOUDKON_HOME, or the place that XDG names.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    own = os.environ.get("CLOUDKON_HOME")
    if own:
        return Path(own).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "cloudkon"
