"""Write a title over a picture: white with a dark edge, in the lower third, as large as fits."""

from av import VideoFrame
from PIL import Image, ImageDraw, ImageFont

from animoto.picture.planes import frame_of_planes, planes_of

_WHITE, _BLACK, _GREY = 235, 16, 128
_ROOM = (0.9, 0.4)
"""How much of the picture's width and height the title may take."""
_HEIGHTS = (10, 12, 14, 17, 20, 24, 28, 34)
"""Of a line: as the picture's height divided by these; the largest that fits is taken."""
_MIN_LINE = 8


def with_title(frame: VideoFrame, title: str) -> VideoFrame:
    """The frame with the title on it.

    In the font that Pillow brings (Aileron: Latin letters; others show as boxes). Lines are broken between words; what
    does not fit at the smallest size is cut.
    """
    ink, edge = _draw_masks(title, frame.width, frame.height)
    brightness, *colours = planes_of(frame)
    brightness.paste(_BLACK, mask=edge)
    brightness.paste(_WHITE, mask=ink)
    for plane in colours:
        plane.paste(_GREY, mask=edge.resize(plane.size, Image.Resampling.BOX))
    return frame_of_planes([brightness, *colours])


def _draw_masks(title: str, width: int, height: int) -> tuple[Image.Image, Image.Image]:
    """Where the letters are, and where they are with their edge."""
    ink, edge = Image.new("L", (width, height)), Image.new("L", (width, height))
    for part in _HEIGHTS:
        font = ImageFont.load_default(max(_MIN_LINE, height / part))
        stroke = max(1, height // part // 16)
        text = _wrap(title, font, _ROOM[0] * width - 2 * stroke)
        pen = ImageDraw.Draw(edge)
        box = pen.multiline_textbbox((0, 0), text, font, align="center", stroke_width=stroke)
        if box[2] - box[0] <= _ROOM[0] * width and box[3] - box[1] <= _ROOM[1] * height:
            break
    place = (width / 2, height * 0.95)
    ImageDraw.Draw(ink).multiline_text(place, text, 255, font, "md", align="center")
    pen.multiline_text(place, text, 255, font, "md", align="center", stroke_width=stroke)
    return ink, edge


def _wrap(title: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """The title in lines that are no wider, as far as its words allow."""
    lines: list[str] = []
    for word in title.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)
