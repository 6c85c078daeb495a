"""Converts the planes of a frame to pictures of Pillow, and back."""

from collections.abc import Sequence

from av import VideoFrame
from av.video.plane import VideoPlane
from PIL import Image


def planes_of(frame: VideoFrame) -> list[Image.Image]:
    """The planes of brightness and of the two colours, each as a grey picture."""
    return [
        Image.frombuffer("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    ]


def frame_of_planes(planes: Sequence[Image.Image], pixels: str = "yuv420p") -> VideoFrame:
    """Make a frame of planes. Colour planes have half the size of the brightness, or the same size in yuvj444p."""
    frame = VideoFrame(*planes[0].size, pixels)
    for image, plane in zip(planes, frame.planes, strict=True):
        plane.update(_pad_rows(image.tobytes(), plane))
    return frame


def _pad_rows(data: bytes, plane: VideoPlane) -> bytes:
    """Pad rows to the distance that they have in the frame's memory."""
    width, line_size = plane.width, plane.line_size
    if width == line_size:
        return data
    return b"".join(data[at : at + width].ljust(line_size, b"\0") for at in range(0, len(data), width))
