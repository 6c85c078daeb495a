"""The report of a run, opened from its file by headless Chromium: what a person gets who receives it by e-mail."""

import base64
import subprocess
from pathlib import Path

import pytest

from cli.system.processes import cli
from tests.support.servers.browser import PROGRAM
from tests.support.servers.devtools import Tab, in_browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium here")

TASKS = """
from cloudkon import task

@task("odd")
def odd(number: int) -> None:
    if number % 3 == 0:
        raise ValueError(f"<b onclick=alert(1)>{number}</b>\\x1b[31m is no good")
"""
SIZES = (375, 1200)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run of tasks of which some fail, with names and errors that hold markup."""
    folder = tmp_path_factory.mktemp("report")
    environment = {"CLOUDKON_HOME": str(folder / "home"), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    (folder / "odd_tasks.py").write_text(TASKS, encoding="utf-8")
    lines = [*("sleep 3" for _ in range(60)), *(f"odd {number}" for number in range(30)), "no closing '", "nobody"]
    (folder / "tasks.txt").write_text("\n".join(lines), encoding="utf-8")
    commands = (("run", "LOCAL", "tasks.txt", "-t", "3", "--tasks", "odd_tasks"), ("report", "-o", "report.html"))
    for arguments, code in zip(commands, (1, 0), strict=True):
        done = subprocess.run(cli(*arguments), cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == code, done.stderr.decode()
    return folder / "report.html"


async def _opened(tab: Tab, page: Path) -> None:
    tab.requests.clear()
    await tab.open(page.as_uri())


def test_the_page_is_quiet_and_fits_every_screen(page: Path, tmp_path: Path) -> None:
    """On a telephone and on a desk, light and dark, no error is told, nothing is requested, nothing is cut off."""

    async def look(tab: Tab) -> None:
        for width in SIZES:
            for scheme in ("light", "dark"):
                await tab.sized(width)
                await tab.media(prefers_color_scheme=scheme)
                await _opened(tab, page)
                wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                assert await tab.value(wide) <= 0, (width, scheme)
                ground = await tab.value("getComputedStyle(document.body).backgroundColor")
                assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
                asked = [url for url in tab.requests if not url.startswith("data:")]
                assert asked == [page.as_uri()]
        assert tab.errors == []

    in_browser(look, tmp_path)


def test_charts_tell_their_values_to_mouse_and_keyboard(page: Path, tmp_path: Path) -> None:
    """Pointing at a chart shows what it says there; so does focus with the arrow keys, one place after the other."""

    async def look(tab: Tab) -> None:
        await tab.sized(1200)
        await _opened(tab, page)
        tip = "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent"
        for chart, word in (("running", "tasks running"), ("throughput", "results a second"), ("latency", "no longer")):
            at = f"document.querySelector('[data-chart={chart}]')"
            await tab.value(f"{at}.scrollIntoView({{block: 'center'}})")
            box = await tab.value(f"(r => [r.left + r.width / 2, r.top + r.height / 2])({at}.getBoundingClientRect())")
            await tab.point_at(*box)
            assert word in await tab.value(tip)
            await tab.value(f"{at}.focus()")
            seen = set()
            for _ in range(3):
                await tab.press("ArrowRight")
                seen.add(await tab.value(tip))
            assert len(seen) == 3
            assert all(word in each for each in seen)
        await tab.value("document.querySelector('[data-chart=tasks]').focus()")
        await tab.press("Home")
        assert "line " in await tab.value(tip)
        assert tab.errors == []

    in_browser(look, tmp_path)


def test_the_page_says_everything_without_scripts(page: Path, tmp_path: Path) -> None:
    """Where no script runs, as in the previews of mail programs, charts, tables and labels are there all the same."""

    async def look(tab: Tab) -> None:
        await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        await tab.sized(1200)
        await _opened(tab, page)
        assert await tab.value("document.querySelectorAll('rect.task').length") == 90
        assert await tab.value("document.querySelectorAll('path.area').length") == 2
        labels = (
            "[...document.querySelectorAll('[data-chart]')].every(each => each.getAttribute('aria-label').length > 20)"
        )
        assert await tab.value(labels)
        assert "<b onclick=alert(" in await tab.value("document.body.innerText")
        assert await tab.value("document.querySelectorAll('[onclick]').length") == 0

    in_browser(look, tmp_path)


def test_the_page_is_printed_in_ink_on_white(page: Path, tmp_path: Path) -> None:
    """A page that is open in dark is printed in dark on white, on a few sheets."""

    async def look(tab: Tab) -> None:
        await tab.media(prefers_color_scheme="dark", medium="print")
        await _opened(tab, page)
        assert await tab.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert await tab.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        printed = base64.b64decode((await tab.call("Page.printToPDF"))["data"])
        assert printed.startswith(b"%PDF")

    in_browser(look, tmp_path)
