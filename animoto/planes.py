"""The planes of a frame as pictures of Pillow's, and back."""

from collections.abc import Sequence

from av import VideoFrame
from PIL import Image


def planes_of(frame: VideoFrame) -> list[Image.Image]:
    """Brightness and the two colours, each in grey."""
    return [
        Image.frombuffer("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]


def frame_of(planes: Sequence[Image.Image]) -> VideoFrame:
    """A yuv420p frame."""
    frame = VideoFrame(*planes[0].size, "yuv420p")
    for image, plane in zip(planes, frame.planes, strict=True):
        plane.update(_padded(image.tobytes(), plane.width, plane.line_size))
    return frame


def _padded(data: bytes, width: int, line_size: int) -> bytes:
    """Rows as far apart as the frame's memory has them."""
    if width == line_size:
        return data
    return b"".join(data[at : at + width].ljust(line_size, b"\0") for at in range(0, len(data), width))
