"""A picture's file, parted into its pixels and what is told beside them.

Browsers and ffmpeg show a picture whatever is wrong with its comments, its profile or its camera's notes; Pillow does
not. So those are taken out before the pixels are decoded, and only what is needed of them is read, in bounds.
"""

from dataclasses import dataclass

from cloudkon.errors import CloudKonError


class PictureError(CloudKonError):
    """The bytes are not a picture that can be used. The message is the reason."""


DAMAGED = "it is damaged, or cut off before its end"
MAX_PROFILE_BYTES = 8 * 1024 * 1024
"""Of a colour profile; a larger one is ignored. The largest in use, of printers, have some 3 MB."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file of the pixels alone, the colour profile, and the camera's notes."""

    pixels: bytes
    profile: bytes | None = None
    exif: bytes = b""
