"""How `make docs` builds the site: the pages as they are, and a reference made of the help and the docstrings."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import cloudkon  # noqa: E402 (where it is, is known only now)
from cli.main import cloudkon_cli  # noqa: E402

project = "CloudKon"
author = "The CloudKon authors"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "README"
exclude_patterns = ["conf.py"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "CloudKon"
autodoc_member_order = "bysource"
nitpicky = False

_LINK = re.compile(r"\]\(([\w./-]+\.md)(#[\w-]+)?\)")
_INDENTED = re.compile(r"^ {4,}\S")


def setup(app: Any) -> None:
    """What Sphinx calls first."""
    app.connect("source-read", complete)
    app.connect("autodoc-process-docstring", as_literals)


def complete(_app: Any, page: str, source: list[str]) -> None:
    """Give a page what only the site has: the table of contents, the reference, and pages outside of docs/."""
    here = DOCS / f"{page}.md"
    source[0] = _LINK.sub(lambda found: _link(here, found), source[0])
    if page == "README":
        source[0] += contents(source[0])
    elif page == "adr/README":
        source[0] += _tree("Decisions", sorted(path.stem for path in (DOCS / "adr").glob("0*.md")))
    elif page == "reference-cli":
        source[0] += "".join(command_reference(cloudkon_cli, click.Context(cloudkon_cli, info_name="cloudkon-cli")))
    elif page == "reference-python":
        source[0] += python_reference()


def _link(here: Path, found: re.Match[str]) -> str:
    """A link as it is; to a page that is not on the site, as one to the file."""
    target = (here.parent / found[1]).resolve()
    return found[0] if target.is_relative_to(DOCS) else f"](<path:{found[1]}>)"


def contents(text: str) -> str:
    """The table of contents: the pages under each heading of the first page, in its order."""
    told = ""
    for section in text.split("\n## ")[1:]:
        pages = dict.fromkeys(name.removesuffix(".md") for name, _ in _LINK.findall(section))
        told += _tree(section.partition("\n")[0], list(pages))
    return told


def _tree(caption: str, pages: list[str]) -> str:
    return "\n\n```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(pages) + "\n```\n"


def command_reference(command: click.Command, context: click.Context) -> Iterator[str]:
    """A section for each command with its help, as the terminal shows it."""
    level = min(context.command_path.count(" ") + 2, 4)
    yield f"\n\n{'#' * level} {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from command_reference(below, click.Context(below, parent=context, info_name=name))


def python_reference() -> str:
    """A section for each name that `from cloudkon import` gives, and for cloudkon.testing."""
    lines = ["\n\n```{eval-rst}\n", ".. py:module:: cloudkon\n"]
    for name in cloudkon.__all__:
        value = getattr(cloudkon, name)
        if inspect.isclass(value):
            lines.append(f".. autoclass:: cloudkon.{name}\n   :members:\n")
        elif callable(value):
            lines.append(f".. autofunction:: cloudkon.{name}\n")
    lines.append(".. automodule:: cloudkon.testing\n   :members:\n")
    return "\n".join(lines) + "\n```\n"


def as_literals(_app: Any, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Show indented lines of a docstring as code, as they are meant."""
    told: list[str] = []
    for number, line in enumerate(lines):
        begins = _INDENTED.match(line) and (not number or not lines[number - 1].strip())
        told += ["::", "", line] if begins and not any(_INDENTED.match(each) for each in told[-3:]) else [line]
    lines[:] = told
