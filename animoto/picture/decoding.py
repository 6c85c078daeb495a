"""What decoders raise for damaged pictures, told from what is a mistake of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from animoto.formats.picture_file import DAMAGED, PictureError


@contextmanager
def decoding() -> Iterator[None]:
    """Raise PictureError for whatever a decoder raises; to be put around calls of decoders and of nothing else.

    Pillow and FFmpeg raise errors of all kinds for damage, assertions too. The same error of our own code is a bug,
    whose traceback must be seen.
    """
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except Exception as error:
        raise PictureError(DAMAGED) from error
