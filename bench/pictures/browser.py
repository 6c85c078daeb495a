"""Pictures of pages, by headless Chromium."""

import io
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from bench.animoto.judging.browser import browser

_COLOURS = 128
"""A page has few colours: with a palette its picture takes a third of the bytes."""


def picture_of(page: Path, target: Path, width: int, height: int, *, dark: bool = False) -> None:
    """Write a PNG of the top of a page, with two pixels for each of the screen's."""
    program = browser()
    if program is None:
        raise SystemExit("There is no Chromium (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        shot = Path(folder) / "shot.png"
        flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-device-scale-factor=2",
        ]
        flags += ["--blink-settings=preferredColorScheme=0"] if dark else []
        flags += [f"--user-data-dir={folder}/profile", f"--window-size={width},{height}", f"--screenshot={shot}"]
        subprocess.run([program, *flags, page.as_uri()], stderr=subprocess.DEVNULL, check=True, timeout=120)
        with Image.open(shot) as image:
            few = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        whole = io.BytesIO()
        few.save(whole, "PNG", optimize=True)
    target.write_bytes(whole.getvalue())
