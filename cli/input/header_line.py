"""Writes the form that options say into a workload's first line, for whoever reads it without these options."""

import codecs
import gzip
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cloudkon.errors import InputError
from cloudkon.workload.lines import GZIP_MAGIC
from cloudkon.workload.templates.form import Form


def header_line(form: Form) -> str:
    """The form as a header; raises InputError for what one line of text can't hold."""
    words = [("each", form.each), ("task", form.task), ("colsep", form.separator)]
    said = [f"format={form.format.value}"]
    for name, value in words:
        if value is None:
            continue
        if not value.isprintable():
            raise InputError(f"--{name} {value!r} can't be written into a header, which is one line of text.")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        said.append(f'{name}="{escaped}"')
    return f"#cloudkon: {' '.join(said)}"


@contextmanager
def with_header(path: Path, form: Form) -> Iterator[Path]:
    """A copy of a file below a header line; what is gzipped stays so."""
    header = f"{header_line(form)}\n".encode()
    with TemporaryDirectory(prefix="cloudkon-") as folder, path.open("rb") as file:
        copy = Path(folder) / "workload"
        with copy.open("wb") as out:
            start = file.read(len(codecs.BOM_UTF8))
            if start.startswith(GZIP_MAGIC):
                out.write(gzip.compress(header))  # a member of its own
            else:
                out.write(header)
                start = start.removeprefix(codecs.BOM_UTF8)
            out.write(start)
            shutil.copyfileobj(file, out)
        yield copy
