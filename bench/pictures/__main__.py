"""Makes docs/report.png, docs/report-dark.png and docs/terminal.png: python -m bench.pictures [FOLDER]."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.children import module_path
from bench.pictures.browser import picture_of
from bench.pictures.mixed_run import run_mixed
from bench.pictures.terminal import terminal_page
from cli.system.processes import cli

_LINE_PX, _AROUND_PX = 21, 44


def main() -> int:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    with tempfile.TemporaryDirectory(prefix="shop-") as name:
        folder = Path(name) / "shop"
        folder.mkdir()
        environment = {"CLOUDKON_HOME": str(folder / "home"), "PYTHONPATH": module_path()}
        run_mixed(folder, environment)
        page = folder / "report.html"
        subprocess.run(cli("report", "-o", str(page)), env=environment, check=True)
        picture_of(page, target / "report.png", 1120, 1320)
        picture_of(page, target / "report-dark.png", 1120, 1320, dark=True)
        shown = folder / "terminal.html"
        lines = terminal_page([["jobs"], ["stats"]], folder, environment, shown)
        picture_of(shown, target / "terminal.png", 860, lines * _LINE_PX + _AROUND_PX)
    return 0


if __name__ == "__main__":
    sys.exit(main())
