"""Pictures that can't be used, and the two ways to handle them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from cloudkon.errors import CloudKonError

_PictureT = TypeVar("_PictureT")


class OnBroken(StrEnum):
    FAIL = "fail"  # the first broken picture ends the task
    SKIP = "skip"  # the video is made of the others, if there are any


@dataclass(frozen=True, slots=True)
class Broken:
    """A picture that could not be fetched or read."""

    index: int
    url: str
    """Without its secrets."""
    reason: str
    temporary: bool = False
    """Whether it may be had later: the server, not the picture, was the trouble."""

    def __str__(self) -> str:
        return f"picture {self.index + 1}, {self.url}: {self.reason}"


class BrokenPictureError(CloudKonError):
    """A video can't be made because one of its pictures, or all of them, are broken."""

    def __init__(self, message: str, *, temporary: bool) -> None:
        super().__init__(message)
        self.temporary = temporary
        """Whether another try of the task may go better."""


def select_usable(
    pictures: Iterable[_PictureT | Broken], policy: OnBroken, skipped: list[Broken]
) -> Iterator[_PictureT]:
    """Pass on the pictures that are whole; the broken ones end it, or are noted and left out.

    Raises BrokenPictureError at the first broken one, or, when all are skipped, at the end.
    """
    kept = 0
    for picture in pictures:
        if not isinstance(picture, Broken):
            kept += 1
            yield picture
        elif policy is OnBroken.FAIL:
            raise BrokenPictureError(str(picture), temporary=picture.temporary)
        else:
            skipped.append(picture)
    if skipped and not kept:
        raise BrokenPictureError(
            f"none of the {len(skipped)} pictures can be used; the first: {skipped[0]}",
            temporary=any(picture.temporary for picture in skipped),
        )
