"""Make a video of pictures, with either engine. This is the one entry to them."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from av import FFmpegError, VideoFrame

from animoto.h264.intra import IntraEncoder
from animoto.h264.slices import IntraPicture
from animoto.h264.stream import CodedVideo, synthesise
from animoto.in_order import futures_in_order
from animoto.movie.encode import encode_every_frame
from animoto.movie.mux import write_mp4
from animoto.movie.verify import check_mp4
from animoto.picture.title import with_title
from animoto.video import Engine, VideoError, VideoReport, VideoSpec
from cloudkon.errors import InputError

_COPY_BYTES = 1 << 20


def render(pictures: Iterable[VideoFrame], spec: VideoSpec, out: Path | BinaryIO, *, threads: int = 1) -> VideoReport:
    """Write an MP4 file of pictures, each a yuv420p frame of the video's size in limited range.

    Draws the pictures one by one, a few ahead of what is written (threads of them are encoded beside the caller's own
    thread). The same pictures give the same bytes, whatever the threads. The file is read back before it takes its
    place: there is a whole video, or none. Raises InputError for what it is given, VideoError where the file can't be
    written or is not right; errors of the pictures' own come through.
    """
    beside = out.parent if isinstance(out, Path) else None
    with tempfile.TemporaryDirectory(prefix=".video-", dir=beside, ignore_cleanup_errors=True) as folder:
        part = Path(folder, "part.mp4")
        report = _write_and_check(pictures, spec, part, threads)
        if isinstance(out, Path):
            part.replace(out)
        else:
            with part.open("rb") as file:
                shutil.copyfileobj(file, out, _COPY_BYTES)
    return report


def _write_and_check(pictures: Iterable[VideoFrame], spec: VideoSpec, path: Path, threads: int) -> VideoReport:
    checked = _CheckedPictures(pictures, spec)
    try:
        written = write_mp4(_encode(checked, spec, threads), spec.fps, spec.audio, path)
    except FFmpegError as error:
        raise VideoError(f"The video could not be written: {error}.") from error
    frames = spec.timing.start(checked.count)
    if written != frames:
        raise VideoError(f"{checked.count} pictures make {frames} frames; {written} were written.")
    check_mp4(path, frames, spec.fps, sound=spec.audio is not None)
    return VideoReport(checked.count, frames, frames / spec.fps, path.stat().st_size, spec.used_engine)


def _encode(pictures: "_CheckedPictures", spec: VideoSpec, threads: int) -> CodedVideo:
    if spec.used_engine is Engine.ENCODE:
        return encode_every_frame(pictures, spec)
    return synthesise(encode_each_once(pictures, spec.qp, threads), spec.screen, spec.timing)


def encode_each_once(pictures: Iterable[VideoFrame], qp: int, threads: int) -> Iterator[IntraPicture]:
    """Encode each picture by itself on a few threads; yield them in order."""
    encoder = IntraEncoder(qp)

    def encode(numbered: tuple[int, VideoFrame]) -> IntraPicture:
        number, picture = numbered
        return encoder.encode(picture, number)

    for future in futures_in_order(encode, enumerate(pictures), threads, "encode"):
        yield future.result()


class _CheckedPictures:
    """Passes the pictures on one by one: checks and counts them, and puts the title on the first."""

    def __init__(self, pictures: Iterable[VideoFrame], spec: VideoSpec) -> None:
        self._pictures = pictures
        self._spec = spec
        self.count = 0

    def __iter__(self) -> Iterator[VideoFrame]:
        for picture in self._pictures:
            self._check(picture)
            titled = self.count == 0 and self._spec.title
            self.count += 1
            yield with_title(picture, titled) if titled else picture
        if not self.count:
            raise InputError("A video needs one picture at least.")

    def _check(self, picture: VideoFrame) -> None:
        found = (picture.width, picture.height, picture.format.name)
        if found != (self._spec.width, self._spec.height, "yuv420p"):
            raise InputError(
                f"Picture {self.count + 1} is {found[0]}x{found[1]} in {found[2]}; "
                f"the video is {self._spec.width}x{self._spec.height} in yuv420p."
            )
