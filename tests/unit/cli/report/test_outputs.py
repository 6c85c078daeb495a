"""The videos of a job, from the values of its tasks."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.report.outputs import Outputs, shown_videos
from cloudkon.ledger.lease import BundleRow
from cloudkon.local.store import FolderStore
from tests.support.data.recorded import result, row

JPEG = b"\xff\xd8\xff" + b"picture" * 20


def video_row(number: int, value: Any, output: str | None = None) -> BundleRow:
    key = f"outputs/a/{number}/video.mp4" if output is None else output
    return row([replace(result(value=value), output=key)], number=number, first_line=number)


def made(number: int) -> dict[str, Any]:
    return {"sheet": f"outputs/a/{number}/sheet.jpg", "seconds": 6.5, "pictures": 3, "bytes": 12_345}


def outputs_of(*rows: BundleRow) -> Outputs:
    outputs = Outputs()
    for each in rows:
        outputs.add(each)
    return outputs


def test_the_videos_of_the_first_lines_are_kept(tmp_path: Path) -> None:
    """Of many videos in any order, all are counted, and the first are shown."""
    outputs = outputs_of(*(video_row(number, made(number)) for number in (*range(50, 0, -1), *range(51, 60))))
    assert (outputs.stored, outputs.videos, outputs.seconds) == (59, 59, 59 * 6.5)
    assert [video.place.line for video in outputs.first_videos()] == list(range(1, 25))


@pytest.mark.parametrize(
    "value",
    [
        None,
        "sheet",
        {"sheet": 7},
        {"sheet": "../../etc/passwd"},
        {"sheet": "outputs/b/1/sheet.jpg"},
        {"seconds": 3},
    ],
    ids=str,
)
def test_other_outputs_are_no_videos(value: Any) -> None:
    """A handler's value may say anything: only a sheet beside its own output is taken for one."""
    outputs = outputs_of(video_row(1, value))
    assert (outputs.stored, outputs.videos) == (1, 0)


def test_figures_that_are_no_numbers_are_left_out() -> None:
    """What a handler says of itself is bounded, and nothing but a number counts as one."""
    odd = made(1) | {"seconds": float("inf"), "pictures": "many", "bytes": -3}
    [video] = outputs_of(video_row(1, odd)).first_videos()
    assert (video.seconds, video.pictures, video.size_bytes) == (0.0, 0, 0)


def test_sheets_are_shown_as_far_as_there_is_room(tmp_path: Path) -> None:
    """A sheet that is missing, too large or no JPEG leaves its video without; the others are in the page."""
    store = FolderStore(tmp_path)
    store.write("outputs/a/1/sheet.jpg", JPEG)
    store.write("outputs/a/2/sheet.jpg", b"<svg onload=alert(1)>")
    store.write("outputs/a/4/sheet.jpg", JPEG * 100_000)
    store.write("outputs/a/5/sheet.jpg", JPEG)
    videos = outputs_of(*(video_row(number, made(number)) for number in range(1, 6))).first_videos()
    sheets = [shown.sheet for shown in shown_videos(videos, store, 10_000)]
    wanted = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
    assert sheets == [wanted, None, None, None, wanted]
    assert [shown.sheet for shown in shown_videos(videos, store, 350)] == [wanted, None, None, None, None]
