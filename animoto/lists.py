"""Cuts a plain list of URLs into videos."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from animoto.download.urls import UrlError, check_url, redacted
from cloudkon.errors import InputError
from cloudkon.workload.task_line import MAX_LINE_BYTES, is_task_line


def read_urls(lines: Iterable[str], name: str) -> list[str]:
    """Read one URL a line, without blank lines and comments (#). Raises InputError with file and line."""
    urls = []
    for number, line in enumerate(lines, start=1):
        url = line.strip()
        if not is_task_line(url):
            continue
        try:
            check_url(url)
        except UrlError as error:
            raise InputError(f"{name}:{number}: {redacted(url)}: {error}.") from error
        urls.append(url)
    return urls


def video_tasks(urls: Sequence[str], per_video: int, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield a task's line for each `per_video` pictures (the last: or fewer). Raises InputError for a line too long."""
    for first in range(0, len(urls), per_video):
        images = list(urls[first : first + per_video])
        line = json.dumps({"task": "animoto", "images": images, **options}, ensure_ascii=False)
        size_bytes = len(line.encode())
        if size_bytes > MAX_LINE_BYTES:
            raise InputError(
                f"Pictures {first + 1} to {first + len(images)} make a task of {size_bytes:,} bytes, and a line has at "
                f"most {MAX_LINE_BYTES:,}. Put fewer into a video: --per-video {per_video // 2 or 1}"
            )
        yield line
