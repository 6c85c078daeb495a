"""The pages that strangers read, and the blocks of code in them.

A block's first line says what a test does with it: ```sh local runs here, ```sh cloud runs against the embedded cloud
(exit=1 names the code that is expected), ```python file=NAME is written to a file before what follows it runs. Each
line of ```text output was printed by the block before it that ran, apart from numbers, times, ids and paths.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGES = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
_BLOCK = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    line: int
    language: str
    words: frozenset[str]
    options: Mapping[str, str]
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        words = found[2].split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        line = text.count("\n", 0, found.start()) + 1
        yield Block(line, found[1], frozenset(words) - options.keys(), options, found[3])
