"""One kind of thing that may be left over: how it is found, and how it is removed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cloudkon.aws.checkups.subject import Subject
from cloudkon.stage.leftovers import Kind, Leftover


@dataclass(frozen=True, slots=True)
class Search:
    kind: Kind
    what: str
    """For people, should it not be possible to look."""
    find: Callable[[Subject], Iterable[Leftover]]
    remove: Callable[[Subject, Leftover], None]
    """Raises what translated raises; NotFoundError if it is gone already."""
