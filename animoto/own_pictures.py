"""Finds pictures in folders of this machine, and puts them in order."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from animoto.formats.taken import taken_at
from cloudkon.errors import InputError

_READ = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif", ".bmp"})
_NOT_READ = frozenset(
    {".heic", ".heif", ".tif", ".tiff", ".jxl", ".jp2", ".svg", ".cr2", ".cr3", ".nef", ".arw", ".dng"}
)
_NAMED = 3
_DIGITS = re.compile(r"(\d+)")


class PictureOrder(StrEnum):
    """In which order the pictures of a folder are shown."""

    NAME = "name"  # as people count: IMG_2 before IMG_10
    DATE = "date"  # by when they were taken, as their camera notes; without a note, when the file was last changed


@dataclass(frozen=True, slots=True)
class OwnPictures:
    """The pictures that were found, and files beside them that are pictures and can't be read."""

    files: Sequence[Path]
    left_out: Sequence[Path]

    @property
    def warning(self) -> str:
        """What to tell about those that were left out."""
        names = ", ".join(path.name for path in self.left_out[:_NAMED])
        more = f" and {len(self.left_out) - _NAMED} more" if len(self.left_out) > _NAMED else ""
        return f"Left out, because their kind is not read: {names}{more}."


def find_pictures(places: Iterable[Path], order: PictureOrder) -> OwnPictures:
    """The pictures in folders (not in folders below them), and files that are named, as absolute paths.

    By name, each folder's pictures stand together, in the order of the places; by date, all are put in one order.
    Raises InputError where there is nothing, or nothing to be read.
    """
    files: list[Path] = []
    left_out: list[Path] = []
    for place in places:
        if not place.is_dir():
            files.append(_checked(place))
            continue
        found = _listed(place)
        read = sorted((path for path in found if path.suffix.lower() in _READ), key=_by_name)
        left_out += [path for path in found if path.suffix.lower() in _NOT_READ]
        if not read:
            raise InputError(f"There are no pictures in {place}: it has no file that ends in .jpg, .png or the like.")
        files += read
    if order is PictureOrder.DATE:
        files.sort(key=_by_date)
    return OwnPictures([path.absolute() for path in files], left_out)


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        raise InputError(f"{folder} can't be read: {error.strerror or error}.") from error


def _checked(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    if not path.is_file():
        raise InputError(f"{path} is neither a picture nor a folder of pictures.")
    return path


def _by_name(path: Path) -> tuple[object, ...]:
    """Letters without regard to case, and numbers by their value."""
    parts = _DIGITS.split(path.name.casefold())
    return (*((int(part), "") if part.isdecimal() else (-1, part) for part in parts), path.name)


def _by_date(path: Path) -> tuple[datetime, tuple[object, ...]]:
    return taken_at(path) or datetime.fromtimestamp(path.stat().st_mtime), _by_name(path)  # noqa: DTZ006 (as cameras)
