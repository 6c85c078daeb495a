"""From the lines of a workload with a form to the lines of its tasks: each keeps its number."""

from collections.abc import Iterable, Iterator

from cloudkon.workload.lines import BadLine, Block, Line, one_by_one
from cloudkon.workload.planning import is_header
from cloudkon.workload.templates.errors import RowError
from cloudkon.workload.templates.form import Form, compile_form
from cloudkon.workload.templates.header import without_form

_EXCERPT_CHARACTERS = 120


def expanded(items: Iterable[Block | Line | BadLine], form: Form, *, is_first: bool) -> Iterator[Line | BadLine]:
    """The tasks of a range's lines; is_first says whether the workload begins here.

    Header lines keep what is not about the form, and the names of columns become a comment. A form with an error has no
    tasks: all that comes is that error.
    """
    if form.error is not None:
        yield from _failed(items, form)
        return
    ready = compile_form(form)
    skip = form.skip if is_first else 0
    for line in one_by_one(items):
        if isinstance(line, BadLine):
            yield line
        elif line.number <= skip:
            yield _of_the_top(line)
        else:
            try:
                yield Line(line.number, ready.task(line.text, line.number - skip) or "", line.end)
            except RowError as error:
                yield BadLine(line.number, str(error), line.text[:_EXCERPT_CHARACTERS], line.end)


def is_in_one_piece(form: Form | None) -> bool:
    """Whether a workload of this form can't be cut into ranges: its tasks depend on their place in all of it."""
    return form is not None and (form.error is not None or compile_form(form).is_numbered)


def _of_the_top(line: Line) -> Line:
    if is_header(line.text):
        return without_form(line)
    return line if line.text.startswith("#") or not line.text else Line(line.number, f"# {line.text}", line.end)


def _failed(items: Iterable[Block | Line | BadLine], form: Form) -> Iterator[Line | BadLine]:
    for line in one_by_one(items):
        if line.number >= form.error_line:
            text = line.text if isinstance(line, Line) else line.excerpt
            yield BadLine(line.number, form.error or "", text[:_EXCERPT_CHARACTERS], line.end)
            return
        yield Line(line.number, "", line.end)
