"""Copies of the repository: Chalice writes down beside the code what it has deployed."""

import shutil
import subprocess
from pathlib import Path


def clone(target: Path) -> Path:
    """Copy what git knows, and would add, to a folder; return it."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, files.split("\0")):
        if Path(name).is_symlink() or Path(name).is_file():
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, copy, follow_symlinks=False)
    # What Chalice has packed already it takes again, where requirements.txt is the same.
    if Path(".chalice/deployments").exists():
        shutil.copytree(".chalice/deployments", target / ".chalice/deployments")
    return target
