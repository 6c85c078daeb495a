"""A second H.264 decoder, not libavcodec's: OpenH264 (Debian: libopenh264-7), through its C interface."""

import ctypes
from collections.abc import Iterable, Iterator
from ctypes.util import find_library

LIBRARY = find_library("openh264")

_Planes = ctypes.POINTER(ctypes.c_ubyte) * 3


class _Parameters(ctypes.Structure):
    _fields_ = (
        ("file_name", ctypes.c_char_p),
        ("cpu_load", ctypes.c_uint),
        ("target_layer", ctypes.c_ubyte),
        ("error_concealment", ctypes.c_int),
        ("parse_only", ctypes.c_bool),
        ("property_size", ctypes.c_uint),
        ("stream_type", ctypes.c_int),
    )


class _Picture(ctypes.Structure):
    _fields_ = (
        ("status", ctypes.c_int),
        ("in_time", ctypes.c_ulonglong),
        ("out_time", ctypes.c_ulonglong),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("format", ctypes.c_int),
        ("stride", ctypes.c_int * 2),
        ("planes", _Planes),
    )


_DECODER = ctypes.c_void_p
_DECODE = (_DECODER, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Planes), ctypes.POINTER(_Picture))
_VERBS = (
    ("initialize", (_DECODER, ctypes.POINTER(_Parameters))),
    ("uninitialize", (_DECODER,)),
    ("decode", _DECODE),
    ("decode_no_delay", _DECODE),
    ("decode2", _DECODE),
    ("flush", (_DECODER, ctypes.POINTER(_Planes), ctypes.POINTER(_Picture))),
)


def decode(units: Iterable[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The planes of each frame, in presentation order; raises ValueError where the decoder is not content."""
    library = ctypes.CDLL(LIBRARY)
    handle = ctypes.c_void_p()
    assert library.WelsCreateDecoder(ctypes.byref(handle)) == 0
    table = ctypes.cast(handle, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
    verbs = {name: ctypes.CFUNCTYPE(ctypes.c_long, *kinds)(table[at]) for at, (name, kinds) in enumerate(_VERBS)}
    assert verbs["initialize"](handle, ctypes.byref(_Parameters(property_size=8, stream_type=0))) == 0
    try:
        for unit in units:
            yield from _picture(verbs["decode_no_delay"], handle, unit, len(unit))
        while last := list(_picture(verbs["flush"], handle)):
            yield from last
    finally:
        verbs["uninitialize"](handle)
        library.WelsDestroyDecoder(handle)


def _picture(verb: object, *arguments: object) -> Iterator[tuple[bytes, bytes, bytes]]:
    assert callable(verb)
    planes, picture = _Planes(), _Picture()
    state = verb(*arguments, ctypes.byref(planes), ctypes.byref(picture))
    if state:
        raise ValueError(f"OpenH264 is not content: {state:#x}.")
    if picture.status == 1:
        width, height, (stride, half_stride) = picture.width, picture.height, picture.stride
        yield (
            _plane(planes[0], width, height, stride),
            _plane(planes[1], width // 2, height // 2, half_stride),
            _plane(planes[2], width // 2, height // 2, half_stride),
        )


def _plane(pixels: "ctypes._Pointer[ctypes.c_ubyte]", width: int, height: int, stride: int) -> bytes:
    start = ctypes.cast(pixels, ctypes.c_void_p).value or 0
    return b"".join(ctypes.string_at(start + row * stride, width) for row in range(height))
