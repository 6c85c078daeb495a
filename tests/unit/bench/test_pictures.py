"""The pictures of the docs are of what commands really print."""

from pathlib import Path

from bench.pictures.terminal import terminal_page


def test_a_terminal_s_page_shows_what_the_command_printed(tmp_path: Path) -> None:
    """The page has the command after its prompt, and its output as text."""
    page = tmp_path / "page.html"
    lines = terminal_page([["--version"], ["nonsense", "<b>"]], tmp_path, {"CLOUDKON_HOME": str(tmp_path)}, page)
    html = page.read_text(encoding="utf-8")
    assert "cloudkon-cli --version" in html
    assert "There is no command" in html
    assert "<b>" not in html
    assert lines >= 5
