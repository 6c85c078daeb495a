import os
from pathlib import Path

import pytest


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """No AWS, and a home of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLOUDKON_"))}
    return kept | {"CLOUDKON_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The file in which tasks leave a trace of their runs."""
    return tmp_path / "trace"
