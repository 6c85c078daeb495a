"""Which worker processes a run is to have."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Processes:
    """How many worker processes there are to be, and what each is told."""

    count: int
    slots: int
    """Of each."""
    modules: Sequence[str]
    allowed: Sequence[str]
    picture_networks: str
    results: Path
    """The folder in which tasks store their files."""
