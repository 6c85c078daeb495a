"""Files of sound: a tone of 440 Hz, in every form that people keep sound in."""

import io
import math
import struct
from fractions import Fraction
from typing import Any

import av
from av import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream


def tone(
    codec: str, container: str, rate: int = 48_000, layout: str = "stereo", *, seconds: float = 2, **options: Any
) -> bytes:
    """A file of this codec and container."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental", **options})
        assert isinstance(stream, AudioStream)
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = AudioResampler(stream.codec_context.format, layout, rate, size)
        for at in range(0, int(seconds * rate), size):
            for frame in resampler.resample(_frame(at, size, rate, layout)):
                file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def _frame(at: int, size: int, rate: int, layout: str) -> AudioFrame:
    frame = AudioFrame("fltp", layout, size)
    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
    wave = struct.pack(f"{size}f", *(0.4 * math.sin(math.tau * 440 * (at + n) / rate) for n in range(size)))
    for plane in frame.planes:
        plane.update(wave.ljust(plane.buffer_size, b"\0")[: plane.buffer_size])
    return frame


def wav(
    bits: int = 16,
    channels: int = 2,
    rate: int = 48_000,
    *,
    seconds: float = 2,
    kind: int | None = None,
    mask: int | None = None,
    size: int | None = None,
    before: bytes = b"",
) -> bytes:
    """A RIFF file of samples; size is what its header tells of their length, before stands before its format."""
    floating = kind == 3
    count = int(rate * seconds)
    levels = (0.4 * math.sin(math.tau * 440 * n / rate) for n in range(count))
    data = b"".join(_sample(level, bits, floating=floating) * channels for level in levels)
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", kind or 1, channels, rate, rate * align, align, bits)
    if mask is not None:  # https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatextensible
        form = struct.pack("<H", 0xFFFE) + form[2:] + struct.pack("<HHI", 22, bits, mask)
        form += struct.pack("<H", kind or 1) + bytes.fromhex("000000001000800000aa00389b71")
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", min(len(body), 0xFFFFFFFF)) + body


def _sample(level: float, bits: int, *, floating: bool) -> bytes:
    if floating:
        return struct.pack("<f" if bits == 32 else "<d", level)
    if bits == 8:
        return bytes([128 + int(127 * level)])
    return int(level * (1 << (bits - 1))).to_bytes(bits // 8, "little", signed=True)


def id3(size: int, *, major: int = 3, picture: bytes = b"") -> bytes:
    """A tag as it stands before MP3 and AAC (id3.org, 2.3), with a cover in it and so many bytes of padding."""
    cover = b"\0image/jpeg\0\3\0" + picture
    frames = b"APIC" + struct.pack(">IH", len(cover), 0) + cover if picture else b""
    body = frames + bytes(size)
    length = len(body)
    return b"ID3" + bytes([major, 0, 0, *(length >> shift & 127 for shift in (21, 14, 7, 0))]) + body
