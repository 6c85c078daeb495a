"""The handler of animoto tasks: downloads pictures, makes a video of them, and leaves it in the results."""

import ssl
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from av import VideoFrame

from animoto.addresses import Addresses
from animoto.canvas import Canvas
from animoto.download.background import downloads
from animoto.download.buckets import Buckets
from animoto.download.urls import redacted
from animoto.fetch import Download, Fetcher, Limits
from animoto.in_order import futures_in_order
from animoto.order import Order, OrderError, parse_local_order, parse_order
from animoto.picture.broken import Broken, BrokenPictureError, select_usable
from animoto.picture.contact_sheet import ContactSheet
from animoto.picture.decoding_memory import DecodingMemory
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
"""Threads that read pictures. The slot's own thread and one that encodes run beside them."""
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
    files: bool = False,
) -> Callable[..., dict[str, Any]]:
    """Return the handler of the task animoto; it fetches from public addresses, these networks and these buckets.

    With files, it reads files of this machine as well. Raises InputError if the networks can't be read.
    """
    maker = VideoMaker(Addresses.parse(networks), buckets, width, height, limits, tls, files)

    @task("animoto")
    def animoto(*urls: Any, **options: Any) -> dict[str, Any]:
        return maker.make(*urls, **options)

    return animoto


@dataclass(frozen=True, slots=True)
class VideoMaker:
    """Makes the videos of one worker. Thread-safe: any number of slots may use it at a time."""

    addresses: Addresses
    buckets: Buckets | None
    width: int
    height: int
    limits: Limits
    tls: ssl.SSLContext | None
    """If given, decides which certificates of servers are trusted, instead of what this machine trusts."""
    files: bool = False
    """Whether a task may name files of this machine: where whoever writes the tasks may read them anyway."""
    memory: DecodingMemory = field(default_factory=DecodingMemory)

    def make(self, *urls: Any, **options: Any) -> dict[str, Any]:
        """Make the video of one task, store it, and return the task's value.

        Raises Permanent if another try would fail too: a wrong order, or a file that is not a picture. Raises
        TaskFailedError if a server was at fault, and TimedOutError.
        """
        try:
            wanted = (parse_local_order if self.files else parse_order)(*urls, **options)
            with scratch() as folder:
                return _Video(self, wanted, folder, context()).make()
        except (OrderError, InputError) as error:
            raise Permanent(str(error)) from error
        except BrokenPictureError as error:
            raise (TaskFailedError if error.temporary else Permanent)(str(error)) from error


@dataclass(slots=True)
class _Video:
    """One video while it is made."""

    maker: VideoMaker
    order: Order
    folder: Path
    here: Context
    timeout_s: float | None = field(default_factory=remaining_s)
    skipped: list[Broken] = field(default_factory=list)

    def make(self) -> dict[str, Any]:
        spec = self._spec()
        if self.order.audio is not None and spec.audio is not None:
            self._fetch_sound(self.order.audio, spec.audio)
        video, sheet = self.folder / "video.mp4", ContactSheet(len(self.order.images))
        report = self._render(spec, video, sheet)
        with self.here.stage("upload"):
            self.here.store("video.mp4", video)
            beside = self.here.store("sheet.jpg", sheet.jpeg())
        return self._summary(report, beside)

    def _spec(self) -> VideoSpec:
        asked = self.order
        return VideoSpec(
            width=self.maker.width,
            height=self.maker.height,
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

    def _render(self, spec: VideoSpec, video: Path, sheet: ContactSheet) -> VideoReport:
        with (
            self.here.stage("encode"),
            downloads(self._fetcher(), self.order.images) as arriving,
            closing(self._read(arriving)) as pictures,
        ):
            try:
                return render(self._frames(pictures, sheet), spec, video)
            except InputError as error:  # it names the file, of which the task's author knows nothing
                where = redacted(self.order.audio or "")
                raise InputError(str(error).replace(str(spec.audio), where)) from error

    def _frames(self, pictures: Iterator[Picture | Broken], sheet: ContactSheet) -> Iterator[VideoFrame]:
        for picture in select_usable(pictures, self.order.broken, self.skipped):
            sheet.add(picture.frame)
            yield picture.frame

    def _read(self, arriving: Iterator[Download]) -> Generator[Picture | Broken]:
        """Read what arrives on a few threads; the pictures come in order."""
        canvas = Canvas(self.maker.width, self.maker.height, self.order.background)

        def read(download: Download) -> Picture | Broken:
            return read_picture(download, canvas, self.maker.memory)

        with closing(futures_in_order(read, self._wait_for_downloads(arriving), _THREADS, "read")) as futures:
            for future in futures:
                yield self._wait_for_picture(future)

    def _wait_for_downloads(self, arriving: Iterator[Download]) -> Iterator[Download]:
        while True:
            with self.here.stage("download"):
                download = next(arriving, None)
            if download is None:
                return
            yield download

    def _wait_for_picture(self, reading: "Future[Picture | Broken]") -> Picture | Broken:
        with self.here.stage("decode"):
            picture = reading.result()
        self._check_time()  # before anybody looks at it: what came too late for the task is not a broken picture
        return picture

    def _fetcher(self) -> Fetcher:
        maker, limits, left_s = self.maker, self.maker.limits, remaining_s()
        if left_s is not None:
            limits = replace(limits, total_s=max(_SOONEST_S, min(limits.total_s, left_s)))
        return Fetcher(maker.addresses, limits, Backoff(), maker.buckets, tls=maker.tls, files=maker.files)

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
