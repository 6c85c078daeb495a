"""Files that are no workloads are called what they are."""

import bz2
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from cloudkon.workload.formats import known_misfit, misfit

TEXT = "sleep 0\nshell echo hello\n" * 40


def zipped(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("tasks.txt", TEXT)
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("tasks.txt")
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT.encode()))
    return out.getvalue()


MISFITS: dict[str, tuple[Callable[[], bytes], str]] = {
    "stored ZIP": (lambda: zipped(zipfile.ZIP_STORED), "a ZIP archive"),
    "deflated ZIP": (lambda: zipped(zipfile.ZIP_DEFLATED), "a ZIP archive"),
    "tar": (tarred, "a tar archive"),
    "xz": (lambda: lzma.compress(TEXT.encode()), "compressed by xz"),
    "bzip2": (lambda: bz2.compress(TEXT.encode()), "compressed by bzip2"),
    "UTF-16": (lambda: TEXT.encode("utf-16"), "UTF-16 text"),
    "UTF-16, big endian": (lambda: b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16 text"),
    "UTF-16 without a mark": (lambda: TEXT.encode("utf-16-le"), "UTF-16 text"),
    "UTF-16, big endian, without a mark": (lambda: TEXT.encode("utf-16-be"), "UTF-16 text"),
    "UTF-32": (lambda: TEXT.encode("utf-32"), "UTF-32 text"),
    "PDF": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_known_formats_are_named(name: str) -> None:
    """Each is told with what to do about it."""
    make, expected = MISFITS[name]
    assert expected in (known_misfit(make()) or "")


@pytest.mark.parametrize(
    "text", ["", "s", TEXT, "\ufeff" + TEXT, "PK 1\n", "BZh 1\n", "schläft\n", "日本\n" * 99, "7z x a.7z\n"]
)
def test_text_is_none_of_them(text: str) -> None:
    """UTF-8 with or without a mark may be a workload, and so may what only begins like one of those names."""
    assert misfit(text.encode()) is None


@pytest.mark.parametrize("content", [b"\x7fELF\0\0\0", b"a\0b", b"sleep 0\n" * 9 + b"\0"])
def test_what_has_null_bytes_is_binary(content: bytes) -> None:
    """It has no name of its own, and a dispatcher judges its lines one by one."""
    assert "is a binary file" in (misfit(content) or "")
    assert known_misfit(content) is None


def test_only_the_beginning_is_looked_at() -> None:
    """What comes later is the business of its line."""
    assert misfit(TEXT.encode() * 100 + b"\0") is None
