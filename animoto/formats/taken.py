"""When a photo was taken, by the notes of its camera."""

from datetime import datetime
from pathlib import Path

from PIL import Image

_EXIF_DIRECTORY = 0x8769
_TAKEN, _DIGITISED, _CHANGED = 0x9003, 0x9004, 0x0132
"""Tags of EXIF 2.32 (4.6.4 and 4.6.5): when the photo was taken, made digital, and changed last."""


def taken_at(path: Path) -> datetime | None:
    """The camera's own time, without a zone; None if the file does not tell it."""
    try:
        with Image.open(path) as image:
            notes = image.info.get("exif")
        if not isinstance(notes, bytes):
            return None
        exif = Image.Exif()
        exif.load(notes)
        inner = exif.get_ifd(_EXIF_DIRECTORY)
    except Exception:  # noqa: BLE001 (Pillow raises whatever it comes upon; a photo without notes is one like others)
        return None
    for told in (inner.get(_TAKEN), inner.get(_DIGITISED), exif.get(_CHANGED)):
        if (moment := _moment(told)) is not None:
            return moment
    return None


def _moment(told: object) -> datetime | None:
    try:
        return datetime.strptime(str(told).strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 (cameras know no zone)
    except ValueError:
        return None
