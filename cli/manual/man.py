from pathlib import Path

import click

from cli.manual.man_pages import man_pages
from cloudkon.errors import CloudKonError

_PROGRAM = "cloudkon-cli"


@click.command()
@click.option(
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="The folder to write the pages to, such as ~/.local/share/man/man1.",
)
def man(folder: Path) -> None:
    """Write the manual pages, one for each command, made of their help.

    \b
    Examples:
      cloudkon-cli man --output ~/.local/share/man/man1 && man cloudkon-cli-run
    """
    root = click.get_current_context().find_root().command
    pages = list(man_pages(root, _PROGRAM, _version()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for page in pages:
            (folder / page.name).write_text(page.text, encoding="utf-8")
    except OSError as error:
        raise CloudKonError(f"The manual can't be written to {folder}: {error.strerror or error}.") from error
    click.echo(f"{len(pages)} pages are in {folder}. Read one: man -l {folder / pages[0].name}", err=True)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (takes longer than the rest)

    try:
        return version("cloudkon")
    except PackageNotFoundError:
        return "from a checkout"
