"""The planes of a frame as pictures of Pillow's, and back."""

from collections.abc import Sequence

from av import VideoFrame
from av.video.plane import VideoPlane
from PIL import Image


def planes_of(frame: VideoFrame) -> list[Image.Image]:
    """Brightness and the two colours, each in grey."""
    return [
        Image.frombuffer("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]


def joined(planes: Sequence[Image.Image], pixels: str = "yuv420p") -> VideoFrame:
    """A frame of planes: the colours have half the size of the brightness, or in yuvj444p the same."""
    frame = VideoFrame(*planes[0].size, pixels)
    for image, plane in zip(planes, frame.planes, strict=True):
        plane.update(_padded(image.tobytes(), plane))
    return frame


def _padded(data: bytes, plane: VideoPlane) -> bytes:
    """Rows as far apart as the frame's memory has them."""
    width, line_size = plane.width, plane.line_size
    if width == line_size:
        return data
    return b"".join(data[at : at + width].ljust(line_size, b"\0") for at in range(0, len(data), width))
