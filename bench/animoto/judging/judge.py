"""Which results count: a video that is too short, or shows something else, took less time for the wrong reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

FPS = 30
LENGTH_SLACK_S = 0.04
SSIM_MEAN, SSIM_WORST = 0.98, 0.97
MOST_BYTES = 1.25
"""Of the original's."""
MOST_LEVELS = 2
"""How far a browser's colours may be from the picture's, of 255."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A video as it is decoded; of each picture, what is shown a quarter of a second after its beginning."""

    frames: int
    duration_s: float
    index_first: bool
    right_pictures: int
    """At how many of these instants the picture that is due is more alike than any other."""
    ssim_y: list[float]
    psnr_y: list[float]
    decoders_agree: bool | None
    """Whether OpenH264 decodes every frame as libavcodec does; None where it is not there, or was not asked."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a video was to be."""

    pictures: int
    original_bytes: int | None = None
    """The size of the original's video of the same pictures, if there is one."""
    colour_error: int | None = None
    """What a browser makes of its colours, if one was asked."""


def objections(seen: Seen, size_bytes: int, claim: Claim) -> Iterator[str]:
    """Why a result does not count; nothing, if it does. A second a picture is what all of them make."""
    if abs(seen.duration_s - claim.pictures) > LENGTH_SLACK_S:
        yield f"{seen.duration_s:.3f} s, not {claim.pictures}"
    if seen.frames != FPS * claim.pictures:
        yield f"{seen.frames} frames, not {FPS * claim.pictures}"
    if seen.right_pictures != claim.pictures:
        yield f"{seen.right_pictures} of {claim.pictures} pictures in their places"
    if not seen.ssim_y or fmean(seen.ssim_y) < SSIM_MEAN:
        yield f"SSIM {fmean(seen.ssim_y or [0]):.4f} on average, below {SSIM_MEAN}"
    if min(seen.ssim_y, default=0) < SSIM_WORST:
        yield f"SSIM {min(seen.ssim_y, default=0):.4f} at worst, below {SSIM_WORST}"
    if claim.original_bytes is not None and size_bytes > MOST_BYTES * claim.original_bytes:
        yield f"{size_bytes / claim.original_bytes:.2f} times the original's bytes, more than {MOST_BYTES}"
    if not seen.index_first:
        yield "its index comes last"
    if seen.decoders_agree is False:
        yield "two decoders disagree"
    if claim.colour_error is not None and claim.colour_error > MOST_LEVELS:
        yield f"colours {claim.colour_error} of 255 off in a browser, more than {MOST_LEVELS}"
