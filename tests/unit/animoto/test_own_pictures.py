"""Pictures of a person's own: found in folders, and put in order."""

import os
from pathlib import Path

import pytest
from PIL import Image

from animoto.formats.taken import taken_at
from animoto.own_pictures import PictureOrder, find_pictures
from cloudkon.errors import InputError
from tests.support.data.pixels import RED, encoded, stripes


def _photo(path: Path, taken: str | None = None, tag: int = 0x9003, changed_s: int = 1_700_000_000) -> Path:
    exif = Image.Exif()
    if taken is not None and tag == 0x0132:
        exif[tag] = taken
    elif taken is not None:
        exif.get_ifd(0x8769)[tag] = taken
    path.write_bytes(encoded(stripes(8, 8, RED), "JPEG", exif=exif.tobytes() if taken else b""))
    os.utime(path, (changed_s, changed_s))
    return path


def _names(found: object) -> list[str]:
    return [path.name for path in found.files]  # type: ignore[attr-defined]


def test_names_are_ordered_as_people_count(tmp_path: Path) -> None:
    """IMG_2 stands before IMG_10, whatever the case of letters; hidden files and folders are no pictures."""
    for name in ("IMG_10.JPG", "img_2.jpg", "IMG_1.png", "b.webp", "A.gif", ".hidden.jpg", "notes.txt", "² 3.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "below.jpg").mkdir()
    assert _names(find_pictures([tmp_path], PictureOrder.NAME)) == [
        *("A.gif", "b.webp", "IMG_1.png", "img_2.jpg", "IMG_10.JPG", "² 3.jpg")
    ]


def test_dates_are_those_of_the_camera(tmp_path: Path) -> None:
    """By date, the camera's note decides over the file's time, and that decides where there is no note."""
    _photo(tmp_path / "a.jpg", "2026:06:03 10:00:00", changed_s=1)
    _photo(tmp_path / "b.jpg", "2026:06:01 10:00:00")
    _photo(tmp_path / "c.jpg", "2026:06:02 10:00:00", 0x0132)
    _photo(tmp_path / "d.jpg", changed_s=1_780_000_000)  # 28 May 2026
    _photo(tmp_path / "e.jpg", "0000:00:00 00:00:00", changed_s=1_600_000_000)
    assert _names(find_pictures([tmp_path], PictureOrder.DATE)) == ["e.jpg", "d.jpg", "b.jpg", "c.jpg", "a.jpg"]


def test_places_follow_one_another(tmp_path: Path) -> None:
    """By name, a folder's pictures stand together where it was named; paths are absolute."""
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        for name in ("1.jpg", "2.jpg"):
            (tmp_path / folder / name).touch()
    (tmp_path / "last").touch()
    found = find_pictures([tmp_path / "y", tmp_path / "last", tmp_path / "x"], PictureOrder.NAME).files
    assert [str(path.relative_to(tmp_path)) for path in found] == ["y/1.jpg", "y/2.jpg", "last", "x/1.jpg", "x/2.jpg"]
    assert all(path.is_absolute() for path in found)


def test_pictures_that_are_not_read_are_told(tmp_path: Path) -> None:
    """What a folder has of HEIC and the like is left out, and said."""
    for name in ("1.jpg", "2.HEIC", "3.tif", "4.cr2", "5.svg"):
        (tmp_path / name).touch()
    found = find_pictures([tmp_path], PictureOrder.NAME)
    assert _names(found) == ["1.jpg"]
    assert found.warning.startswith("Left out, because their kind is not read: ")
    assert found.warning.endswith(" and 1 more.")


def test_nothing_to_show_is_an_error(tmp_path: Path) -> None:
    """A folder without pictures, and a name without a file, are refused."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="There are no pictures in"):
        find_pictures([tmp_path], PictureOrder.NAME)
    with pytest.raises(InputError, match="does not exist"):
        find_pictures([tmp_path / "none"], PictureOrder.NAME)
    with pytest.raises(InputError, match="neither a picture nor a folder"):
        find_pictures([Path("/dev/null")], PictureOrder.NAME)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe1\0\x20Exif\0\0II*\0\xff\xff\xff\xff", b"\x89PNG"])
def test_rubbish_was_taken_at_no_time(data: bytes, tmp_path: Path) -> None:
    """A file that tells no time, or is no picture, is no error."""
    (tmp_path / "a.jpg").write_bytes(data)
    assert taken_at(tmp_path / "a.jpg") is None
