"""What tasks stored: how much, and the first videos with their contact sheets."""

import base64
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cloudkon.errors import CloudKonError
from cloudkon.ledger.lease import BundleRow
from cloudkon.ledger.result_columns import ResultColumns
from cloudkon.ports import ObjectStore
from cloudkon.reports.activity.stragglers import TaskPlace

_MOST_VIDEOS = 24
_MOST_SHEET_BYTES = 400_000
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, order=True)
class Video:
    """A video that a task made, as its value tells."""

    place: TaskPlace
    key: str
    sheet: str
    seconds: float
    pictures: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ShownVideo:
    """A video with its contact sheet as a data: URL; None if the sheet could not be had."""

    video: Video
    sheet: str | None


class Outputs:
    """Counts outputs, and keeps the videos of the first lines."""

    def __init__(self) -> None:
        self.stored = 0
        self.videos = 0
        self.seconds = 0.0
        self._first: list[tuple[tuple[int, int], Video]] = []

    def add(self, row: BundleRow) -> None:
        """Take in what one bundle's tasks stored."""
        if isinstance(row.results, ResultColumns) and row.results.are_plain:
            return
        for line, result in zip(row.lines, row.results, strict=True):
            if result is None or result.output is None:
                continue
            self.stored += 1
            video = _video(TaskPlace(row.key.range, line), result.output, result.value)
            if video is not None:
                self.videos += 1
                self.seconds += video.seconds
                heapq.heappush(self._first, ((-video.place.range, -video.place.line), video))
                if len(self._first) > _MOST_VIDEOS:
                    heapq.heappop(self._first)

    def first_videos(self) -> Sequence[Video]:
        return sorted(video for _, video in self._first)


def shown_videos(videos: Sequence[Video], store: ObjectStore, room_bytes: int) -> Iterator[ShownVideo]:
    """Fetch contact sheets for as long as there is room; what can't be had is shown without."""
    for video in videos:
        sheet = _sheet(store, video.sheet, min(room_bytes, _MOST_SHEET_BYTES))
        room_bytes -= len(sheet or "")
        yield ShownVideo(video, sheet)


def _sheet(store: ObjectStore, key: str, room_bytes: int) -> str | None:
    most = room_bytes * 3 // 4 - 64  # base64
    try:
        if most <= 0 or store.size_bytes(key) > most:
            return None
        content = b"".join(store.read(key))
    except CloudKonError:
        return None
    if not content.startswith(_JPEG) or len(content) > most:
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _video(place: TaskPlace, key: str, value: Any) -> Video | None:
    """Only what names a sheet beside the output is a video of ours; a handler's value may be anything."""
    sheet = value.get("sheet") if isinstance(value, dict) else None
    if not isinstance(sheet, str) or not key.endswith(".mp4") or not sheet.startswith(key.rpartition("/")[0] + "/"):
        return None
    seconds, pictures, size_bytes = (_number(value.get(name)) for name in ("seconds", "pictures", "bytes"))
    return Video(place, key, sheet, seconds, int(pictures), int(size_bytes))


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15
    return float(value) if is_number else 0.0
