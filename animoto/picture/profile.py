"""Colour profiles: from the colours of a picture's own profile to sRGB, where that can be done."""

import io
from collections.abc import Callable

from PIL import Image, ImageCms

from animoto.formats.picture_file import MAX_PROFILE_BYTES

Conversion = Callable[[Image.Image], Image.Image]
_FAILURES = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def conversion_to_srgb(mode: str, embedded: bytes | None) -> Conversion | None:
    """The way from a picture's opaque pixels to sRGB; None where there is no profile that changes anything.

    A profile that can't be read, is for other colours, or can't be made a conversion is as none: so browsers do.
    """
    if mode == "L" or not embedded or len(embedded) > MAX_PROFILE_BYTES:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(embedded))
        if profile.profile.xcolor_space.strip() != mode or _is_srgb(profile):
            return None
        transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except _FAILURES:
        return None

    def convert(image: Image.Image) -> Image.Image:
        return ImageCms.applyTransform(image, transform) or image.convert("RGB")

    return convert


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    return "srgb" in ImageCms.getProfileDescription(profile).lower()
