"""What a task of animoto may ask for: words, `animoto URL URL ...`, or a JSON object; checked before anything else."""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from animoto.download.urls import UrlError, check_source, check_url, redacted
from animoto.picture.broken import OnBroken
from animoto.picture.letterbox import Background
from animoto.video import MAX_SECONDS, MAX_TITLE_CHARACTERS, Engine, Transition
from cloudkon.errors import CloudKonError

MAX_VIDEO_SECONDS = 4 * 3600
_MIN_SECONDS = 0.1

_EnumT = TypeVar("_EnumT", bound=StrEnum)
_Check = Callable[[str], None]
"""Raises UrlError for what can't be fetched."""


class OrderError(CloudKonError):
    """A task asks for a video that can't be made. The message tells its author why."""


@dataclass(frozen=True, slots=True)
class Order:
    """A video to be made; each field is a key of the JSON object, of the same meaning."""

    images: tuple[str, ...]
    seconds: float = 1.0
    transition: Transition = Transition.CUT
    fade_seconds: float = 0.5
    pan_zoom: bool = False
    title: str | None = None
    audio: str | None = None
    background: Background = Background.BLUR
    broken: OnBroken = OnBroken.FAIL
    engine: Engine = Engine.AUTO


_KEYS = tuple(field.name for field in fields(Order))


def parse_order(*urls: Any, **options: Any) -> Order:
    """Read a task's words, or its JSON keys; raise OrderError with the place and the reason."""
    return _parse(urls, options, check_url)


def parse_local_order(*urls: Any, **options: Any) -> Order:
    """Read an order that may name files of this machine too, by their paths."""
    return _parse(urls, options, check_source)


def _parse(urls: Sequence[Any], options: Mapping[str, Any], check: _Check) -> Order:
    _check_keys(options)
    if urls and "images" in options:
        raise OrderError('the pictures are given twice: as "args" and as "images"')
    images = list(urls) if urls else options.get("images")
    order = Order(
        images=_images(images, check),
        seconds=_seconds(options, "seconds", 1.0, _MIN_SECONDS, MAX_SECONDS),
        transition=_choice(options, "transition", Transition.CUT),
        fade_seconds=_seconds(options, "fade_seconds", 0.5, 0.0, MAX_SECONDS),
        pan_zoom=_flag(options, "pan_zoom"),
        title=_title(options.get("title")),
        audio=_audio(options.get("audio"), check),
        background=_choice(options, "background", Background.BLUR),
        broken=_choice(options, "broken", OnBroken.FAIL),
        engine=_choice(options, "engine", Engine.AUTO),
    )
    _check_length(order)
    return order


def _check_keys(options: Mapping[str, Any]) -> None:
    for key in options:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            raise OrderError(
                f'unknown key "{key[:40]}"; '
                + (f'is "{near[0]}" meant?' if near else f"the keys are: task, id, {', '.join(_KEYS)}")
            )


def _images(images: Any, check: _Check) -> tuple[str, ...]:
    if images is None or images == []:
        raise OrderError('no pictures: write animoto URL URL ..., or "images": [URL, ...] in JSON')
    if not isinstance(images, list):
        raise OrderError('"images" is not a list of URLs')
    for number, url in enumerate(images, start=1):
        _check_url(f"picture {number}", url, check)
    return tuple(images)


def _audio(url: Any, check: _Check) -> str | None:
    if url is not None:
        _check_url('"audio"', url, check)
    return url  # type: ignore[no-any-return] # checked


def _check_url(place: str, url: Any, check: _Check) -> None:
    if not isinstance(url, str):
        raise OrderError(f"{place} is not a URL, as a string")
    try:
        check(url)
    except UrlError as error:
        raise OrderError(f"{place}, {redacted(url)}: {error}") from error


def _seconds(options: Mapping[str, Any], key: str, default: float, least: float, most: float) -> float:
    value = options.get(key)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise OrderError(f'"{key}" is not a number of seconds')
    if not least <= value <= most:
        raise OrderError(f'"{key}" is {value:g}, and may be {least:g} to {most:g}')
    return float(value)


def _choice(options: Mapping[str, Any], key: str, default: _EnumT) -> _EnumT:
    kind, value = type(default), options.get(key)
    if value is None:
        return default
    if not isinstance(value, str) or value not in list(kind):
        raise OrderError(f'"{key}" is one of {", ".join(kind)}, not {str(value)[:40]!r}')
    return kind(value)


def _flag(options: Mapping[str, Any], key: str) -> bool:
    value = options.get(key)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise OrderError(f'"{key}" is true or false')
    return value


def _title(title: Any) -> str | None:
    if title is None or title == "":
        return None
    if not isinstance(title, str) or not title.isprintable() or len(title) > MAX_TITLE_CHARACTERS:
        raise OrderError(f'"title" is a line of text of at most {MAX_TITLE_CHARACTERS} characters')
    return title


def _check_length(order: Order) -> None:
    if order.transition is Transition.FADE and order.fade_seconds >= order.seconds:
        raise OrderError(
            f"a fade of {order.fade_seconds:g} s is not shorter than a picture stands, "
            f'{order.seconds:g} s: make "seconds" longer or "fade_seconds" shorter'
        )
    if len(order.images) * order.seconds > MAX_VIDEO_SECONDS:
        raise OrderError(f"the video would last longer than {MAX_VIDEO_SECONDS // 3600} hours: make several of it")
