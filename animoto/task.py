"""The handler of animoto tasks: downloads pictures, makes a video of them, and leaves it in the results."""

import ssl
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from av import VideoFrame

from animoto.addresses import Addresses
from animoto.canvas import Canvas
from animoto.download.background import downloads
from animoto.download.buckets import Buckets
from animoto.download.urls import shown
from animoto.fetch import Download, Fetcher, Limits
from animoto.order import Order, OrderError, order
from animoto.picture.broken import Broken, BrokenPictureError, usable
from animoto.picture.contact_sheet import ContactSheet
from animoto.pictures import Picture, read_picture
from animoto.render import render
from animoto.video import VideoReport, VideoSpec
from cloudkon.backoff import Backoff
from cloudkon.errors import InputError, TaskFailedError
from cloudkon.handlers.context import Context, context
from cloudkon.handlers.deadline import TimedOutError, remaining_s
from cloudkon.handlers.registry import Permanent, task
from cloudkon.handlers.scratch import scratch

_THREADS = 2
"""That read pictures, beside the slot's own and one that encodes."""
_SKIPPED_NAMED = 3
_SOONEST_S = 0.001


def handler(
    networks: str = "",
    buckets: Buckets | None = None,
    *,
    width: int = 1920,
    height: int = 1080,
    limits: Limits = Limits(),  # noqa: B008 (a frozen value)
    tls: ssl.SSLContext | None = None,
) -> Callable[..., dict[str, Any]]:
    """The handler named animoto, for pictures from public addresses, from these networks, and from these buckets.

    Raises InputError if the networks can't be read.
    """
    studio = Studio(Addresses.parse(networks), buckets, width, height, limits, tls)

    @task("animoto")
    def animoto(*urls: Any, **options: Any) -> dict[str, Any]:
        return studio.make(*urls, **options)

    return animoto


@dataclass(frozen=True, slots=True)
class Studio:
    """Makes the videos of one worker; any number of slots may at a time."""

    addresses: Addresses
    buckets: Buckets | None
    width: int
    height: int
    limits: Limits
    tls: ssl.SSLContext | None
    """By which servers are judged, instead of by what this machine trusts."""

    def make(self, *urls: Any, **options: Any) -> dict[str, Any]:
        """Make the video of one task and store it; return what is told of it.

        Raises Permanent for what would fail again: an order that can't be, a picture that is none. Raises
        TaskFailedError where a server was the trouble, and TimedOutError.
        """
        try:
            made = order(*urls, **options)
            with scratch() as folder:
                return _Making(self, made, folder, context()).told()
        except (OrderError, InputError) as error:
            raise Permanent(str(error)) from error
        except BrokenPictureError as error:
            raise (TaskFailedError if error.temporary else Permanent)(str(error)) from error


@dataclass(slots=True)
class _Making:
    """One video on its way."""

    studio: Studio
    order: Order
    folder: Path
    here: Context
    timeout_s: float | None = field(default_factory=remaining_s)
    skipped: list[Broken] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        spec = self._spec()
        if self.order.audio is not None and spec.audio is not None:
            self._fetch_sound(self.order.audio, spec.audio)
        video, sheet = self.folder / "video.mp4", ContactSheet(len(self.order.images))
        report = self._rendered(spec, video, sheet)
        with self.here.stage("upload"):
            self.here.store("video.mp4", video)
            beside = self.here.store("sheet.jpg", sheet.jpeg())
        return self._summary(report, beside)

    def _spec(self) -> VideoSpec:
        asked = self.order
        return VideoSpec(
            width=self.studio.width,
            height=self.studio.height,
            seconds=asked.seconds,
            transition=asked.transition,
            fade_s=asked.fade_seconds,
            pan_zoom=asked.pan_zoom,
            title=asked.title,
            audio=self.folder / "sound" if asked.audio else None,
            engine=asked.engine,
        )

    def _fetch_sound(self, url: str, file: Path) -> None:
        with self.here.stage("download"), downloads(self._fetcher(), [url]) as arriving:
            [sound] = arriving
        self._check_time()
        if isinstance(sound, Broken):
            raise BrokenPictureError(f"audio, {sound.url}: {sound.reason}", temporary=sound.temporary)
        file.write_bytes(sound.data)

    def _rendered(self, spec: VideoSpec, video: Path, sheet: ContactSheet) -> VideoReport:
        with (
            self.here.stage("encode"),
            downloads(self._fetcher(), self.order.images) as arriving,
            closing(self._read(arriving)) as pictures,
        ):
            try:
                return render(self._frames(pictures, sheet), spec, video)
            except InputError as error:  # it names the file, of which the task's author knows nothing
                where = shown(self.order.audio or "")
                raise InputError(str(error).replace(str(spec.audio), where)) from error

    def _frames(self, pictures: Iterator[Picture | Broken], sheet: ContactSheet) -> Iterator[VideoFrame]:
        for picture in usable(pictures, self.order.broken, self.skipped):
            sheet.add(picture.frame)
            yield picture.frame

    def _read(self, arriving: Iterator[Download]) -> Generator[Picture | Broken]:
        """What arrives, read on a few threads, in order."""
        canvas = Canvas(self.studio.width, self.studio.height, self.order.background)
        with ThreadPoolExecutor(_THREADS, "read") as pool:
            under_way: deque[Future[Picture | Broken]] = deque()
            for download in self._drawn(arriving):
                under_way.append(pool.submit(read_picture, download, canvas))
                if len(under_way) > _THREADS:
                    yield self._ended(under_way.popleft())
            while under_way:
                yield self._ended(under_way.popleft())

    def _drawn(self, arriving: Iterator[Download]) -> Iterator[Download]:
        while True:
            with self.here.stage("download"):
                download = next(arriving, None)
            if download is None:
                return
            yield download

    def _ended(self, reading: "Future[Picture | Broken]") -> Picture | Broken:
        with self.here.stage("decode"):
            picture = reading.result()
        self._check_time()  # before anybody looks at it: what came too late for the task is not a broken picture
        return picture

    def _fetcher(self) -> Fetcher:
        studio, limits, left_s = self.studio, self.studio.limits, remaining_s()
        if left_s is not None:
            limits = replace(limits, total_s=max(_SOONEST_S, min(limits.total_s, left_s)))
        return Fetcher(studio.addresses, limits, Backoff(), studio.buckets, tls=studio.tls)

    def _check_time(self) -> None:
        if self.timeout_s is not None and remaining_s() == 0:
            raise TimedOutError(self.timeout_s)

    def _summary(self, report: VideoReport, sheet: str) -> dict[str, Any]:
        summary: dict[str, Any] = {
            "pictures": report.pictures,
            "frames": report.frames,
            "seconds": report.duration_s,
            "bytes": report.size_bytes,
            "engine": report.engine.value,
            "sheet": sheet,
        }
        if self.skipped:
            named = [str(broken) for broken in self.skipped[:_SKIPPED_NAMED]]
            summary |= {"skipped": len(self.skipped), "skipped_first": named}
        return summary
