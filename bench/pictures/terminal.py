"""What commands print on a terminal of 80 columns, as a page."""

import io
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from cli.system.processes import cli

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 22px 26px; background: #16191f; color: #e6e9ef; }}
pre {{ margin: 0; font: 15px/1.4 "DejaVu Sans Mono", Menlo, Consolas, monospace; }}
</style><pre>{code}</pre>"""
COLUMNS = 80


def terminal_page(commands: Sequence[Sequence[str]], folder: Path, environment: Mapping[str, str], page: Path) -> int:
    """Run commands, and write a page of what they print, each after its prompt; return the number of lines."""
    shown = Text()
    for command in commands:
        shown.append("$ ", "bold green").append(f"cloudkon-cli {' '.join(command)}\n", "bold")
        shown.append_text(Text.from_ansi(_printed(command, folder, environment))).append("\n\n")
    shown.rstrip()
    console = Console(record=True, width=COLUMNS + 2, file=io.StringIO(), force_terminal=True)
    console.print(shown, soft_wrap=True)
    html = console.export_html(theme=MONOKAI, code_format=_PAGE, inline_styles=True)
    page.write_text(html, encoding="utf-8")
    return len(shown.plain.splitlines())


def _printed(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    surroundings = {**os.environ, **environment, "COLUMNS": str(COLUMNS), "TTY_COMPATIBLE": "1", "FORCE_COLOR": "1"}
    done = subprocess.run(
        cli(*command),
        cwd=folder,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    return done.stdout.rstrip()
